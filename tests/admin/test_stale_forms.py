"""Forms overtaken by somebody else: both values shown, nothing lost, nothing undone."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from admin import conflicts
from app.catalog.models import Product, ProductKind
from tests.admin.conftest import Desk
from tests.admin.pages import fields_of, text_of
from tests.factories.orders import make_product

PATH = "/products/form/edit/"


@pytest.fixture
def product(session: Session) -> Product:
    row = make_product(session, kind=ProductKind.SERVICE, title="Foot bath", price_fen=12_800)
    session.commit()
    return row


def opened(desk: Desk, product: Product) -> dict[str, Any]:
    """Return the form as a browser would send it."""
    return fields_of(desk.get(PATH, id=product.id).get_data(as_text=True))


def sent(answer: Any) -> dict[str, Any]:
    """Return what a browser would send of the form in an answer."""
    return fields_of(answer.get_data(as_text=True))


def save(desk: Desk, product: Product, fields: dict[str, Any]) -> Any:
    return desk.post(f"{PATH}?id={product.id}", fields)


def facts(session: Session, product: Product) -> tuple[str, int]:
    session.expire_all()
    row = session.get_one(Product, product.id)
    return row.title, row.price_fen


def test_a_form_that_nobody_overtook_is_saved(
    session: Session, owner: Desk, product: Product
) -> None:
    fields = opened(owner, product)

    answer = save(owner, product, fields | {"title": "Back massage"})

    assert answer.status_code == 302
    assert facts(session, product) == ("Back massage", 12_800)


def test_what_changed_meanwhile_is_shown_beside_what_was_typed_and_nothing_is_saved(
    session: Session, owner: Desk, product: Product
) -> None:
    mine, theirs = opened(owner, product), opened(owner, product)
    save(owner, product, theirs | {"price_fen": "99.00"})

    answer = save(owner, product, mine | {"title": "Mine", "price_fen": "120.00"})

    text = text_of(answer)
    assert answer.status_code == 409
    assert "Somebody changed this while the form was open." in text
    assert 'data-label="Your value">120.00</td>' in text
    assert 'data-label="Value now">99.00</td>' in text
    assert sent(answer)["title"] == "Mine"
    assert facts(session, product) == ("Foot bath", 9_900)


def test_sending_the_form_once_more_saves_what_was_typed(
    session: Session, owner: Desk, product: Product
) -> None:
    mine, theirs = opened(owner, product), opened(owner, product)
    save(owner, product, theirs | {"price_fen": "99.00"})
    again = sent(save(owner, product, mine | {"price_fen": "120.00"}))

    answer = save(owner, product, again)

    assert answer.status_code == 302
    assert facts(session, product) == ("Foot bath", 12_000)


def test_a_third_change_in_between_is_told_of_again(
    session: Session, owner: Desk, product: Product
) -> None:
    mine, theirs = opened(owner, product), opened(owner, product)
    save(owner, product, theirs | {"price_fen": "99.00"})
    again = sent(save(owner, product, mine | {"price_fen": "120.00"}))
    save(owner, product, opened(owner, product) | {"price_fen": "88.00"})

    answer = save(owner, product, again)

    assert answer.status_code == 409
    assert 'data-label="Value now">88.00</td>' in text_of(answer)
    assert facts(session, product) == ("Foot bath", 8_800)


def test_taking_theirs_keeps_what_was_typed_elsewhere_and_saves_nothing_yet(
    session: Session, owner: Desk, product: Product
) -> None:
    mine, theirs = opened(owner, product), opened(owner, product)
    save(owner, product, theirs | {"price_fen": "99.00"})
    again = sent(save(owner, product, mine | {"title": "Mine", "price_fen": "120.00"}))

    answer = save(owner, product, again | {"take": "theirs"})

    fields = sent(answer)
    assert answer.status_code == 200
    assert (fields["title"], fields["price_fen"]) == ("Mine", "99.00")
    assert facts(session, product) == ("Foot bath", 9_900)
    assert save(owner, product, fields).status_code == 302
    assert facts(session, product) == ("Mine", 9_900)


def test_two_who_typed_the_same_are_in_no_conflict(
    session: Session, owner: Desk, product: Product
) -> None:
    mine, theirs = opened(owner, product), opened(owner, product)
    save(owner, product, theirs | {"price_fen": "99.00"})

    answer = save(owner, product, mine | {"price_fen": "99.00"})

    assert answer.status_code == 302
    assert facts(session, product) == ("Foot bath", 9_900)


@pytest.mark.parametrize("seen", ["", "nonsense", "[1]", "{" * 50_000, '{"title": 5}'])
def test_marks_that_somebody_made_up_break_nothing(
    session: Session, owner: Desk, product: Product, seen: str
) -> None:
    answer = save(owner, product, opened(owner, product) | {"seen": seen})

    assert answer.status_code in {302, 409}
    assert facts(session, product) == ("Foot bath", 12_800)


def test_what_somebody_typed_into_a_conflict_is_never_markup(
    session: Session, owner: Desk, product: Product
) -> None:
    mine = opened(owner, product)
    session.execute(
        sa.update(Product).where(Product.id == product.id).values(title="<script>alert(1)</script>")
    )
    session.commit()

    page = save(owner, product, mine | {"title": "<img src=x>"}).get_data(as_text=True)

    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_the_order_of_ticks_is_no_change() -> None:
    seen = conflicts.marks({"roles": ["a", "b"], "title": "x"})

    assert conflicts.changed_since(seen, {"roles": ["b", "a"], "title": "y"}) == ["title"]

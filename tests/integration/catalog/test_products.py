"""Products are put by staff, checked, audited and read page by page."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog import queries, services
from app.catalog.errors import ProductInvalid, ProductNotFound
from app.catalog.models import Product, ProductKind
from app.catalog.services import ProductSpec
from app.kernel.audit import Actor, AuditRecord
from tests.factories.orders import make_product
from tests.factories.people import make_staff

FACIAL = ProductSpec(
    kind=ProductKind.SERVICE,
    title="补水护理",
    title_en="Hydrating facial",
    price_fen=29_900,
    list_price_fen=39_900,
    is_published=True,
)


def staff(session: Session) -> Actor:
    return Actor("staff", make_staff(session).id, "request-1")


def test_a_new_product_is_on_sale_and_in_the_audit_trail(session: Session, now: datetime) -> None:
    actor = staff(session)

    product = services.put_product(session, FACIAL, actor=actor, now=now)

    entry = session.scalars(sa.select(AuditRecord)).one()
    assert queries.product(session, product.id).price_fen == 29_900
    assert (entry.action, entry.subject_id, entry.actor_id) == (
        "product_put",
        product.id,
        actor.id,
    )
    assert entry.after["title"] == "补水护理"


def test_a_change_of_price_is_audited_with_both_prices(session: Session, now: datetime) -> None:
    actor = staff(session)
    product = services.put_product(session, FACIAL, actor=actor, now=now)

    dearer = replace(FACIAL, price_fen=31_900)
    services.put_product(session, dearer, product_id=product.id, actor=actor, now=now)

    last = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc())).first()
    assert last is not None
    assert (last.before, last.after) == ({"price_fen": 29_900}, {"price_fen": 31_900})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "长" * 81}, "title"),
        ({"title_en": "x" * 81}, "title_en"),
        ({"price_fen": 0}, "price_fen"),
        ({"price_fen": -1}, "price_fen"),
        ({"price_fen": 10**18, "list_price_fen": 10**18}, "price_fen"),
        ({"list_price_fen": 29_899}, "list_price_fen"),
    ],
)
def test_a_product_that_makes_no_sense_is_refused_by_field(
    session: Session, now: datetime, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(ProductInvalid) as refusal:
        services.put_product(session, replace(FACIAL, **change), actor=staff(session), now=now)

    assert refusal.value.field == field
    assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == 0


def test_goods_stay_goods(session: Session, now: datetime) -> None:
    product = make_product(session, kind=ProductKind.GOODS)

    with pytest.raises(ProductInvalid):
        services.put_product(session, FACIAL, product_id=product.id, actor=staff(session), now=now)


def test_what_is_not_published_is_the_same_as_absent(session: Session) -> None:
    hidden = make_product(session, is_published=False)

    for product_id in (hidden.id, hidden.id + 1_000):
        with pytest.raises(ProductNotFound):
            queries.product(session, product_id)


def test_pages_go_from_the_newest_down_and_skip_what_is_hidden(session: Session) -> None:
    shown = [make_product(session) for _ in range(3)]
    make_product(session, is_published=False)

    first = queries.products_page(session, limit=2)
    second = queries.products_page(session, after_id=first[-1].id, limit=2)

    assert [row.id for row in first] == [shown[2].id, shown[1].id]
    assert [row.id for row in second] == [shown[0].id]

"""Every form and every question of the back office, sent what it was not made for.

Whatever is typed is text afterwards; rows of other stores cannot be picked; what changed while a
form was open is shown; and nothing that anybody sends breaks a page.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from admin.conflicts import SEEN
from admin.forms import LookupField
from tests.admin.conftest import Desk
from tests.admin.house import House
from tests.admin.matrix import OFFERED, ONE_STORE, Person, seat
from tests.admin.pages import fields_of
from tests.thoroughness import examples

SCRIPT: Final = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
FORMULA: Final = "=cmd|'/c calc'!A1"
RAW: Final = ("<script>alert", "<img src=x")
KEPT: Final = frozenset({"csrf_token", SEEN, "id"})
NASTY: Final = (
    "",
    "\x00",
    "0",
    "-1",
    "9" * 40,
    "1e400",
    "NaN",
    "2026-02-30",
    "9999-12-31T23:59",
    "0001-01-01",
    "' OR 1=1 --",
    "%",
    "_",
    "\\",
    "\u202e\U0001f600",
    "x" * 5_000,
    SCRIPT,
    FORMULA,
    "[]",
    "{",
    "null",
    "../../etc/passwd",
)


@pytest.fixture
def session(house: House) -> Iterator[Session]:
    with house.as_found() as session:
        yield session


def form_pages(app: Flask, house: House) -> Iterator[tuple[Any, Any, str]]:
    """Yield every view, form page and address there is, about rows of the first store."""
    for endpoint, view in app.extensions["backoffice"].items():
        place = house.world.here if endpoint in house.world.here.ids else house.world.brand
        for page in view.form_pages:
            path = f"/{endpoint}/form/{page.name}/"
            yield view, page, f"{path}?id={place.ids[endpoint]}" if page.is_about_row else path


def test_every_form_that_was_overtaken_says_so(
    app: Flask, house: House, session: Session, owner: Desk
) -> None:
    session.commit()
    compared = set()

    for view, page, path in form_pages(app, house):
        shown = owner.get(path)
        is_compared = page.is_about_row and page.is_guarded and shown.status_code == 200
        fields = fields_of(shown.get_data(as_text=True)) if is_compared else {}
        seen = json.loads(fields.get(SEEN) or "{}")
        texts = [name for name in seen if isinstance(fields.get(name), str)]
        for name in texts:
            told = fields | {name: f"{fields[name]} mine", SEEN: json.dumps(seen | {name: "other"})}
            answer = owner.post(path, told)
            if answer.status_code == 409:
                text = answer.get_data(as_text=True)
                assert "Somebody changed this while the form was open." in text, path
                assert 'data-label="Your value"' in text, path
                compared.add(f"{view.endpoint}.{page.name}")

    assert compared >= {"products.edit", "regions.rename", "tags.rename", "stores.edit"}
    assert compared >= {"staff.person"}


@pytest.mark.parametrize("text", [SCRIPT, FORMULA], ids=["script", "formula"])
def test_nothing_typed_into_any_form_comes_back_as_markup(
    app: Flask, house: House, session: Session, owner: Desk, text: str
) -> None:
    session.commit()
    sent = 0

    for _view, page, path in form_pages(app, house):
        shown = owner.get(path)
        if shown.status_code != 200:
            continue
        fields = fields_of(shown.get_data(as_text=True))
        told = {name: one if name in KEPT else text for name, one in fields.items()}
        for data in (told, fields | {name: text for name in fields if name in TYPED}):
            answer = owner.post(path, data, follow_redirects=True, buffered=True)
            assert answer.status_code < 500, f"{path}: {answer.status_code}"
            page_text = answer.get_data(as_text=True)
            assert not any(raw in page_text for raw in RAW), f"{path} of {page.name}"
            sent += 1

    for endpoint in app.extensions["backoffice"]:
        page_text = owner.get(f"/{endpoint}/", size=100).get_data(as_text=True)
        assert not any(raw in page_text for raw in RAW), endpoint
    assert sent > 50


TYPED: Final = frozenset(
    {
        "name",
        "title",
        "title_en",
        "text",
        "what",
        "reason",
        "claim",
        "note",
        "notes",
        "job_title",
        "address",
        "description",
        "said",
    }
)
"""Fields that take any text; the others stay as the form began, so that much of it is saved."""


def test_nothing_typed_into_any_question_comes_back_as_markup(
    app: Flask, house: House, session: Session, owner: Desk
) -> None:
    session.commit()

    for endpoint, view in app.extensions["backoffice"].items():
        place = house.world.here if endpoint in house.world.here.ids else house.world.brand
        for decision in view.decisions:
            data = {"action": decision.name, "rowid": place.ids[endpoint], "confirmed": "1"}
            typed = dict.fromkeys(("reason", "note", "tag", "tag_id", "from_on"), SCRIPT)
            answer = owner.post(
                f"/{endpoint}/action/", data | typed, follow_redirects=True, buffered=True
            )
            assert answer.status_code < 500, f"{decision.name} of {endpoint}"
            text = answer.get_data(as_text=True)
            assert not any(raw in text for raw in RAW), f"{decision.name} of {endpoint}"


def test_the_name_of_a_view_is_text(house: House, session: Session, owner: Desk) -> None:
    assert house.world.here.ids
    session.commit()
    data = {"act": "save", "name": "<img src=x>", "url": "/admin/orders/?size=100"}

    page = owner.post("/lists/orders/views/", data, follow_redirects=True, buffered=True)

    assert "&lt;img src=x&gt;" in page.get_data(as_text=True)
    assert "<img src=x" not in page.get_data(as_text=True)


def test_no_row_of_another_store_can_be_picked_in_any_form(
    app: Flask, house: House, session: Session, sit_down: Callable[..., Desk]
) -> None:
    person: Person = seat(house, session, sit_down, "owner", ONE_STORE)
    tried = 0

    for _view, page, path in form_pages(app, house):
        for name, loader in lookups_of(page.form):
            offered = OFFERED.get(loader.name)
            if offered is not None:
                data = {name: offered(house.world.there), "reason": "for the matrix"}
                text = person.post(200, path, data).get_data(as_text=True)
                assert "Please choose one from the list." in text, f"{name} of {path}"
                tried += 1

    assert tried > 4


def lookups_of(form: Any) -> Iterator[tuple[str, Any]]:
    for name in dir(form):
        kind = getattr(getattr(form, name), "field_class", None)
        if isinstance(kind, type) and issubclass(kind, LookupField):
            yield name, getattr(form, name).kwargs["loader"]


@bounded(
    max_examples=examples(25),
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_address_breaks_a_page(app: Flask, house: House, owner: Desk, data: Any) -> None:
    endpoint, view = data.draw(st.sampled_from(sorted(app.extensions["backoffice"].items())))
    ways = ["", "details/", "export/csv/", "ajax/lookup/", "status/", "timeline/"]
    ways += [f"form/{page.name}/" for page in view.form_pages]
    known = [one.name for one in view.filters if getattr(one, "name", "")]
    names = st.sampled_from(
        ["id", "search", "sort", "after", "before", "size", "page", "view", "name", *known]
    )
    values = st.sampled_from(NASTY) | st.text(max_size=30)
    query = data.draw(st.dictionaries(names, values, max_size=5))
    assert house.world is not None

    for way in ways:
        answer = owner.get(f"/{endpoint}/{way}", **query)
        assert answer.status_code < 500, f"/{endpoint}/{way} {query}"


@bounded(
    max_examples=examples(25),
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_no_form_breaks_whatever_is_sent(app: Flask, house: House, owner: Desk, data: Any) -> None:
    pages = list(form_pages(app, house))
    _view, page, path = pages[data.draw(st.integers(0, len(pages) - 1))]
    shown = owner.get(path)
    fields = fields_of(shown.get_data(as_text=True)) if shown.status_code == 200 else {}
    names = sorted(set(fields) - {"csrf_token"}) or ["reason"]
    values = st.sampled_from(NASTY) | st.text(max_size=30)
    told = data.draw(st.dictionaries(st.sampled_from(names), values, max_size=8))

    answer = owner.post(path, fields | told, buffered=True)

    assert answer.status_code < 500, f"{path} of {page.name}: {told}"

"""Lists that open as they were left, and views with a name: one's own, shared, never wider."""

import html
import re
from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from admin import list_memory
from app.kernel.audit import AuditRecord
from app.orders.states import OrderState
from app.stores.models import Staff
from app.stores.view_models import NAME_MAX, VIEWS_MAX, ListChoice, SavedView
from tests.admin.conftest import Desk
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_store

CHIP: Final = re.compile(r'<a href="[^"]*\?view=(\d+)"( aria-current="true")? ?>')


def ask(desk: Desk, path: str, **query: Any) -> Any:
    """Open a list from the list itself, as its filters and links do."""
    return desk.client.get(
        f"/admin{path}",
        query_string=query,
        headers={"Accept-Language": "en", "Referer": f"http://localhost/admin{path}"},
    )


def address(answer: Any) -> str:
    assert answer.status_code == 302
    return str(answer.headers["Location"])


def keep(desk: Desk, act: str, url: str = "/admin/orders/", name: str = "", **more: Any) -> Any:
    data = {"act": act, "url": url, "name": name, **more}
    return desk.post("/lists/orders/views/", data)


def saved(session: Session) -> list[SavedView]:
    session.expire_all()
    return list(session.scalars(sa.select(SavedView).order_by(SavedView.id)))


# Memory


def test_a_list_opens_as_its_reader_left_it(owner: Desk) -> None:
    ask(owner, "/orders/", state="closed", sort="payable_fen", desc="1", size="50")

    assert address(owner.get("/orders/")) == (
        "/admin/orders/?state=closed&sort=payable_fen&desc=1&size=50"
    )
    assert owner.get("/refunds/").status_code == 200


def test_a_link_from_elsewhere_is_taken_at_its_word_and_not_remembered(owner: Desk) -> None:
    ask(owner, "/orders/", state="closed")

    shown = owner.get("/orders/", state="paid")

    assert shown.status_code == 200
    assert address(owner.get("/orders/")) == "/admin/orders/?state=closed"


def test_clearing_is_one_click_and_sticks(owner: Desk) -> None:
    page = ask(owner, "/orders/", state="closed", member="5").get_data(as_text=True)
    assert 'href="/admin/orders/?clear=1"' in page

    assert address(owner.get("/orders/", clear="1")) == "/admin/orders/"

    assert owner.get("/orders/").status_code == 200
    assert owner.get("/orders/").status_code == 200


def test_taking_the_last_filter_away_clears_the_list(owner: Desk) -> None:
    page = ask(owner, "/orders/", member="5").get_data(as_text=True)
    chips = re.search(r'<nav class="chips".*?</nav>', page, re.DOTALL)
    assert chips is not None
    [remove, *_] = re.findall(r'href="([^"]+)"', chips[0])

    owner.get(html.unescape(remove).removeprefix("/admin"))

    assert owner.get("/orders/").status_code == 200


def test_nonsense_and_places_are_not_remembered(owner: Desk) -> None:
    ask(owner, "/orders/", state="closed", after="5", sort="password", x="y", store="\x00")

    assert address(owner.get("/orders/")) == "/admin/orders/?state=closed"


def test_what_is_personal_is_not_remembered(session: Session, owner: Desk) -> None:
    make_member(session, nickname="Mei", phone="+8613812345678")
    session.commit()
    found = owner.post("/members/find/", {"search": "13812345678", "bought": "no"})
    hashed = found.headers["Location"].partition("phone=")[2].partition("&")[0]
    ask(owner, "/members/", phone=hashed, bought="no")
    with owner.client.session_transaction() as cookie:
        kept = cookie[list_memory.MEMORY]

    assert kept == {"members": "bought=no"}

    ask(owner, "/members/", search="Mei", bought="no")
    with owner.client.session_transaction() as cookie:
        assert cookie[list_memory.MEMORY] == {"members": "bought=no"}


def test_the_memory_fits_the_cookie_whatever_is_asked(app: Any, owner: Desk) -> None:
    for endpoint in app.extensions["backoffice"]:
        ask(owner, f"/{endpoint}/", search="x" * 100, size="50")

    with owner.client.session_transaction() as cookie:
        kept = cookie[list_memory.MEMORY]
    assert sum(len(name) + len(text) for name, text in kept.items()) <= list_memory.MEMORY_MAX
    assert len(kept) > 3


def test_the_memory_ends_with_the_session(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    ask(owner, "/orders/", state="closed")

    assert sit_down("owner").get("/orders/").status_code == 200


# Views


def test_a_view_is_saved_opened_and_shown_as_the_open_one(session: Session, owner: Desk) -> None:
    answer = keep(owner, "save", "/admin/orders/?state=paid&sort=payable_fen&desc=1", "Paid")

    [view] = saved(session)
    assert (view.name, view.list, view.staff_id) == ("Paid", "orders", owner.staff_id)
    assert view.wish == {"state": "paid", "sort": "payable_fen", "desc": "1"}
    full = f"/admin/orders/?view={view.id}&state=paid&sort=payable_fen&desc=1"
    assert address(answer) == full
    assert address(owner.get("/orders/", view=view.id)) == full
    page = owner.get(full.removeprefix("/admin")).get_data(as_text=True)
    assert CHIP.findall(page) == [(str(view.id), ' aria-current="true"')]
    assert "<small>changed</small>" not in page


def test_a_view_that_was_changed_on_the_page_says_so_and_can_be_saved_again(
    session: Session, owner: Desk
) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "Mine")
    [view] = saved(session)
    changed = f"/admin/orders/?view={view.id}&state=closed"
    page = owner.get(changed.removeprefix("/admin")).get_data(as_text=True)

    keep(owner, "overwrite", changed, id=view.id)

    assert "<small>changed</small>" in page
    assert [one.wish for one in saved(session)] == [{"state": "closed"}]


def test_a_list_opens_with_the_view_that_its_reader_chose_until_they_clear_it(
    session: Session, owner: Desk
) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "Mine")
    [view] = saved(session)

    keep(owner, "open-with", id=view.id)

    assert address(owner.get("/orders/")) == f"/admin/orders/?view={view.id}&state=paid"
    owner.get("/orders/", clear="1")
    assert owner.get("/orders/").status_code == 200

    keep(owner, "open-with", id="")
    assert session.scalars(sa.select(ListChoice.default_view_id)).all() == [None]


def test_deleting_a_view_leaves_the_list_that_opened_with_it_whole(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "Mine")
    [view] = saved(session)
    key = view.id
    keep(owner, "open-with", id=key)

    keep(owner, "delete", id=key)

    assert saved(session) == []
    assert owner.get("/orders/", view=key).status_code == 200
    again = sit_down(staff=session.get_one(Staff, owner.staff_id))
    assert again.get("/orders/").status_code == 200


def test_a_view_is_renamed(session: Session, owner: Desk) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "Mine")
    [view] = saved(session)

    keep(owner, "rename", name="  Paid \n today ", id=view.id)

    assert [one.name for one in saved(session)] == ["Paid today"]


@pytest.mark.parametrize("name", ["", "   ", "x" * (NAME_MAX + 1), "a\x07b", "\u202eevil"])
def test_a_name_that_is_none_is_refused(session: Session, owner: Desk, name: str) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", name)

    assert saved(session) == []
    assert owner.flashes() == [f"Give the view a name of at most {NAME_MAX} characters."]


def test_a_second_view_of_the_same_name_is_refused(session: Session, owner: Desk) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "Mine")

    keep(owner, "save", "/admin/orders/?state=closed", " Mine ")

    assert [one.wish for one in saved(session)] == [{"state": "paid"}]
    assert any("of this name" in text for text in owner.flashes())


def test_nobody_keeps_more_views_of_a_list_than_fit(session: Session, owner: Desk) -> None:
    for number in range(VIEWS_MAX + 1):
        keep(owner, "save", f"/admin/orders/?member={number + 1}", f"View {number}")
    [first, *rest] = saved(session)
    slot = first.slot
    assert len(rest) == VIEWS_MAX - 1

    keep(owner, "delete", id=first.id)
    keep(owner, "save", "/admin/orders/?member=99", "One more")

    assert (saved(session)[-1].name, saved(session)[-1].slot) == ("One more", slot)


def test_the_database_itself_refuses_a_view_too_many(session: Session, owner: Desk) -> None:
    made: dict[str, Any] = {"staff_id": owner.staff_id, "list": "orders", "name": "x", "wish": {}}
    times = {"created_at": NOON, "changed_at": NOON}

    with pytest.raises(IntegrityError, match="ck_saved_views_slot"), session.begin_nested():
        session.execute(sa.insert(SavedView).values(slot=VIEWS_MAX + 1, **made, **times))


def test_a_name_is_never_markup(session: Session, owner: Desk) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "<script>alert(1)</script>")

    page = owner.get("/orders/").get_data(as_text=True)

    assert len(saved(session)) == 1
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_what_a_list_no_longer_knows_is_passed_over(session: Session, owner: Desk) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "Old")
    [view] = saved(session)
    view.wish = {"state": "gone", "colour": "red", "sort": "password", "member": "5"}
    view.columns = ["number", "colour", "password", "payable_fen"]
    session.commit()

    there = address(owner.get("/orders/", view=view.id))
    page = owner.get(there.removeprefix("/admin"))

    assert there == f"/admin/orders/?view={view.id}&member=5"
    assert page.status_code == 200


# Sharing


def test_a_shared_view_is_found_by_everybody_who_may_open_the_list(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "For all", shared="1")
    keep(owner, "save", "/admin/orders/?state=closed", "For me")
    shared, private = saved(session)
    desk = sit_down("finance")

    page = desk.get("/orders/").get_data(as_text=True)

    assert [key for key, _ in CHIP.findall(page)] == [str(shared.id)]
    assert address(desk.get("/orders/", view=shared.id)).endswith("&state=paid")
    assert desk.get("/orders/", view=private.id).status_code == 200
    [record] = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "saved_view_shared")
    )
    assert (record.subject_type, record.after["name"]) == ("orders", "For all")


def test_sharing_needs_a_permission(session: Session, sit_down: Callable[..., Desk]) -> None:
    desk = sit_down("finance")
    keep(desk, "save", "/admin/orders/?state=paid", "Mine", shared="1")
    [view] = saved(session)

    answer = keep(desk, "share", id=view.id)

    assert answer.status_code == 403
    assert [one.is_shared for one in saved(session)] == [False]


@pytest.mark.parametrize("act", ["overwrite", "rename", "share", "delete"])
def test_a_view_is_changed_by_its_owner_only(
    session: Session, owner: Desk, sit_down: Callable[..., Desk], act: str
) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "For all", shared="1")
    [view] = saved(session)
    other = sit_down("owner")

    keep(other, act, "/admin/orders/?state=closed", "Taken", id=view.id)

    [same] = saved(session)
    assert (same.name, same.wish, same.is_shared) == ("For all", {"state": "paid"}, True)
    assert other.flashes() == ["There is no such saved view."]


def test_whoever_answers_for_shared_views_can_take_one_back_from_all(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "For all", shared="1")
    [view] = saved(session)
    reader = sit_down("finance")
    keep(reader, "open-with", id=view.id)
    assert keep(reader, "withdraw", id=view.id).status_code == 403

    keep(sit_down("owner"), "withdraw", id=view.id)

    assert [one.is_shared for one in saved(session)] == [False]
    assert session.scalars(sa.select(ListChoice.default_view_id)).all() == [None]


def test_a_private_view_of_somebody_else_cannot_be_opened_with(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    keep(owner, "save", "/admin/orders/?state=paid", "Mine")
    [view] = saved(session)

    keep(sit_down("owner"), "open-with", id=view.id)

    assert session.scalars(sa.select(ListChoice)).all() == []


def test_a_shared_view_shows_nobody_more_than_their_own_stores(
    session: Session, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    mine = make_order(session, store=here, state=OrderState.PAID)
    foreign = make_order(session, store=there, state=OrderState.PAID)
    session.commit()
    keep(owner, "save", f"/admin/orders/?state=paid&store={there.id}", "There", shared="1")
    keep(owner, "save", "/admin/orders/?state=paid", "Paid", shared="1")
    narrow, wide = saved(session)
    desk = sit_down("finance", here)

    first = desk.get(address(desk.get("/orders/", view=narrow.id)).removeprefix("/admin"))
    second = desk.get(address(desk.get("/orders/", view=wide.id)).removeprefix("/admin"))

    assert foreign.number not in first.get_data(as_text=True)
    assert foreign.number not in second.get_data(as_text=True)
    assert mine.number in second.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/lists/payouts/views/", "/lists/payouts/columns/"])
def test_whoever_may_not_open_a_list_arranges_nothing_there(
    session: Session, sit_down: Callable[..., Desk], path: str
) -> None:
    answer = sit_down("front_desk").post(path, {"act": "save", "name": "x"})

    assert answer.status_code == 403
    assert saved(session) == []


def test_a_list_that_does_not_exist_and_a_wish_that_does_not_are_not_found(owner: Desk) -> None:
    assert owner.post("/lists/nothing/views/", {"act": "save", "name": "x"}).status_code == 404
    assert owner.post("/lists/orders/views/", {"act": "explode"}).status_code == 404
    assert owner.post("/lists/orders/views/", {"act": "delete", "id": "x"}).status_code == 404


@pytest.mark.parametrize(
    "url", ["//evil.example/", "/admin/payouts/?state=paid", "https://evil.example/admin/orders/"]
)
def test_a_wish_is_read_from_an_address_of_this_list_only(
    session: Session, owner: Desk, url: str
) -> None:
    answer = keep(owner, "save", url, "Mine")

    [view] = saved(session)
    assert view.wish == {}
    assert address(answer) == f"/admin/orders/?view={view.id}"
    assert owner.get("/orders/", view=view.id).status_code == 200

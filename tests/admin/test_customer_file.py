"""The file of a customer: one page, one stream, and who they belonged to when."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.audit import AuditRecord
from app.kernel.db import database_now
from app.members.file_models import FollowUp, FollowUpState, MemberNote, MemberTag, Tag
from app.members.models import Member
from app.orders.states import OrderState
from app.stores.models import Store
from tests.admin.conftest import Desk
from tests.factories.orders import make_order, make_refund
from tests.factories.people import (
    NOON,
    make_binding,
    make_distributor,
    make_member,
    make_staff,
    make_store,
)

NASTY = "<script>alert(1)</script>\"'{{7*7}}"
HOUR = timedelta(hours=1)


@pytest.fixture
def store(session: Session) -> Store:
    return make_store(session, "Here store")


@pytest.fixture
def customer(session: Session, store: Store) -> Member:
    return make_member(session, nickname="Customer", origin_store_id=store.id)


def page_of(desk: Desk, customer: Member, **query: Any) -> str:
    answer = desk.get("/members/details/", id=customer.id, **query)
    assert answer.status_code == 200
    return html.unescape(re.sub(r"\s+", " ", answer.get_data(as_text=True)))


def stream_of(desk: Desk, customer: Member, **query: Any) -> str:
    answer = desk.get("/members/timeline/", id=customer.id, **query)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_the_stream_tells_what_happened_newest_first(
    session: Session, owner: Desk, customer: Member, store: Store
) -> None:
    make_binding(session, customer=customer, valid_from_at=NOON - 5 * HOUR)
    order = make_order(
        session, member=customer, store=store, state=OrderState.COMPLETED, now=NOON - 3 * HOUR
    )
    make_refund(session, order, now=NOON - HOUR)
    session.commit()

    stream = stream_of(owner, customer)

    told = re.findall(r'class="badge \w+">([^<]+)</span>', stream)
    wanted = ["Money returned", "Order placed", "Ownership: Bound", "Touch: Bound", "Registered"]
    assert [one for one in told if one in wanted] == wanted
    assert order.number in stream


def test_the_stream_goes_on_where_the_page_before_ended_and_tells_each_event_once(
    session: Session, owner: Desk, customer: Member, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.timeline.PAGE_ROWS", 7)
    for number in range(9):
        make_order(
            session,
            member=customer,
            store=store,
            state=OrderState.PAID,
            now=NOON + timedelta(minutes=number // 3),
        )
    session.commit()
    seen: list[str] = []
    address: str | None = f"/members/timeline/?id={customer.id}"
    pages = 0

    while address:
        page = owner.get(address).get_data(as_text=True)
        seen += re.findall(r'<li>\s*<span class="step-1".*?</li>', page, re.DOTALL)
        following = re.search(r'rel="next" href="/admin([^"]+)"', page)
        address = html.unescape(following[1]) if following else None
        pages += 1
        assert pages < 20

    told = [
        (re.findall(r"badge \w+\">([^<]+)<", one)[0], re.findall(r"id=(\d+)", one)) for one in seen
    ]
    titles = [title for title, _ in told]
    placed = {ids[0] for title, ids in told if title == "Order placed"}
    assert titles.count("Order placed") == len(placed) == 9
    assert titles.count("Order: Paid") == 9
    assert titles[-1] == "Registered"
    assert pages == 3


@pytest.mark.parametrize("after", ["x", "1.2", "1.2.x", "9" * 18 + ".1.1", "-1.0.0", "1.1.1.1"])
def test_a_place_that_makes_no_sense_is_the_beginning(
    session: Session, owner: Desk, customer: Member, after: str
) -> None:
    session.commit()

    assert "Registered" in stream_of(owner, customer, after=after)


def test_a_shared_customer_shows_each_store_its_own_part(
    session: Session, customer: Member, store: Store, sit_down: Callable[..., Desk]
) -> None:
    elsewhere = make_store(session, "There store")
    here = make_order(session, member=customer, store=store, price_fen=1_100)
    there = make_order(session, member=customer, store=elsewhere, price_fen=2_200)
    manager = sit_down("store_manager", store)
    brand = sit_down("owner")

    page, stream = page_of(manager, customer), stream_of(manager, customer)
    assert here.number in page
    assert here.number in stream
    assert there.number not in page + stream
    assert "22.00" not in page + stream
    assert "11.00" in page
    assert "33.00" in page_of(brand, customer)


def test_a_role_without_a_right_sees_nothing_of_it_in_the_stream(
    session: Session, customer: Member, store: Store, sit_down: Callable[..., Desk]
) -> None:
    seller = make_distributor(session, make_member(session, nickname="Seller"), store_id=store.id)
    make_binding(session, customer=customer, owner=seller)
    desk = sit_down("front_desk", store)

    text = page_of(desk, customer) + stream_of(desk, customer)

    assert "Ownership" not in text
    assert "Touch: " not in text
    assert "Seller" not in text


def test_looks_at_the_phone_number_stand_in_the_stream_of_those_who_read_the_trail(
    session: Session, owner: Desk, store: Store, sit_down: Callable[..., Desk]
) -> None:
    customer = make_member(session, phone="+8613800001111", origin_store_id=store.id)
    session.commit()
    owner.post("/members/phone/", {"id": customer.id, "reason": "confirm an appointment"})
    manager = sit_down("store_manager", store)

    assert "confirm an appointment" in stream_of(owner, customer)
    assert "confirm an appointment" not in stream_of(manager, customer)


@pytest.mark.parametrize("path", ["details", "timeline"])
def test_a_customer_of_another_store_does_not_exist(
    session: Session, customer: Member, sit_down: Callable[..., Desk], path: str
) -> None:
    manager = sit_down("store_manager", make_store(session, "There store"))

    assert manager.get(f"/members/{path}/", id=customer.id).status_code == 404


def test_the_figures_at_the_head_are_those_of_the_orders(
    session: Session, owner: Desk, customer: Member, store: Store
) -> None:
    for price in (1_000, 2_000):
        make_order(
            session, member=customer, store=store, price_fen=price, state=OrderState.COMPLETED
        )
    make_order(session, member=customer, store=store, price_fen=4_000, state=OrderState.CREATED)
    session.commit()

    page = page_of(owner, customer)

    tiles = dict(re.findall(r'<span class="tile-name">([^<]+)</span><strong>(.*?)</strong>', page))
    assert tiles["Paid orders"] == "2"
    assert tiles["Paid in all"] == "¥30.00"
    assert tiles["Given back"] == "¥0.00"


def test_a_note_is_written_on_the_page_and_shown_as_it_was_typed(
    session: Session, owner: Desk, customer: Member
) -> None:
    session.commit()

    owner.post(f"/members/form/note/?id={customer.id}", {"text": NASTY})

    assert session.scalars(sa.select(MemberNote.text)).all() == [NASTY]
    answer = owner.get("/members/details/", id=customer.id).get_data(as_text=True)
    assert "<script>alert" not in answer
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer


def test_a_note_is_struck_out_by_its_author_alone(
    session: Session, owner: Desk, customer: Member, sit_down: Callable[..., Desk]
) -> None:
    other = sit_down("operations")
    owner.post(f"/members/form/note/?id={customer.id}", {"text": "Likes tea"})
    note = session.scalars(sa.select(MemberNote)).one()

    other.decide("notes", "strike", note.id)
    assert session.scalars(sa.select(MemberNote.struck_at)).all() == [None]
    assert any("Only its author" in text for text in other.flashes())
    owner.decide("notes", "strike", note.id)

    assert session.scalars(sa.select(MemberNote.struck_at)).all() != [None]
    assert "Note, struck out" in stream_of(owner, customer)
    assert "Likes tea" not in stream_of(owner, customer)


def test_many_customers_are_tagged_at_once_and_found_by_the_tag(
    session: Session, owner: Desk
) -> None:
    people = [make_member(session, nickname=f"Person {one}") for one in range(3)]
    tag = Tag(name="Bridal", created_at=NOON)
    session.add(tag)
    session.commit()

    owner.decide("members", "tag", people[0].id, people[1].id, tag_id=tag.id)

    page = owner.get("/members/", tag=tag.id).get_data(as_text=True)
    assert [name for name in ("Person 0", "Person 1", "Person 2") if name in page] == [
        "Person 0",
        "Person 1",
    ]
    owner.decide("members", "untag", people[0].id, tag_id=tag.id)
    assert session.scalars(sa.select(MemberTag.member_id)).all() == [people[1].id]


def test_a_tag_of_no_list_is_put_on_nobody(session: Session, owner: Desk, customer: Member) -> None:
    session.commit()

    owner.decide("members", "tag", customer.id, tag_id="999999")

    assert session.scalars(sa.select(MemberTag)).all() == []


def test_a_follow_up_is_planned_shown_as_due_and_done_with_a_word(
    session: Session, owner: Desk, customer: Member, store: Store
) -> None:
    session.commit()
    fields = {"what": "Call about the card", "due_on": "2999-01-01", "store_id": store.id}

    refused = owner.post(f"/members/form/follow-up/?id={customer.id}", fields)
    assert "within two years" in refused.get_data(as_text=True)
    assert session.scalars(sa.select(FollowUp)).all() == []

    soon = (database_now() + timedelta(days=1)).date().isoformat()
    owner.post(f"/members/form/follow-up/?id={customer.id}", {**fields, "due_on": soon})
    task = session.scalars(sa.select(FollowUp)).one()
    assert (task.store_id, task.assignee_id) == (store.id, None)
    assert "Call about the card" in owner.get("/follow_ups/", due="open").get_data(as_text=True)
    assert "Call about the card" not in owner.get("/follow_ups/", due="overdue").get_data(
        as_text=True
    )

    owner.decide("follow_ups", "done", task.id, note="Comes on Friday")

    session.refresh(task)
    assert (task.state, task.note) == (FollowUpState.DONE, "Comes on Friday")
    assert "Comes on Friday" in stream_of(owner, customer)


def test_a_colleague_of_another_store_cannot_be_given_a_follow_up(
    session: Session, customer: Member, store: Store, sit_down: Callable[..., Desk]
) -> None:
    stranger = make_staff(session, "front_desk", stores=[make_store(session)])
    manager = sit_down("store_manager", store)
    soon = (database_now() + timedelta(days=1)).date().isoformat()

    answer = manager.post(
        f"/members/form/follow-up/?id={customer.id}",
        {"what": "Call", "due_on": soon, "assignee_id": stranger.id},
    )

    assert "Please choose one from the list." in answer.get_data(as_text=True)
    assert session.scalars(sa.select(FollowUp)).all() == []


def test_the_answer_names_owner_way_and_end_as_they_stood_at_that_moment(
    session: Session, owner: Desk, customer: Member
) -> None:
    seller = make_distributor(session, make_member(session, nickname="Seller"))
    make_binding(session, customer=customer, owner=seller, valid_from_at=NOON)
    session.commit()

    held = page_of(owner, customer, owned_at="2026-03-01T20:00:01")
    before = page_of(owner, customer, owned_at="2026-03-01T19:59:59")

    assert "On 2026-03-01 20:00 Customer belonged to Seller." in held
    assert "Won on 2026-03-01 20:00 by a touch of a share code (Poster, channel “Channel" in held
    assert "No purchase had locked this yet: without one it ends on 2026-03-31 20:00." in held
    assert "A touch binds for 30 days." in held
    assert "belonged to nobody but the brand" in before


def test_the_orders_that_fell_to_that_owner_stand_below_the_answer(
    session: Session, owner: Desk, customer: Member, store: Store
) -> None:
    seller = make_distributor(session, make_member(session, nickname="Seller"))
    binding = make_binding(session, customer=customer, owner=seller, valid_from_at=NOON)
    order = make_order(
        session, member=customer, store=store, owner=seller, binding=binding, now=NOON + HOUR
    )
    session.commit()

    page = page_of(owner, customer, owned_at="2026-03-01T21:00:01")

    section = page.split("Orders that fell to that owner")[-1].split("</section>")[0]
    assert order.number in section


@pytest.mark.parametrize("at", ["nonsense", "9999-12-31T23:59", "0001-01-01T00:00", ""])
def test_a_moment_that_makes_no_sense_asks_about_now_or_finds_nobody(
    session: Session, owner: Desk, customer: Member, at: str
) -> None:
    session.commit()

    assert "belonged to nobody but the brand" in page_of(owner, customer, owned_at=at)


def test_an_owner_of_another_store_is_not_named_in_the_answer(
    session: Session, customer: Member, store: Store, sit_down: Callable[..., Desk]
) -> None:
    elsewhere = make_store(session, "There store")
    seller = make_distributor(
        session, make_member(session, nickname="Foreign seller"), store_id=elsewhere.id
    )
    make_binding(session, customer=customer, owner=seller, valid_from_at=NOON)
    manager = sit_down("store_manager", store)

    page = page_of(manager, customer, owned_at="2026-03-02T12:00")

    assert "Foreign seller" not in page
    assert "belonged to Other store" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"owner": "SELLER"}, ["Owned"]),
        ({"owner": "999999"}, []),
        ({"owner": "abc"}, []),
        ({"last": "lately"}, ["Owned"]),
        ({"last": "asleep"}, ["Sleeping"]),
        ({"follow_up": "due"}, ["Sleeping"]),
        ({"follow_up": "mine"}, []),
    ],
)
def test_customers_are_found_by_owner_last_order_and_what_is_due(
    session: Session, owner: Desk, query: dict[str, str], found: list[str]
) -> None:
    now = database_now()
    seller = make_distributor(session, make_member(session, nickname="Seller"))
    owned = make_member(session, nickname="Owned", first_paid_at=now)
    asleep = make_member(session, nickname="Sleeping", first_paid_at=NOON - 365 * 24 * HOUR)
    make_binding(session, customer=owned, owner=seller, valid_from_at=now - HOUR)
    make_order(session, member=owned, state=OrderState.PAID, now=now - HOUR)
    author = make_staff(session)
    session.add(
        FollowUp(
            member_id=asleep.id,
            what="Call",
            due_on=now.date() - timedelta(days=2),
            assignee_id=author.id,
            state=FollowUpState.OPEN,
            author_id=author.id,
            created_at=NOON,
        )
    )
    session.commit()
    asked = {
        key: str(seller.member_id) if value == "SELLER" else value for key, value in query.items()
    }

    page = owner.get("/members/", **asked).get_data(as_text=True)

    assert [name for name in ("Owned", "Sleeping") if f">{name}<" in page] == found


def test_what_staff_write_is_in_the_trail_without_its_words(
    session: Session, owner: Desk, customer: Member
) -> None:
    session.commit()
    owner.post(f"/members/form/note/?id={customer.id}", {"text": "private words"})

    record = session.scalars(
        sa.select(AuditRecord).where(AuditRecord.action == "note_written")
    ).one()
    assert (record.subject_id, record.actor_id) == (customer.id, owner.staff_id)
    assert "private words" not in str((record.before, record.after, record.reason))

"""A segment's SQL against a filter that looks at everybody, over random customers and rules."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from app.interactions.errors import SegmentInvalid
from app.interactions.rules import SegmentRule, members_of
from app.interactions.segments import preview
from app.members.file_models import MemberTag, Tag
from app.members.models import Member, MemberStore
from app.orders.models import Order
from app.orders.states import OrderState
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_staff, make_store
from tests.thoroughness import examples

PEOPLE = 8
days = st.integers(1, 400)
people = st.lists(
    st.fixed_dictionaries(
        {
            "birthday": st.none() | st.dates(date(1960, 1, 1), date(2010, 12, 31)),
            "registered": days,
            "store": st.none() | st.integers(0, 1),
            "tags": st.sets(st.integers(0, 1)),
            "orders": st.lists(st.tuples(days, st.integers(1, 5)), max_size=2),
            "left": st.booleans(),
        }
    ),
    min_size=1,
    max_size=PEOPLE,
)
rules = st.fixed_dictionaries(
    {},
    optional={
        "birthday_months": st.lists(st.integers(1, 12), min_size=1, max_size=6, unique=True),
        "paid": st.sampled_from(["ever", "never"]),
        "not_paid_days": days,
        "paid_days": days,
        "registered_days": days,
        "spent_from_fen": st.integers(0, 600),
        "store_ids": st.lists(st.integers(0, 1), min_size=1, max_size=2, unique=True),
        "tag_ids": st.lists(st.integers(0, 1), min_size=1, max_size=2, unique=True),
        "without_tag_ids": st.lists(st.integers(0, 1), min_size=1, max_size=2, unique=True),
    },
)


class World:
    """Two stores, two tags, and whoever a test draws."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.stores = [make_store(session) for _ in range(2)]
        self.staff = make_staff(session)
        self.tags = [Tag(name=f"tag {number}", created_at=NOON) for number in range(2)]
        session.add_all(self.tags)
        session.flush()

    def put(self, facts: dict[str, Any]) -> Member:
        store = None if facts["store"] is None else self.stores[facts["store"]]
        member = make_member(
            self.session,
            registered_at=NOON - timedelta(days=facts["registered"]),
            origin_store_id=None if store is None else store.id,
        )
        member.birthday_on = facts["birthday"]
        for number in facts["tags"]:
            self.session.add(
                MemberTag(
                    member_id=member.id,
                    tag_id=self.tags[number].id,
                    staff_id=self.staff.id,
                    tagged_at=NOON,
                )
            )
        for ago, yuan in facts["orders"]:
            at = NOON - timedelta(days=ago)
            make_order(self.session, member=member, price_fen=yuan * 100, now=at)
            member.first_paid_at = min(member.first_paid_at or at, at)
        member.deleted_at = NOON if facts["left"] else None
        self.session.flush()
        return member

    def named(self, rule: dict[str, Any]) -> dict[str, Any]:
        ids: dict[str, list[Any]] = {
            "store_ids": self.stores,
            "tag_ids": self.tags,
            "without_tag_ids": self.tags,
        }
        return {
            name: [ids[name][one].id for one in value] if name in ids else value
            for name, value in rule.items()
        }


def naive(session: Session, member: Member, rule: dict[str, Any], now: datetime) -> bool:
    """Ask one customer every question in plain words."""
    orders = session.scalars(
        sa.select(Order).where(Order.member_id == member.id, Order.paid_at.is_not(None))
    ).all()
    paid = [one.paid_at for one in orders if one.paid_at is not None]
    stores = set(
        session.scalars(sa.select(MemberStore.store_id).where(MemberStore.member_id == member.id))
    )
    tags = set(session.scalars(sa.select(MemberTag.tag_id).where(MemberTag.member_id == member.id)))
    birthday = member.birthday_on

    def since(name: str) -> datetime:
        return now - timedelta(days=rule[name])

    questions: dict[str, Callable[[], bool]] = {
        "birthday_months": lambda: (
            birthday is not None and birthday.month in rule["birthday_months"]
        ),
        "paid": lambda: bool(paid) == (rule["paid"] == "ever"),
        "not_paid_days": lambda: bool(paid) and max(paid) < since("not_paid_days"),
        "paid_days": lambda: bool(paid) and max(paid) >= since("paid_days"),
        "registered_days": lambda: member.registered_at >= since("registered_days"),
        "spent_from_fen": lambda: sum(one.paid_fen for one in orders) >= rule["spent_from_fen"],
        "store_ids": lambda: bool(stores & set(rule["store_ids"])),
        "tag_ids": lambda: bool(tags & set(rule["tag_ids"])),
        "without_tag_ids": lambda: not tags & set(rule["without_tag_ids"]),
    }
    return member.deleted_at is None and all(questions[name]() for name in rule)


@settings(
    max_examples=examples(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=people, rule=rules, of_store=st.booleans())
def test_a_segment_means_exactly_whom_a_naive_filter_finds(
    session: Session, drawn: list[dict[str, Any]], rule: dict[str, Any], of_store: bool
) -> None:
    nested = session.begin_nested()
    try:
        world = World(session)
        members = [world.put(one) for one in drawn]
        asked = world.named(rule)
        store_id = world.stores[0].id if of_store else None
        own = {} if store_id is None else {"store_ids": [store_id]}

        found = set(
            session.scalars(members_of(SegmentRule.read(asked), store_id=store_id, now=NOON))
        )

        expected = {
            one.id
            for one in members
            if naive(session, one, asked, NOON) and (not own or naive(session, one, own, NOON))
        }
        assert found == expected
        seen = preview(session, SegmentRule.read(asked), store_id=store_id, now=NOON)
        assert (seen.people, set(seen.sample)) == (len(expected), expected)
    finally:
        nested.rollback()
        session.expire_all()


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"no_such": 1}, "no_such"),
        ({"paid": "sometimes"}, "paid"),
        ({"birthday_months": [13]}, "birthday_months"),
        ({"not_paid_days": 0}, "not_paid_days"),
        ({"store_ids": list(range(1, 60))}, "store_ids"),
        ({"tag_ids": ["1; DROP TABLE members"]}, "tag_ids"),
        ({"spent_from_fen": 2, "spent_to_fen": 1}, "spent_from_fen"),
        (7, "spent_from_fen"),
    ],
)
def test_a_rule_that_cannot_be_read_names_its_field(document: Any, field: str) -> None:
    with pytest.raises(SegmentInvalid) as refused:
        SegmentRule.read(document)

    assert refused.value.field == field


def test_a_rule_is_stored_without_what_it_does_not_ask() -> None:
    assert SegmentRule.read({"paid": "ever", "tag_ids": []}).document() == {"paid": "ever"}


def test_only_paid_orders_are_spending(session: Session) -> None:
    member = make_member(session)
    make_order(session, member=member, state=OrderState.CREATED)

    rule = SegmentRule.read({"spent_from_fen": 1})

    assert session.scalars(members_of(rule, store_id=None, now=NOON)).all() == []

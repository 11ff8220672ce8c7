"""Each invariant of activities finds what breaks it, and nothing in what holds."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.activities import bargains, groups
from app.activities.states import ActivityKind
from app.operations import invariants
from app.settings import Settings
from tests.factories.activities import NOON, make_deal, pay_for, purchase
from tests.factories.people import make_member, make_store

CODES = {"F4a", "F4b", "F4c", "F4d", "F4e", "F4f", "F4g", "B10a"}

BREAKS = {
    "F4a": "UPDATE activity_items SET sold = sold + 1",
    "F4b": "UPDATE activity_tallies SET taken = taken + 1",
    "F4c": "UPDATE activities SET taken = taken + 1 WHERE limit_total IS NOT NULL",
    "F4d": "UPDATE buying_groups SET state = 'complete', ended_at = opened_at",
    "F4e": "UPDATE group_seats SET state = 'left', left_at = at",
    "F4f": "UPDATE activity_entries SET state = 'kept' WHERE order_id IS NOT NULL",
    "F4g": "UPDATE bargains SET cut_fen = cut_fen + 1, parts_cut = parts_cut + 1",
    "B10a": "UPDATE activities SET state = 'ended'",
}


def found(session: Session) -> set[str]:
    session.flush()
    return {one.code for one in invariants.check(session) if one.count} & CODES


@pytest.fixture(autouse=True)
def _trade(session: Session, settings: Settings) -> None:
    """A group of which one has paid, and a bargain with a cut."""
    store = make_store(session)
    item = make_deal(session, store, ActivityKind.GROUP_BUY, rules={"size": 3}, limit_total=9)
    group, first = groups.open_group(
        session, item.id, purchase(make_member(session), store), settings=settings, now=NOON
    )
    groups.join(
        session, group.code, purchase(make_member(session), store), settings=settings, now=NOON
    )
    pay_for(session, first, settings=settings, now=NOON)
    cheap = make_deal(session, store, ActivityKind.BARGAIN, price_fen=6_000)
    bargain = bargains.start(
        session, cheap.id, member_id=make_member(session).id, store_id=store.id, now=NOON
    )
    bargains.cut(session, bargain.code, helper_id=make_member(session).id, now=NOON)
    session.commit()


def test_what_services_write_breaks_nothing(session: Session) -> None:
    assert found(session) == set()


@pytest.mark.parametrize(("code", "statement"), BREAKS.items(), ids=list(BREAKS))
def test_each_invariant_finds_what_breaks_it(session: Session, code: str, statement: str) -> None:
    session.execute(sa.text(statement))

    assert code in found(session)

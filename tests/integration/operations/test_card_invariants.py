"""The audit finds whatever is wrong with guest cards, and nothing in what is whole.

Constraints and triggers keep the product from breaking any of it, so it is broken as the owner of
the tables with triggers and constraints off, in a transaction that is undone.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, cast

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.guest_cards import ending
from app.kernel.audit import SYSTEM
from app.kernel.db import db
from app.operations import invariants
from app.operations.card_statements import CARD_STATEMENTS
from app.settings import Settings
from tests.factories.guest_cards import (
    claimed_card,
    make_template,
    missable_booking,
    shared_card,
    used,
)
from tests.factories.people import NOON, make_store
from tests.servers import Services

CODES: Final = {code for code, _says, _statement in CARD_STATEMENTS} | {"B10g"}

BREAKS: Final = {
    "a time more than was granted": (
        (
            "ALTER TABLE guest_card_items DROP CONSTRAINT ck_guest_card_items_all_told;"
            " UPDATE guest_card_items SET remaining = remaining + 1 WHERE used = 1"
        ),
        {"B31"},
    ),
    "a card that is over with something left": (
        "UPDATE guest_card_items SET remaining = 1, voided = voided - 1 WHERE voided > 0",
        {"B31"},
    ),
    "a use without its row": ("DELETE FROM guest_card_uses", {"B31u"}),
    "a use of somebody else": (
        "UPDATE guest_card_uses SET member_id = (SELECT max(giver_id) FROM guest_cards)",
        {"B31u"},
    ),
    "a quota that counts one too many": (
        "UPDATE guest_card_quotas SET taken = taken + 1 WHERE taken < granted",
        {"B31q"},
    ),
    "a booked card without a booking": ("DELETE FROM guest_card_bookings", {"B31b"}),
    "a time that counts one too many": (
        "UPDATE guest_card_slots SET taken = taken + 1",
        {"B31b"},
    ),
    "a card in the giver's own hands": (
        (
            "ALTER TABLE guest_cards DROP CONSTRAINT ck_guest_cards_not_own;"
            " UPDATE guest_cards SET member_id = giver_id WHERE member_id IS NOT NULL"
        ),
        {"B31o"},
    ),
    "two cards of one kind for one person": (
        (
            "DROP INDEX uq_guest_cards_one_each; UPDATE guest_cards SET template_id ="
            " (SELECT min(id) FROM guest_card_templates), member_id = (SELECT min(member_id) FROM"
            " guest_cards) WHERE member_id IS NOT NULL"
        ),
        {"B31o"},
    ),
    "staff who were not assigned": (
        (
            "ALTER TABLE guest_card_uses DROP CONSTRAINT ck_guest_card_uses_assigned;"
            " UPDATE guest_card_uses SET store_ids = '{0}'"
        ),
        {"B33c"},
    ),
    "a use after the end": (
        "UPDATE guest_card_uses SET at = at + interval '1 year'",
        {"B33c"},
    ),
    "a card from nowhere": ("DELETE FROM guest_card_steps WHERE event = 'claim'", {"B10g"}),
}


@pytest.fixture
def owner(app: Flask, services: Services) -> Iterator[Session]:
    """The app's session as the owner of the tables, in a transaction that is undone."""
    made = sa.create_engine(services.owner_database_url)
    with app.app_context():
        engines = cast("dict[str | None, Any]", db.engines)
        usual, connection = db.engine, made.connect()
        outer = connection.begin()
        engines[None] = connection
        try:
            yield db.session()
        finally:
            db.session.remove()
            outer.rollback()
            connection.close()
            made.dispose()
            engines[None] = usual


def _live(session: Session, settings: Settings) -> None:
    """Cards in every state, one of them used in part and another booked."""
    store = make_store(session)
    used(session, claimed_card(session, settings, template=make_template(session, uses=3)), store)
    used(session, claimed_card(session, settings), store)
    booked = claimed_card(session, settings)
    missable_booking(session, booked, store, now=NOON + timedelta(minutes=10))
    revoked = claimed_card(session, settings)
    ending.revoke(session, revoked.id, reason="by mistake", actor=SYSTEM, now=NOON)
    shared_card(session, settings, now=NOON - timedelta(days=2))
    ending.lapse(session, now=NOON, limit=9)
    shared_card(session, settings)
    session.commit()


def _broken(session: Session) -> set[str]:
    return {one.code for one in invariants.check(session) if one.code in CODES and one.count}


def test_whatever_breaks_a_promise_about_guest_cards_is_found(
    owner: Session, settings: Settings
) -> None:
    _live(owner, settings)
    sound = _broken(owner)
    missed = {}
    for what, (written, codes) in BREAKS.items():
        owner.commit()
        with owner.begin_nested() as undone:
            owner.execute(sa.text("SET LOCAL session_replication_role = replica"))
            for statement in written.split(";"):
                owner.execute(sa.text(statement))
            found = _broken(owner)
            undone.rollback()
        if not codes <= found:
            missed[what] = codes - found

    assert sound == set()
    assert missed == {}
    assert {code for _, codes in BREAKS.values() for code in codes} == CODES

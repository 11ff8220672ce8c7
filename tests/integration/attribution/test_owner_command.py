"""`flask owner-of` answers as the history does."""

import json
from datetime import timedelta

from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.people import NOON, make_binding, make_distributor, make_member


def ask(app: Flask, *arguments: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["owner-of", *arguments])
    return result.exit_code, result.output


def test_it_tells_owner_touch_rule_and_steps_at_a_moment(app: Flask, session: Session) -> None:
    customer, seller = make_member(session), make_distributor(session)
    binding = make_binding(session, customer=customer, owner=seller, valid_from_at=NOON)
    session.commit()

    code, text = ask(app, str(customer.id), "--at", "2026-03-01T20:00:01", "--json")

    told = json.loads(text)
    assert code == 0
    assert (told["owner_distributor_id"], told["binding_id"]) == (seller.member_id, binding.id)
    assert (told["state"], told["source"]) == ("soft", "poster")
    assert told["valid_until_at"] == (NOON + timedelta(days=30)).isoformat()
    assert told["rule"]["binding_soft_seconds"] == 30 * 86_400
    assert [step["event"] for step in told["steps"]] == ["bound"]


def test_before_the_touch_nobody_owned_the_customer(app: Flask, session: Session) -> None:
    customer = make_member(session)
    make_binding(session, customer=customer, valid_from_at=NOON)
    session.commit()

    _, text = ask(app, str(customer.id), "--at", "2026-03-01T19:59:59", "--json")

    told = json.loads(text)
    assert (told["owner_distributor_id"], told["owner_store_id"], told["steps"]) == (None, None, [])


def test_what_cannot_be_answered_is_refused_by_name(app: Flask, session: Session) -> None:
    customer = make_member(session)
    session.commit()

    assert ask(app, "999999") == (1, "Error: There is no member 999999.\n")
    code, text = ask(app, str(customer.id), "--at", "yesterday")
    assert (code, text) == (1, "Error: A moment is written as 2026-11-03T14:05.\n")

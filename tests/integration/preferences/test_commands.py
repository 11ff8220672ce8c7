"""Whoever runs the installation sees and changes settings at the command line."""

import json

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from app import access
from app.kernel.audit import AuditRecord
from app.preferences.models import SettingChange


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["settings", *words])


def test_a_setting_is_changed_with_a_reason_and_audited_as_the_systems(
    app: Flask, session: Session
) -> None:
    done = run(app, "set", "payout_min_fen", "700", "--reason", "a new contract")

    assert done.exit_code == 0, done.output
    assert "payout_min_fen: ¥1.00 -> ¥7.00 from " in done.output
    assert access.settings().payout_min_fen == 700
    record = session.scalars(sa.select(AuditRecord)).one()
    assert (record.actor_kind, record.action, record.reason) == (
        "system",
        "setting.changed",
        "a new contract",
    )


def test_the_list_and_the_history_tell_what_is_in_force(app: Flask, session: Session) -> None:
    run(app, "set", "refund_auto_approve", "false", "--reason", "too many")
    at = "2099-01-01T00:00"
    refused = run(app, "set", "code_misses_max", "9", "--at", at, "--reason", "later")

    listed = json.loads(run(app, "list", "--json").output)
    told = run(app, "history", "refund_auto_approve").output

    assert refused.exit_code == 1
    assert listed["refund_auto_approve"] == {"value": False, "default": True, "planned": []}
    assert "Yes -> No  system: too many" in told
    assert "refund_auto_approve" in run(app, "list").output


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("set", "code_misses_max", "2", "--reason", "why"), 1),
        (("set", "code_misses_max", "many", "--reason", "why"), 2),
        (("set", "refund_auto_approve", "maybe", "--reason", "why"), 2),
        (("set", "database_url", "1", "--reason", "why"), 2),
        (("set", "code_misses_max", "9"), 2),
        (("set", "code_misses_max", "9", "--reason", "why", "--at", "soon"), 2),
        (("set", "code_misses_max", "9", "--reason", "why", "--at", "2020-01-01T00:00"), 1),
    ],
)
def test_what_cannot_be_changes_nothing(
    app: Flask, session: Session, words: tuple[str, ...], status: int
) -> None:
    assert run(app, *words).exit_code == status

    assert session.scalars(sa.select(SettingChange)).all() == []

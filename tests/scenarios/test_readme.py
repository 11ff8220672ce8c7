"""A reader who pastes README's story gets to its end, on a demo that proves itself."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award
from app.distribution.plan_records import Gift, GiftState, PlanPlace
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.payouts import services as payouts
from app.plans.models import Plan, PlanCheck, PlanVersion
from app.settings import Settings
from app.stores.models import Staff
from tests.scenarios.system import QUICK, whole_system
from tests.servers import CHECKOUT, Services

pytestmark = pytest.mark.commits
PATIENCE_SECONDS: Final = 180


def _story() -> tuple[str, str, str, str]:
    text = (CHECKOUT / "README.md").read_text()
    before, after = re.findall(r"<!-- story -->\n```sh\n(.*?)```", text, re.DOTALL)
    [at_the_counter] = re.findall(r"<!-- staff -->\n```sh\n(.*?)```", text, re.DOTALL)
    [card] = re.findall(r"<!-- card -->\n```sh\n(.*?)```", text, re.DOTALL)
    return before, card, at_the_counter, after


def test_the_story_of_the_readme_ends_with_a_confirmed_payout(
    session: Session, services: Services, settings: Settings, tmp_path: Path
) -> None:
    before, card, at_the_counter, after = _story()
    _flask(services, "seed", "--scenario", "demo")
    _prove_the_demo(session, services)
    script = f"set -eu\n{before}\n{card}\n{at_the_counter}\necho READY $PAYOUT\nread -r _\n{after}"

    with whole_system(services) as (base_url, sandbox):
        reader = subprocess.Popen(
            ["timeout", str(PATIENCE_SECONDS), "bash", "-c", script],
            env=os.environ
            | {"API": f"{base_url}/api/v1", "WECHAT": f"{sandbox.base_url}/sandbox"}
            | {"NO_PROXY": "127.0.0.1"},
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with reader:
            assert reader.stdin is not None
            assert reader.stdout is not None
            payout_id = _until_ready(reader.stdout)
            _approve(session, payout_id, settings)
            reader.stdin.write("\n")
            reader.stdin.flush()
            told = reader.stdout.read()

    assert reader.returncode == 0, told
    assert told.strip().endswith("succeeded")
    assert (tmp_path / "qr.png").read_bytes().startswith(b"\x89PNG")


def _prove_the_demo(session: Session, services: Services) -> None:
    """Decide all of it again, check every invariant, and look whether each plan has a life."""
    assert json.loads(_flask(services, "replay", "--json"))["differences"] == []
    assert json.loads(_flask(services, "audit", "--json"))["ok"] is True
    states = session.execute(
        sa.select(Plan.model, PlanVersion.state).join(Plan).order_by(PlanVersion.id)
    )
    assert [(model, state.value) for model, state in states] == [
        ("CHANNEL_TWO_LEVEL", "published"),
        ("SHARING_SHAREHOLDERS", "published"),
        ("THREE_FISSION", "published"),
        ("CHAIN_2_1", "published"),
        ("CHANNEL_TWO_LEVEL", "simulated"),
        ("THREE_MATRIX", "draft"),
    ]
    findings = session.scalars(sa.select(PlanCheck.findings).order_by(PlanCheck.id.desc())).first()
    assert {"C1", "C2", "C8", "C9"} <= {one["rule"] for one in findings or ()}
    paid = session.scalars(sa.select(Award.kind).distinct()).all()
    assert set(paid) == {"L1", "L2", "COMMISSION", "POOL", "DIRECT", "TEAM"}
    gifts = session.execute(sa.select(Gift.kind, Gift.state)).all()
    assert ("ROUND", GiftState.DUE) in gifts
    roles = session.scalars(sa.select(PlanPlace.facts["role"].astext)).all()
    assert roles.count("BOSS") == 1
    session.rollback()


def _flask(services: Services, *command: str) -> str:
    """Run a command as the reader does, on the demo; it has to end well."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", *command],
        env=services.env | QUICK | {"DEMO": "true"},
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def _until_ready(lines: IO[str]) -> int:
    told = []
    for line in lines:
        told.append(line)
        if line.startswith("READY "):
            return int(line.split()[1])
    raise AssertionError("".join(told))


def _approve(session: Session, payout_id: int, settings: Settings) -> None:
    """Do what the reader does in the back office."""
    finance_id = session.scalars(
        sa.select(Staff.id).where(Staff.email == "finance@demo.tuoke")
    ).one()
    now = database_now()
    with atomic() as transaction:
        payouts.approve(
            transaction, payout_id, actor=Actor("staff", finance_id), settings=settings, now=now
        )

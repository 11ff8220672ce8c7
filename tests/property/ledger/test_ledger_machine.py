"""The ledger against a model of a few dictionaries, in any order of facts and repetitions."""

from datetime import UTC, datetime
from itertools import count
from typing import cast

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.ledger import services as ledger
from app.ledger.queries import balance, balances
from app.ledger.transfers import (
    COMMISSION_EXPENSE,
    WECHAT_PAID_OUT,
    Transfer,
    available,
    claw_back,
    credit,
    in_transit,
    pending,
)
from app.operations import invariants
from tests.factories.people import make_member
from tests.thoroughness import examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMOUNTS = st.integers(1, 1_000)
WHO = st.integers(0, 2)
LEDGER_CODES = {"B1", "B2", "B3", "B4", "B5", "B21"}
_keys = count(1)


class LedgerMachine(RuleBasedStateMachine):
    """Three members earn, mature, are paid and give back."""

    keys = Bundle("keys")

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.members = [make_member(session).id for _ in range(3)]
        self.pending = [0, 0, 0]
        self.available = [0, 0, 0]
        self.in_transit = [0, 0, 0]
        self.debt = [0, 0, 0]
        # The account of the brand goes on from one history to the next: they share a transaction.
        self.paid_out = balance(session, WECHAT_PAID_OUT)

    @initialize(target=keys)
    def start(self) -> object:
        return multiple()

    def _post(self, transfers: list[Transfer]) -> tuple[str, list[Transfer]]:
        key = f"machine:{next(_keys)}"
        assert ledger.post(self.session, key, transfers, now=NOON)
        return key, transfers

    @rule(target=keys, who=WHO, amount=AMOUNTS)
    def earn(self, who: int, amount: int) -> object:
        self.pending[who] += amount
        return self._post([Transfer(COMMISSION_EXPENSE, pending(self.members[who]), amount)])

    @rule(target=keys, who=WHO, share=st.integers(1, 4))
    def mature(self, who: int, share: int) -> object:
        amount = self.pending[who] // share
        if amount == 0:
            return multiple()
        member, owed = self.members[who], self.debt[who]
        repaid = min(owed, amount)
        self.pending[who] -= amount
        self.debt[who] -= repaid
        self.available[who] += amount - repaid
        return self._post(credit(member, pending(member), amount, debt_fen=owed))

    @rule(target=keys, who=WHO, amount=AMOUNTS)
    def reserve(self, who: int, amount: int) -> object:
        member = self.members[who]
        move = [Transfer(available(member), in_transit(member), amount)]
        if amount > self.available[who]:
            with pytest.raises(IntegrityError), self.session.begin_nested():
                ledger.post(self.session, f"machine:{next(_keys)}", move, now=NOON)
            return multiple()
        self.available[who] -= amount
        self.in_transit[who] += amount
        return self._post(move)

    @rule(target=keys, who=WHO)
    def pay_out(self, who: int) -> object:
        amount = self.in_transit[who]
        if amount == 0:
            return multiple()
        self.in_transit[who] = 0
        self.paid_out += amount
        return self._post([Transfer(in_transit(self.members[who]), WECHAT_PAID_OUT, amount)])

    @rule(target=keys, who=WHO, amount=AMOUNTS)
    def give_back(self, who: int, amount: int) -> object:
        held = self.available[who]
        taken = min(held, amount)
        self.available[who] -= taken
        self.debt[who] += amount - taken
        return self._post(claw_back(self.members[who], amount, available_fen=held))

    @rule(fact=keys)
    def repeat(self, fact: tuple[str, list[Transfer]]) -> None:
        key, transfers = fact
        assert not ledger.post(self.session, key, transfers, now=NOON)

    @invariant()
    def accounts_hold_what_the_model_holds(self) -> None:
        for who, member in enumerate(self.members):
            held = balances(self.session, member)
            assert held.pending_fen == self.pending[who]
            assert held.available_fen == self.available[who]
            assert held.in_transit_fen == self.in_transit[who]
            assert held.debt_fen == self.debt[who]
        assert balance(self.session, WECHAT_PAID_OUT) == self.paid_out

    def teardown(self) -> None:
        findings = invariants.check(self.session)
        broken = [one for one in findings if one.code in LEDGER_CODES and one.count]
        assert broken == []


def test_the_ledger_is_its_model_whatever_happens(app: Flask, session: Session) -> None:
    run_state_machine_as_test(
        cast("type[RuleBasedStateMachine]", lambda: LedgerMachine(session)),
        settings=settings(
            max_examples=examples(25),
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

"""Withdrawals, refunds and a WeChat of every mood, in any order: nobody gains or loses a fen.

The model is one line: what someone may withdraw, less what they owe, is what matured for them less
what is under way and what WeChat's own books say they received.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import hypothesis
import sqlalchemy as sa
from hypothesis import Phase
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from app.distribution.models import Award
from app.kernel.audit import Actor
from app.kernel.db import atomic
from app.kernel.errors import DomainError
from app.ledger.queries import Balances, balances
from app.payouts import services
from app.payouts.models import Payout, PayoutBill
from app.payouts.recording import handle_transfer_notice, record_bill
from app.payouts.sending import Errand, begin_bill
from app.payouts.states import FINAL_BILL_STATES, BillState, PayoutState
from app.settings import Settings
from app.wechat.values import Notice, TransferReport, TransferState
from tests.factories.payouts import (
    NOON,
    broken_invariants,
    claw_back,
    make_actor,
    make_award,
    make_earner,
    openid_of,
)
from tests.property.payouts.wechat_books import Mood, WeChatBooks
from tests.thoroughness import examples

ENDS: dict[BillState, set[TransferState | None]] = {
    BillState.SUCCEEDED: {TransferState.SUCCESS},
    BillState.FAILED: {TransferState.FAIL, None},
    BillState.CANCELLED: {TransferState.CANCELLED, None},
}
LATER = [
    TransferState.WAIT_USER_CONFIRM,
    TransferState.TRANSFERRING,
    TransferState.SUCCESS,
    TransferState.FAIL,
    TransferState.CANCELLED,
]
ARRIVES_WITHIN_MINUTES = 5
"""A request reaches WeChat within `payout_not_found_seconds`, or never."""
DRAIN_ROUNDS_MAX = 30
ENOUGH_FEN = 20_000
"""Whoever has this much under way earns no more, so that runs are about payouts and not riches."""


class PayoutsMachine(RuleBasedStateMachine):
    """One earner, two approvers, any number of workers, and WeChat."""

    session: ClassVar[Session]
    settings: ClassVar[Settings]

    @initialize(amounts=st.lists(st.integers(100, 25_000), min_size=1, max_size=3))
    def begin(self, amounts: list[int]) -> None:
        self.now: datetime = NOON
        self.books = WeChatBooks()
        self.under_way: list[tuple[Errand, datetime]] = []
        self.unrecorded: list[tuple[Errand, TransferReport]] = []
        self.notices = 0
        with atomic() as session:
            self.earner = make_earner(session, *amounts)
            self.member_id = self.earner.member_id
            self.openid = openid_of(session, self.earner)
            self.staff = [make_actor(session) for _ in range(2)]
        self._withdraw(share=1)

    @rule(data=st.data(), what=st.sampled_from(["withdraw", "withdraw", "request", "decide"]))
    def someone_acts(self, data: st.DataObject, what: str) -> None:
        payouts = self._rows(Payout, self._mine())
        if what == "withdraw":
            self._withdraw(data.draw(st.sampled_from([1, 2, 3]), "share"))
        elif what == "request":
            self._ask_for(data.draw(st.integers(-1, 60_000), "fen"))
        elif payouts:
            decision = data.draw(st.sampled_from(["approve", "approve", "reject", "cancel"]))
            self._decide(decision, self._pick(data, payouts).id, data.draw(st.integers(0, 1)))

    @rule(data=st.data(), is_refund=st.booleans())
    def customers_act(self, data: st.DataObject, is_refund: bool) -> None:
        if is_refund:
            self._refund(data)
        elif self._under_way_fen() < ENOUGH_FEN:
            with atomic() as session:
                fen = data.draw(st.integers(100, 25_000), "fen")
                make_award(session, self.earner, fen, now=self.now)

    @rule(data=st.data(), mood=st.sampled_from(list(Mood)))
    def a_worker_does_it_all(self, data: st.DataObject, mood: Mood) -> None:
        errand = self._take_up(data)
        if errand is not None:
            self._record(errand, self.books.answer(errand, mood))

    @rule(
        data=st.data(),
        mood=st.sampled_from(list(Mood)),
        others=st.lists(st.sampled_from(list(Mood)), min_size=1, max_size=3),
        pause=st.sampled_from([0, 1, 5]),
    )
    def a_worker_is_overtaken(
        self, data: st.DataObject, mood: Mood, others: list[Mood], pause: int
    ) -> None:
        """The first to take a bill up is the last to record; it talks early or late."""
        errand = self._take_up(data)
        if errand is None:
            return
        report = self.books.answer(errand, mood) if pause >= ARRIVES_WITHIN_MINUTES else None
        self.now += timedelta(minutes=pause)
        for each in others:
            another = begin_bill(errand.bill_id, settings=self.settings, now=self.now)
            if another is not None:
                self._record(another, self.books.answer(another, each))
        self._record(errand, report or self.books.answer(errand, mood))

    @rule(data=st.data())
    def a_worker_takes_a_bill_up(self, data: st.DataObject) -> None:
        errand = self._take_up(data)
        if errand is not None:
            self.under_way.append((errand, self.now))

    @rule(data=st.data(), mood=st.sampled_from(list(Mood)), is_recorded=st.booleans())
    def a_worker_talks_to_wechat(self, data: st.DataObject, mood: Mood, is_recorded: bool) -> None:
        if not self.under_way:
            return
        errand, begun_at = self._take(data, self.under_way)
        if self.now - begun_at >= timedelta(minutes=ARRIVES_WITHIN_MINUTES):
            return
        report = self.books.answer(errand, mood)
        if is_recorded:
            self._record(errand, report)
        else:
            self.unrecorded.append((errand, report))

    @rule(data=st.data())
    def a_worker_records_late(self, data: st.DataObject) -> None:
        if self.unrecorded:
            self._record(*self._take(data, self.unrecorded))

    @rule(minutes=st.sampled_from([1, 2, 5, 60]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(data=st.data(), to=st.sampled_from(LATER))
    def wechat_moves_on(self, data: st.DataObject, to: TransferState) -> None:
        if not self.books.transfers:
            return
        number = self._pick(data, list(self.books.transfers))
        self.books.move_on(number, to)
        if self.books.transfers[number].has_ended and data.draw(st.booleans(), "tells"):
            self._notify(number, is_new=data.draw(st.booleans(), "is new"))

    @rule(data=st.data())
    def the_member_takes_a_bill_back(self, data: st.DataObject) -> None:
        if not (bills := self._bills()):
            return
        bill, member = self._pick(data, bills), Actor("member", self.member_id)
        self._try(
            lambda session: services.ask_cancel_bill(session, bill.id, actor=member, now=self.now)
        )

    # What must hold all the time.

    @invariant()
    def every_fen_is_somewhere(self) -> None:
        free_fen = self._free_fen()
        held = balances(self.session, self.member_id)
        assert held == Balances(0, max(free_fen, 0), self._under_way_fen(), max(-free_fen, 0))

    @invariant()
    def wechat_knows_what_we_believe(self) -> None:
        bills = {bill.number: bill for bill in self._bills()}
        assert set(self.books.transfers) <= set(bills)
        for number, booked in self.books.transfers.items():
            assert (booked.amount_fen, booked.openid) == (bills[number].amount_fen, self.openid)
        for number, bill in bills.items():
            if bill.state in FINAL_BILL_STATES:
                known = self.books.transfers.get(number)
                assert (known.state if known else None) in ENDS[bill.state], (number, bill.state)

    def teardown(self) -> None:
        """Let the faults stop and everybody finish: nothing may stay open or unpaid."""
        if not hasattr(self, "books"):
            return
        for _ in range(DRAIN_ROUNDS_MAX):
            if not self._open_bills():
                break
            self.now += timedelta(minutes=10)
            for bill_id in self._open_bills():
                errand = begin_bill(bill_id, settings=self.settings, now=self.now)
                if errand is not None:
                    self._record(errand, self.books.answer(errand, Mood.GOOD))
            self._let_wechat_finish()
        assert PayoutState.APPROVED not in {one.state for one in self._rows(Payout, self._mine())}
        assert self._paid_fen() == self.books.received_fen(self.openid)
        self.every_fen_is_somewhere()
        self.wechat_knows_what_we_believe()
        assert broken_invariants(self.session) == []

    # Helpers.

    def _withdraw(self, share: int) -> None:
        amount_fen = self._free_fen() // share
        if amount_fen >= self.settings.payout_min_fen:
            assert self._request(amount_fen) is None
            payout = self._rows(Payout, self._mine())[-1]
            for who in (0, 1):
                self._decide("approve", payout.id, who)

    def _ask_for(self, amount_fen: int) -> None:
        free_fen, before = self._free_fen(), self._count(Payout)

        error = self._request(amount_fen)

        may = self.settings.payout_min_fen <= amount_fen <= free_fen
        assert (error is None) == may, (error, amount_fen, free_fen)
        assert self._count(Payout) == before + may

    def _refund(self, data: st.DataObject) -> None:
        with atomic() as session:
            award = self._pick(data, self._rows(Award, Award.beneficiary_id == self.member_id))
            left = award.amount_fen - award.reversed_fen
            if left > 0:
                part = data.draw(st.integers(1, left), "fen")
                claw_back(session, award, part * 10, now=self.now)

    def _take_up(self, data: st.DataObject) -> Errand | None:
        if not (open_bills := self._open_bills()):
            return None
        return begin_bill(self._pick(data, open_bills), settings=self.settings, now=self.now)

    def _let_wechat_finish(self) -> None:
        for booked in self.books.transfers.values():
            if booked.state is TransferState.CANCELING:
                booked.state = TransferState.CANCELLED
            elif not booked.has_ended:
                booked.state = TransferState.SUCCESS

    def _request(self, amount_fen: int) -> DomainError | None:
        return self._try(
            lambda session: services.request(
                session,
                member_id=self.member_id,
                amount_fen=amount_fen,
                fresh_at=self.now,
                settings=self.settings,
                now=self.now,
            )
        )

    def _decide(self, what: str, payout_id: int, who: int) -> DomainError | None:
        actor, now = self.staff[who], self.now

        def act(session: Session) -> None:
            match what:
                case "approve":
                    services.approve(
                        session, payout_id, actor=actor, settings=self.settings, now=now
                    )
                case "reject":
                    services.reject(session, payout_id, actor=actor, reason="no", now=now)
                case _:
                    services.cancel(session, payout_id, member_id=self.member_id, now=now)

        return self._try(act)

    def _free_fen(self) -> int:
        return self._matured_fen() - self._under_way_fen() - self._paid_fen()

    def _record(self, errand: Errand, report: TransferReport) -> None:
        record_bill(errand.bill_id, report, errand=errand, settings=self.settings, now=self.now)

    def _notify(self, number: str, *, is_new: bool) -> None:
        self.notices += is_new
        notice = Notice(
            notice_id=f"{number}-{self.notices}",
            event_type="MCHTRANSFER.BILL.FINISHED",
            created_at=self.now,
            report=self.books.report(number),
        )
        assert handle_transfer_notice(notice, settings=self.settings, now=self.now)

    def _try(self, act: Any) -> DomainError | None:
        try:
            with atomic() as session:
                act(session)
        except DomainError as error:
            return error
        return None

    def _pick(self, data: st.DataObject, among: Any) -> Any:
        return among[data.draw(st.integers(0, len(among) - 1), "which")]

    def _take(self, data: st.DataObject, among: list[Any]) -> Any:
        return among.pop(data.draw(st.integers(0, len(among) - 1), "which"))

    def _mine(self) -> Any:
        return Payout.member_id == self.member_id

    def _rows(self, model: Any, *where: Any) -> list[Any]:
        return list(
            self.session.scalars(
                sa.select(model)
                .where(*where)
                .order_by(model.id)
                .execution_options(populate_existing=True)
            )
        )

    def _count(self, model: Any) -> int:
        return len(self._rows(model, self._mine()))

    def _bills(self) -> list[PayoutBill]:
        mine = sa.select(Payout.id).where(self._mine())
        return self._rows(PayoutBill, PayoutBill.payout_id.in_(mine))

    def _open_bills(self) -> list[int]:
        return [bill.id for bill in self._bills() if bill.due_at is not None]

    def _matured_fen(self) -> int:
        awards = self._rows(Award, Award.beneficiary_id == self.member_id)
        return sum(award.amount_fen - award.reversed_fen for award in awards)

    def _under_way_fen(self) -> int:
        return sum(b.amount_fen for b in self._bills() if b.state not in FINAL_BILL_STATES)

    def _paid_fen(self) -> int:
        return sum(b.amount_fen for b in self._bills() if b.state is BillState.SUCCEEDED)


# Shrinking a run against a database takes minutes; the steps are printed as they were.
def test_nobody_gains_or_loses_a_fen_whatever_happens(session: Session, settings: Settings) -> None:
    PayoutsMachine.session = session
    PayoutsMachine.settings = replace(
        settings,
        payout_second_approval_fen=30_000,
        transfer_member_day_fen=10**9,
        transfer_merchant_day_fen=10**12,
    )

    run_state_machine_as_test(
        PayoutsMachine,
        settings=hypothesis.settings(
            max_examples=examples(30),
            stateful_step_count=50,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )

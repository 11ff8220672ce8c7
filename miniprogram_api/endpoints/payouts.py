"""Withdrawals: asking for one, watching it, and what WeChat needs to let the receiver accept it."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel.db import db
from app.payouts import holds, queries, services
from app.payouts.models import Payout, PayoutBill
from app.payouts.states import BillState, PayoutState
from miniprogram_api import keyed
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Bilingual, Body, Fen, View, example
from miniprogram_api.keyed import Kept
from miniprogram_api.problems import both
from miniprogram_api.routing import Group

group = Group("payouts", about="Withdrawals of matured commission to WeChat balance.")


class PayoutRequest(Body):
    """How much to withdraw."""

    model_config = Body.model_config | example({"amount_fen": 10_000})

    amount_fen: Fen


class ConfirmationView(View):
    """What to hand to `wx.requestMerchantTransfer`, letter by letter."""

    mchId: str  # noqa: N815 - these names are WeChat's
    appId: str  # noqa: N815
    package: str


class BillView(View):
    """One transfer at WeChat. `confirmation` is there while the receiver has to accept it."""

    number: str
    amount_fen: int
    state: BillState
    reason: Bilingual | None
    confirmation: ConfirmationView | None

    @classmethod
    def of(cls, bill: PayoutBill) -> Self:
        """Show a bill, and how to accept it."""
        reason, confirmation = queries.explain_bill(bill), queries.confirmation(bill)
        return cls(
            number=bill.number,
            amount_fen=bill.amount_fen,
            state=bill.state,
            reason=None if reason is None else Bilingual(**both(reason)),
            confirmation=None if confirmation is None else ConfirmationView(**confirmation),
        )


class PayoutView(View):
    """A withdrawal with its transfers. It ends when all of them have ended."""

    model_config = View.model_config | example(
        {
            "id": 12,
            "number": "P20260310X8W2M4Q7RT0KZJ5N",
            "amount_fen": 10_000,
            "state": "requested",
            "needs_second_approval": False,
            "on_hold": False,
            "requested_at": "2026-03-10T02:00:00Z",
            "approved_at": None,
            "ended_at": None,
            "bills": [
                {
                    "number": "B20260310T5R9V1C3LMXQ8H2D",
                    "amount_fen": 10_000,
                    "state": "created",
                    "reason": None,
                    "confirmation": None,
                }
            ],
        }
    )

    id: int
    number: str
    amount_fen: int
    state: PayoutState
    needs_second_approval: bool
    on_hold: Annotated[
        bool, Field(description="The brand is looking into something first; nothing is lost")
    ]
    requested_at: datetime
    approved_at: datetime | None
    ended_at: datetime | None
    bills: list[BillView]

    @classmethod
    def of(cls, session: Session, payout: Payout) -> Self:
        """Show a payout whose bills are loaded."""
        waits = payout.ended_at is None and bool(holds.held(session, [payout.member_id]))
        return cls(
            id=payout.id,
            number=payout.number,
            amount_fen=payout.amount_fen,
            state=payout.state,
            needs_second_approval=payout.needs_second_approval,
            on_hold=waits,
            requested_at=payout.requested_at,
            approved_at=payout.approved_at,
            ended_at=payout.ended_at,
            bills=[BillView.of(bill) for bill in payout.bills],
        )


class PayoutsView(View):
    """A page of withdrawals, the newest first."""

    items: list[PayoutView]
    next_cursor: str | None


class PayoutsQuery(PageQuery):
    """Which withdrawals."""

    state: Annotated[PayoutState | None, Field(description="Only withdrawals in this state")] = None


@group.operation("GET", "/distributor/payouts")
def list_payouts(query: PayoutsQuery) -> PayoutsView:
    """List the caller's withdrawals, the newest first."""
    session = db.session()
    rows = queries.payouts_page(
        session,
        member_id=caller().member_id,
        states=() if query.state is None else (query.state,),
        after=query.after,
        limit=query.one_more,
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return PayoutsView(
        items=[PayoutView.of(session, row) for row in shown], next_cursor=next_cursor
    )


@group.operation("POST", "/distributor/payouts")
def request_payout(body: PayoutRequest) -> Kept[PayoutView]:
    """Withdraw matured commission.

    Moves money, so the last sign-in must be a few minutes old at most: call
    `POST /session/refresh` first. The brand approves it before it is sent.
    """
    now, who = moment(), caller()

    def act(session: Session) -> PayoutView:
        payout = services.request(
            session,
            member_id=who.member_id,
            amount_fen=body.amount_fen,
            fresh_at=who.signed_in_at,
            settings=settings(),
            now=now,
        )
        return PayoutView.of(session, payout)

    return keyed.once(act, body, now=now)


@group.operation("GET", "/distributor/payouts/<id:payout_id>")
def show_payout(payout_id: int) -> PayoutView:
    """Show one withdrawal, with what WeChat needs where the caller has to accept a transfer."""
    session = db.session()
    return PayoutView.of(
        session, queries.payout_for_member(session, payout_id, member_id=caller().member_id)
    )


@group.operation("POST", "/distributor/payouts/<id:payout_id>/cancel")
def cancel_payout(payout_id: int) -> PayoutView:
    """Take a withdrawal back, as long as the brand has not approved it."""
    now, who = moment(), caller()
    return at_once(
        lambda session: PayoutView.of(
            session, services.cancel(session, payout_id, member_id=who.member_id, now=now)
        )
    )

"""A distributor's own disputes about who owns a customer. The brand decides them."""

from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from app.attribution import disputes
from app.attribution.dispute_models import DisputeState, OwnershipDispute
from app.attribution.disputes import CLAIM_LENGTH_MIN
from app.kernel.db import db
from miniprogram_api.acting import moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Body, RowId, View, example, printable
from miniprogram_api.keyed import Kept, once
from miniprogram_api.routing import Group

group = Group("disputes", about="Claims that a customer is the caller's; the brand decides them.")

CLAIM_LENGTH_HERE: Final = 400
"""What people type on a phone; staff write longer ones for them."""
ClaimText = Annotated[
    str,
    Field(min_length=CLAIM_LENGTH_MIN, max_length=CLAIM_LENGTH_HERE),
    AfterValidator(printable),
]


class DisputeBody(Body):
    """Whose owner is contested, and on what grounds."""

    model_config = Body.model_config | example(
        {"customer_id": 31, "claim": "周五晚上她在店里扫了我的码，当时页面没有打开。"}
    )

    customer_id: Annotated[
        RowId, Field(description="Somebody who was the caller's before or touched their code")
    ]
    claim: ClaimText


class DisputeView(View):
    """One dispute. What is decided holds from then on; orders made before keep their owner."""

    model_config = View.model_config | example(
        {
            "id": 4,
            "customer_id": 31,
            "claim": "周五晚上她在店里扫了我的码，当时页面没有打开。",
            "state": "open",
            "opened_at": "2026-11-22T12:00:00Z",
            "ended_at": None,
            "decision_reason": None,
        }
    )

    id: int
    customer_id: int
    claim: str
    state: DisputeState
    opened_at: datetime
    ended_at: datetime | None
    decision_reason: str | None

    @classmethod
    def of(cls, row: OwnershipDispute) -> Self:
        """Show a dispute to its claimant."""
        return cls(
            id=row.id,
            customer_id=row.customer_id,
            claim=row.claim,
            state=row.state,
            opened_at=row.opened_at,
            ended_at=row.ended_at,
            decision_reason=row.decision_reason or None,
        )


class DisputesView(View):
    """A page of disputes, the newest first."""

    items: list[DisputeView]
    next_cursor: str | None


@group.operation("POST", "/distributor/disputes", status=201)
def open_dispute(body: DisputeBody) -> Kept[DisputeView]:
    """Contest, as of now, who owns a customer; nothing changes before the brand decides."""
    now, who = moment(), caller()

    def act(session: Session) -> DisputeView:
        row = disputes.open_own_dispute(
            session, who.member_id, customer_id=body.customer_id, text=body.claim, now=now
        )
        return DisputeView.of(row)

    return once(act, body, now=now)


@group.operation("GET", "/distributor/disputes")
def list_disputes(query: PageQuery) -> DisputesView:
    """List the caller's disputes, the newest first."""
    rows = disputes.disputes_of_claimant(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return DisputesView(items=[DisputeView.of(row) for row in shown], next_cursor=next_cursor)

"""What a distributor earned, and why each fen."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from app.distribution import queries as distribution
from app.distribution.models import AwardState
from app.distribution.queries import AwardRow
from app.kernel.db import db
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.errors import AwardNotFound
from miniprogram_api.fields import Bilingual, View, example
from miniprogram_api.problems import both
from miniprogram_api.routing import Group

group = Group("awards", about="Commission: each award with its explanation.")


class AwardView(View):
    """One award. `net_fen` is what refunds have left of `amount_fen`.

    One for a closed month has no order, one of a fixed amount no rate.
    """

    model_config = View.model_config | example(
        {
            "id": 41,
            "order_number": "O20260301K3J9X0QW7RT2MN5B",
            "kind": "L1",
            "base_fen": 25_999,
            "rate_bp": 1_000,
            "amount_fen": 2_599,
            "net_fen": 2_599,
            "state": "frozen",
            "created_at": "2026-03-01T12:00:00Z",
            "matures_at": "2026-03-09T12:00:00Z",
            "matured_at": None,
            "explanation": [{"zh": "……", "en": "10% of ¥259.99 is ¥25.99."}],
        }
    )

    id: int
    order_number: str | None
    kind: str
    base_fen: int
    rate_bp: int | None
    amount_fen: int
    net_fen: int
    state: AwardState
    created_at: datetime
    matures_at: datetime | None
    matured_at: datetime | None
    explanation: list[Bilingual]

    @classmethod
    def of(cls, row: AwardRow) -> Self:
        """Show an award with its explanation in both languages."""
        return cls(
            id=row.id,
            order_number=row.order_number,
            kind=row.kind,
            base_fen=row.base_fen,
            rate_bp=row.rate_bp,
            amount_fen=row.amount_fen,
            net_fen=row.net_fen,
            state=row.state,
            created_at=row.created_at,
            matures_at=row.matures_at,
            matured_at=row.matured_at,
            explanation=[Bilingual(**both(sentence)) for sentence in row.explanation],
        )


class AwardsView(View):
    """A page of awards, the newest first."""

    items: list[AwardView]
    next_cursor: str | None


class AwardsQuery(PageQuery):
    """Which awards."""

    state: Annotated[AwardState | None, Field(description="Only awards in this state")] = None


@group.operation("GET", "/distributor/awards")
def list_awards(query: AwardsQuery) -> AwardsView:
    """List the caller's awards, the newest first, each with its explanation."""
    rows = distribution.awards_page(
        db.session(),
        caller().member_id,
        after_id=query.after,
        limit=query.one_more,
        state=query.state,
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return AwardsView(items=[AwardView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/distributor/awards/<id:award_id>")
def show_award(award_id: int) -> AwardView:
    """Show one of the caller's awards."""
    row = distribution.award_for_member(db.session(), award_id, caller().member_id)
    if row is None:
        raise AwardNotFound
    return AwardView.of(row)

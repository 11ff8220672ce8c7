"""What a distributor held and moved by the month, and the levels they have had."""

from datetime import datetime
from typing import Self

from app.distribution import statements, warnings
from app.distribution.statements import Statement
from app.distribution.warnings import PeriodRow
from app.kernel.db import db
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.endpoints.awards import AwardsView, AwardView
from miniprogram_api.fields import Bilingual, View, example
from miniprogram_api.problems import both
from miniprogram_api.routing import Group

group = Group("statements", about="Monthly statements, and the history of levels.")


class EarnedView(View):
    """What one kind of commission brought in the month."""

    kind: str
    count: int
    amount_fen: int


class StatementView(View):
    """One month: closing = opening + earned - taken back - paid out, all in fen.

    The balances hold what is pending, available and on its way, less what is owed. What matured
    became available and changes neither.
    """

    model_config = View.model_config | example(
        {
            "month": "2026-10",
            "opening_fen": 10_000,
            "earned_fen": 2_599,
            "matured_fen": 10_000,
            "taken_back_fen": 599,
            "paid_out_fen": 8_000,
            "closing_fen": 4_000,
            "earned": [{"kind": "L1", "count": 1, "amount_fen": 2_599}],
        }
    )

    month: str
    opening_fen: int
    earned_fen: int
    matured_fen: int
    taken_back_fen: int
    paid_out_fen: int
    closing_fen: int
    earned: list[EarnedView]

    @classmethod
    def of(cls, found: Statement) -> Self:
        """Show the statement of the caller."""
        return cls(
            month=found.month,
            opening_fen=found.opening_fen,
            earned_fen=found.earned_fen,
            matured_fen=found.matured_fen,
            taken_back_fen=found.taken_back_fen,
            paid_out_fen=found.paid_out_fen,
            closing_fen=found.closing_fen,
            earned=[
                EarnedView(kind=one.kind, count=one.count, amount_fen=one.amount_fen)
                for one in found.earned
            ],
        )


class MonthsView(View):
    """The months in which anything moved, the newest first."""

    months: list[str]


class LevelPeriodView(View):
    """One level from when until when, and why it began; the present one has no end."""

    model_config = View.model_config | example(
        {
            "level": 2,
            "from_at": "2026-03-01T12:00:00Z",
            "until_at": None,
            "cause": "upgrade",
            "explanation": [{"zh": "……", "en": "Level 1 became level 2."}],
        }
    )

    level: int
    from_at: datetime
    until_at: datetime | None
    cause: str
    explanation: list[Bilingual]

    @classmethod
    def of(cls, row: PeriodRow) -> Self:
        """Show one period in both languages."""
        return cls(
            level=row.level,
            from_at=row.from_at,
            until_at=row.until_at,
            cause=row.cause,
            explanation=[Bilingual(**both(sentence)) for sentence in row.explanation],
        )


class LevelsView(View):
    """A page of the levels that the caller has had, the newest first."""

    items: list[LevelPeriodView]
    next_cursor: str | None


@group.operation("GET", "/distributor/statements")
def list_statements() -> MonthsView:
    """List the months that the caller has a statement of, the newest first."""
    return MonthsView(months=statements.months(db.session(), caller().member_id))


@group.operation("GET", "/distributor/statements/<month:month>")
def show_statement(month: str) -> StatementView:
    """Show what the caller had, earned, got and has in a month; nothing moved in others."""
    return StatementView.of(statements.statement(db.session(), caller().member_id, month))


@group.operation("GET", "/distributor/statements/<month:month>/awards")
def list_statement_awards(month: str, query: PageQuery) -> AwardsView:
    """List the commission granted in a month, the newest first, each with its explanation."""
    rows = statements.awards_of(
        db.session(), caller().member_id, month, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return AwardsView(items=[AwardView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/distributor/levels")
def list_levels(query: PageQuery) -> LevelsView:
    """List the levels that the caller has had, the newest first, each with why it began."""
    rows = warnings.level_history(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return LevelsView(items=[LevelPeriodView.of(row) for row in shown], next_cursor=next_cursor)

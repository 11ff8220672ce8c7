"""The distributor's own centre: standing, figures, team, customers."""

from datetime import datetime
from typing import Annotated, Self

from flask import request
from pydantic import BeforeValidator, Field
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution import joining
from app.attribution import queries as attribution
from app.attribution.guessing import counting_misses
from app.attribution.models import BindingState, ChannelKind, TouchSource
from app.distribution import queries as distribution
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.members import queries
from app.members.errors import NotADistributor
from app.members.models import Distributor, DistributorKind, Standing
from app.members.queries import TeamRow
from miniprogram_api import progress, toolbox
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Body, ShareCodeText, Text, View, example, written_as_number
from miniprogram_api.progress import KeepingView, ProgressView, WarningView
from miniprogram_api.routing import Group
from miniprogram_api.toolbox import ToolboxView

group = Group("distributor", about="The distributor's centre: figures, team, customers.")


class Application(Body):
    """The wish to become a distributor."""

    model_config = Body.model_config | example(
        {
            "agreement_version": "2026-11",
            "real_name": "王小美",
            "recommender_code": "mC0vBqQ2Zt8rY1nKx7LsWd",
        }
    )

    agreement_version: Annotated[str, Field(pattern=r"^[0-9A-Za-z.\-]{1,32}$")]
    real_name: Text | None = None
    recommender_code: ShareCodeText | None = None


class StandingView(View):
    """Where the caller stands as a distributor."""

    member_id: int
    kind: DistributorKind
    standing: Standing
    level: int
    recommender_id: int | None
    applied_at: datetime
    approved_at: datetime | None

    @classmethod
    def of(cls, row: Distributor) -> Self:
        """Show a distributor to themselves."""
        return cls(
            member_id=row.member_id,
            kind=row.kind,
            standing=row.standing,
            level=row.level,
            recommender_id=row.recommender_id,
            applied_at=row.applied_at,
            approved_at=row.approved_at,
        )


class BalancesView(View):
    """What is earned but not matured, may be withdrawn, is on its way, and is owed."""

    pending_fen: int
    available_fen: int
    in_transit_fen: int
    debt_fen: int


class CountsView(View):
    """How many distributors the caller brought, and how many those brought in turn."""

    direct: int
    second: int


class TodayView(View):
    """What this day, in Shanghai, has brought so far."""

    orders: int
    earned_fen: int


class DashboardView(View):
    """What a distributor sees first."""

    model_config = View.model_config | example(
        {
            "distributor": {
                "member_id": 12,
                "kind": "person",
                "standing": "active",
                "level": 1,
                "recommender_id": None,
                "applied_at": "2026-03-01T12:00:00Z",
                "approved_at": "2026-03-02T01:30:00Z",
            },
            "balances": {
                "pending_fen": 2_599,
                "available_fen": 10_000,
                "in_transit_fen": 0,
                "debt_fen": 0,
            },
            "total_earned_fen": 12_599,
            "today": {"orders": 1, "earned_fen": 2_599},
            "team": {"direct": 3, "second": 8},
            "progress": {
                "next_level": 2,
                "mode": "ALL",
                "conditions": [
                    {
                        "kind": "DIRECT_SALES",
                        "window_days": 90,
                        "required": 500_000,
                        "reached": 120_000,
                    }
                ],
            },
            "keeping": {"every": "QUARTER", "share_bp": 5_000, "grace_days": 30},
            "warning": None,
            "toolbox": {
                "cards_this_month": {
                    "issued": 3,
                    "claimed": 2,
                    "booked": 1,
                    "used": 1,
                    "converted": 0,
                },
                "cards_in_all": {
                    "issued": 12,
                    "claimed": 9,
                    "booked": 7,
                    "used": 7,
                    "converted": 4,
                },
                "cards_left": 2,
                "live_codes": 3,
                "open_rounds": 1,
            },
        }
    )

    distributor: StandingView
    balances: BalancesView
    total_earned_fen: int
    today: TodayView
    team: CountsView
    progress: ProgressView | None
    keeping: KeepingView | None
    warning: WarningView | None
    toolbox: ToolboxView


class TeamMemberView(View):
    """One distributor of the caller's team."""

    member_id: int
    nickname: str
    standing: Standing
    level: int
    recommender_id: int
    direct_count: int
    applied_at: datetime
    approved_at: datetime | None

    @classmethod
    def of(cls, row: TeamRow) -> Self:
        """Show a team member."""
        return cls(**row._asdict())


class TeamView(View):
    """A page of one tier, the newest member first."""

    items: list[TeamMemberView]
    next_cursor: str | None


class TeamQuery(PageQuery):
    """Which tier: 1 are those the caller brought, 2 those that they brought."""

    tier: Annotated[int, Field(ge=1, le=2), BeforeValidator(written_as_number)] = 1


class CustomerView(View):
    """A customer who belongs to the caller."""

    member_id: int
    nickname: str
    state: BindingState
    source: TouchSource
    since_at: datetime
    until_at: datetime
    has_paid: bool


class CustomersView(View):
    """A page of customers, the latest won first."""

    items: list[CustomerView]
    next_cursor: str | None


class ChannelFiguresView(View):
    """A channel: its codes that work, and those of its customers who are the caller's now."""

    channel_id: int
    name: str
    kind: ChannelKind
    live_codes: int
    customers: int
    paying_customers: int


class ChannelsView(View):
    """A page of channels, the latest opened first."""

    items: list[ChannelFiguresView]
    next_cursor: str | None


@group.operation("POST", "/distributor/application", status=201)
def apply_as_distributor(body: Application) -> StandingView:
    """Ask to become a distributor; the brand decides.

    The recommender is whoever the caller belongs to as a customer, else the owner of
    `recommender_code`.
    """
    now, who, ip = moment(), caller(), request.remote_addr or None

    def act(session: Session) -> StandingView:
        row = joining.apply_as_distributor(
            session,
            who.member_id,
            agreement_version=body.agreement_version,
            real_name=body.real_name,
            code=body.recommender_code,
            now=now,
        )
        return StandingView.of(row)

    with counting_misses(member_id=who.member_id, ip=ip, settings=settings(), now=now):
        return at_once(act)


@group.operation("GET", "/distributor")
def show_dashboard() -> DashboardView:
    """Show the caller's balances, level and what leads to the next, team, today, and tools."""
    session, now = db.session(), utc_now()
    row = _distributor(session, caller().member_id)
    figures = distribution.dashboard(session, row.member_id, now=now)
    return DashboardView(
        distributor=StandingView.of(row),
        balances=BalancesView(
            pending_fen=figures.balances.pending_fen,
            available_fen=figures.balances.available_fen,
            in_transit_fen=figures.balances.in_transit_fen,
            debt_fen=figures.balances.debt_fen,
        ),
        total_earned_fen=figures.total_earned_fen,
        today=TodayView(orders=figures.today_orders, earned_fen=figures.today_earned_fen),
        team=CountsView(direct=row.direct_count, second=row.second_count),
        progress=progress.of(session, row, now=now),
        keeping=progress.keeping(session, now=now),
        warning=progress.warning(session, row.member_id),
        toolbox=toolbox.of(session, row, now=now),
    )


@group.operation("GET", "/distributor/team")
def list_team(query: TeamQuery) -> TeamView:
    """List one tier of the caller's team, the newest member first."""
    rows = queries.team_page(
        db.session(),
        caller().member_id,
        tier=query.tier,
        after_id=query.after,
        limit=query.one_more,
    )
    shown, next_cursor = cut(query, rows, lambda row: row.member_id)
    return TeamView(items=[TeamMemberView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/distributor/team/counts")
def count_team() -> CountsView:
    """Count both tiers of the caller's team, whatever the members' standing."""
    counts = queries.team_counts(db.session(), caller().member_id)
    return CountsView(direct=counts.direct, second=counts.second)


@group.operation("GET", "/distributor/customers")
def list_customers(query: PageQuery) -> CustomersView:
    """List the customers who belong to the caller at present, the latest won first."""
    rows = attribution.customers_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more, at=utc_now()
    )
    shown, next_cursor = cut(query, rows, lambda row: row.binding_id)
    return CustomersView(
        items=[
            CustomerView(
                member_id=row.customer_id,
                nickname=row.nickname,
                state=row.state,
                source=row.source,
                since_at=row.valid_from_at,
                until_at=row.valid_until_at,
                has_paid=row.has_paid,
            )
            for row in shown
        ],
        next_cursor=next_cursor,
    )


@group.operation("GET", "/distributor/channels")
def list_channels(query: PageQuery) -> ChannelsView:
    """List the channels that the caller has codes of, with what each brought, newest first."""
    rows = attribution.channel_rows(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more, at=utc_now()
    )
    shown, next_cursor = cut(query, rows, lambda row: row.channel_id)
    items = [ChannelFiguresView(**row._asdict()) for row in shown]
    return ChannelsView(items=items, next_cursor=next_cursor)


def _distributor(session: Session, member_id: int) -> Distributor:
    row = queries.distributor(session, member_id)
    if row is None:
        raise NotADistributor
    return row

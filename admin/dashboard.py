"""Today: the first page, with what each role has to look at and to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app, url_for
from flask_admin import AdminIndexView, expose
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import ColumnElement
from werkzeug.wrappers import Response

from admin import staff
from admin.base import to_sign_in
from admin.charts import Day, chart
from admin.i18n import gettext
from admin.words import BREAK_OUTCOMES
from app.kernel.clock import SHANGHAI, business_day, day_begins_at
from app.kernel.db import database_now, db
from app.kernel.i18n import yuan
from app.kernel.inbox import InboxNotice
from app.kernel.outbox import Task
from app.ledger.models import LedgerAccount
from app.ledger.transfers import Name
from app.members.models import Distributor, Member, Standing, TeamStop
from app.orders.models import Order, Refund
from app.orders.states import OrderState, RefundState
from app.payouts.models import Payout
from app.payouts.states import PayoutState
from app.plans.models import PlanVersion, PlanVersionState
from app.stores.permissions import Permission

DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure of today, with what it was a day before, and where its rows are."""

    name: Any
    icon: str
    value: str
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Todo:
    """Something that waits for the person here."""

    name: Any
    note: Any
    count: int
    url: str
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class _Queue:
    """Where to look for something that waits."""

    name: Any
    note: Any
    permission: Permission
    endpoint: str
    condition: Callable[[], ColumnElement[bool]]
    filters: dict[str, Any]
    is_bad: bool = False


QUEUES: Final = (
    _Queue(
        _("Payouts to approve"),
        _("Distributors wait for their money"),
        Permission.PAYOUTS_APPROVE,
        "payouts",
        lambda: Payout.state.in_((PayoutState.REQUESTED, PayoutState.APPROVED_ONCE)),
        {"state": "requested"},
    ),
    _Queue(
        _("Refunds to approve"),
        _("Customers wait for their money"),
        Permission.REFUNDS_DECIDE,
        "refunds",
        lambda: Refund.state == RefundState.REQUESTED,
        {"state": "requested"},
    ),
    _Queue(
        _("Orders to hand over"),
        _("Paid, not yet redeemed or picked up"),
        Permission.ORDERS_COMPLETE,
        "orders",
        lambda: Order.state == OrderState.PAID,
        {"state": "paid"},
    ),
    _Queue(
        _("Applications of distributors"),
        _("People who want to recommend the brand"),
        Permission.DISTRIBUTORS_DECIDE,
        "distributors",
        lambda: Distributor.standing == Standing.APPLIED,
        {"standing": "applied"},
    ),
    _Queue(
        _("Plan versions to approve"),
        _("A second person has to publish them"),
        Permission.PLANS_PUBLISH,
        "plan_versions",
        lambda: PlanVersion.state == PlanVersionState.SUBMITTED,
        {"state": "submitted"},
    ),
    _Queue(
        _("Refunds stuck at WeChat"),
        _("The payer's account cannot take them"),
        Permission.REFUNDS_DECIDE,
        "refunds",
        lambda: Refund.state == RefundState.ABNORMAL,
        {"state": "abnormal"},
        is_bad=True,
    ),
    _Queue(
        _("Teams past the line of the law"),
        _("They take no newcomers until somebody decides"),
        Permission.DISTRIBUTORS_VIEW,
        "team_stops",
        lambda: TeamStop.lifted_at.is_(None),
        {"state": "open"},
        is_bad=True,
    ),
    _Queue(
        _("Notices that need a person"),
        _("What WeChat said does not fit our books"),
        Permission.OPERATIONS_VIEW,
        "notices",
        lambda: InboxNotice.outcome.in_(BREAK_OUTCOMES),
        {"fits": "no"},
        is_bad=True,
    ),
    _Queue(
        _("Tasks in quarantine"),
        _("Work that failed too often"),
        Permission.OPERATIONS_VIEW,
        "tasks",
        lambda: Task.quarantined_at.is_not(None),
        {"state": "quarantined"},
        is_bad=True,
    ),
)
COUNTED_MAX: Final = 100


class TodayView(AdminIndexView):
    """The first page of everybody; each figure only where its rows may be seen."""

    icon = "layout-dashboard"

    def is_accessible(self) -> bool:
        """Let in whoever is signed in."""
        return staff.may(None)

    def inaccessible_callback(self, *_names: Any, **_kwargs: Any) -> Response:
        """Send strangers to the sign-in page."""
        return to_sign_in()

    @expose("/")
    def index(self) -> str:
        """Show today."""
        now = database_now()
        today = business_day(now)
        days = list(_days(today)) if staff.may(Permission.ORDERS_VIEW) else []
        page: str = self.render(
            "backoffice/today.html",
            today=today,
            hour=now.astimezone(SHANGHAI).hour,
            tiles=list(_tiles(today, days)),
            todos=list(_todos()),
            chart=chart(days) if days else None,
            days=days,
        )
        return page


def _view(endpoint: str) -> Any:
    return current_app.extensions["backoffice"][endpoint]


def _todos() -> Iterator[Todo]:
    """Yield what waits, each counted within the reader's scope, up to a hundred."""
    for queue in QUEUES:
        view = _view(queue.endpoint)
        if not (staff.may(queue.permission) and view.is_accessible()):
            continue
        wanted = view.get_query().where(queue.condition())
        one = wanted.with_only_columns(sa.literal(1), maintain_column_froms=True)
        few = one.limit(COUNTED_MAX).subquery()
        count = db.session.scalar(sa.select(sa.func.count()).select_from(few)) or 0
        if count or not queue.is_bad:
            url = url_for(f"{queue.endpoint}.index_view", **queue.filters)
            yield Todo(queue.name, queue.note, count, url, queue.is_bad)


def _days(today: date) -> Iterator[Day]:
    """Yield paid orders and their money for each of the last days, the reader's stores only."""
    first = today - timedelta(days=DAYS - 1)
    local = sa.func.date(sa.func.timezone(SHANGHAI.key, Order.paid_at))
    rows = db.session.execute(
        _view("orders")
        .get_query()
        .where(Order.paid_at >= day_begins_at(first))
        .with_only_columns(local, sa.func.count(), sa.func.sum(Order.paid_fen))
        .group_by(local)
    )
    found = {row[0]: (int(row[1]), int(row[2])) for row in rows}
    for offset in range(DAYS):
        day = first + timedelta(days=offset)
        orders, paid_fen = found.get(day, (0, 0))
        yield Day(day, orders, paid_fen)


def _tiles(today: date, days: list[Day]) -> Iterator[Tile]:
    """Yield the figures of today that the reader may see."""
    if days:
        url = url_for("orders.index_view", paid_from=today.isoformat(), paid_to=today.isoformat())
        before, now = days[-2], days[-1]
        yield Tile(
            gettext("Paid today"),
            "shopping-bag",
            yuan(now.paid_fen),
            gettext("Yesterday %(value)s", value=yuan(before.paid_fen)),
            url,
        )
        yield Tile(
            gettext("Paid orders today"),
            "package",
            str(now.orders),
            gettext("Yesterday %(value)s", value=before.orders),
            url,
        )
    if staff.may(Permission.MEMBERS_VIEW):
        yield _new_customers(today)
    if staff.may(Permission.AWARDS_VIEW):
        yield from _commission()
    if staff.may(Permission.PAYOUTS_VIEW):
        yield _payouts()


def _new_customers(today: date) -> Tile:
    view = _view("members")
    query = view.get_query().with_only_columns(sa.func.count(), maintain_column_froms=True)
    yesterday = day_begins_at(today - timedelta(days=1))
    begin = day_begins_at(today)
    now = db.session.scalar(query.where(Member.registered_at >= begin)) or 0
    before = (
        db.session.scalar(
            query.where(Member.registered_at >= yesterday, Member.registered_at < begin)
        )
        or 0
    )
    url = url_for("members.index_view", registered_from=today.isoformat())
    note = gettext("Yesterday %(value)s", value=before)
    return Tile(gettext("New customers today"), "users", str(now), note, url)


def _commission() -> Iterator[Tile]:
    """Yield what is owed to distributors, by how near it is; from balances, not from awards."""
    held = {
        Name(row[0]): int(row[1] or 0)
        for row in db.session.execute(
            _view("ledger_accounts")
            .get_query()
            .where(LedgerAccount.name.in_((Name.COMMISSION_PENDING, Name.COMMISSION_AVAILABLE)))
            .with_only_columns(LedgerAccount.name, sa.func.sum(LedgerAccount.balance))
            .group_by(LedgerAccount.name)
        )
    }
    yield Tile(
        gettext("Commission not yet matured"),
        "calendar-clock",
        yuan(held.get(Name.COMMISSION_PENDING, 0)),
        gettext("Paid out after the after-sale window"),
        url=url_for("awards.index_view", state="frozen"),
    )
    yield Tile(
        gettext("Commission that can be withdrawn"),
        "hand-coins",
        yuan(held.get(Name.COMMISSION_AVAILABLE, 0)),
        gettext("Not yet asked for"),
        url=url_for("awards.index_view", state="matured"),
    )


def _payouts() -> Tile:
    states = (PayoutState.REQUESTED, PayoutState.APPROVED_ONCE)
    total, count = db.session.execute(
        _view("payouts")
        .get_query()
        .where(Payout.state.in_(states))
        .with_only_columns(sa.func.coalesce(sa.func.sum(Payout.amount_fen), 0), sa.func.count())
    ).one()
    note = gettext("%(count)s payouts", count=count)
    url = url_for("payouts.index_view", state="requested")
    return Tile(gettext("Payouts waiting for approval"), "wallet", yuan(int(total)), note, url=url)

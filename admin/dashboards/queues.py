"""What waits for the person here: lists narrowed by their own filters, counted up to a hundred.

A queue is a view and the parameters of its list, so its number and its link cannot disagree. A
queue whose view is not there, or does not understand the parameters, is left out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app, url_for
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from sqlalchemy.sql import Select

from admin import staff
from admin.urls import with_query
from app.kernel.db import atomic
from app.stores.permissions import Permission

COUNTED_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Queue:
    """Where to look for something that waits, and who can do something about it."""

    name: Any
    note: Any
    permission: Permission
    endpoint: str
    filters: Mapping[str, str]
    is_bad: bool = False
    """Shown in red, and only where there is something."""


@dataclass(frozen=True, slots=True)
class Todo:
    """Something that waits for the person here."""

    name: Any
    note: Any
    count: int
    url: str
    is_bad: bool = False


QUEUES: Final = (
    Queue(
        _("Payouts to approve"),
        _("Distributors wait for their money"),
        Permission.PAYOUTS_APPROVE,
        "payouts",
        {"waits": "approval"},
    ),
    Queue(
        _("Refunds to approve"),
        _("Customers wait for their money"),
        Permission.REFUNDS_DECIDE,
        "refunds",
        {"state": "requested"},
    ),
    Queue(
        _("Decisions that need a second person"),
        _("A colleague asked for your agreement"),
        Permission.APPROVALS_VIEW,
        "approvals",
        {"inbox": "mine"},
    ),
    Queue(
        _("Orders to hand over"),
        _("Paid, not yet redeemed or picked up"),
        Permission.ORDERS_COMPLETE,
        "orders",
        {"state": "paid"},
    ),
    Queue(
        _("Follow-ups due"),
        _("Customers somebody promised to come back to"),
        Permission.NOTES_WRITE,
        "follow_ups",
        {"due": "today"},
    ),
    Queue(
        _("Guest cards booked for today"),
        _("Friends who come with a card"),
        Permission.REDEEM,
        "card_bookings",
        {"when": "today"},
    ),
    Queue(
        _("Gifts of points to hand over"),
        _("They wait for their customers in a store"),
        Permission.REDEEM,
        "mall_exchanges",
        {"state": "waiting"},
    ),
    Queue(
        _("Prizes to hand over"),
        _("Won in a draw, they wait in a store"),
        Permission.REDEEM,
        "draw_tickets",
        {"state": "waiting"},
    ),
    Queue(
        _("Gifts of plans to hand over"),
        _("Customers have a right to them"),
        Permission.GIFTS_GIVE,
        "gifts",
        {"state": "due"},
    ),
    Queue(
        _("Groups about to run out of time"),
        _("Whoever paid gets the money back if nobody joins"),
        Permission.ACTIVITIES_VIEW,
        "buying_groups",
        {"ends": "soon"},
    ),
    Queue(
        _("Reviews to look at"),
        _("Nobody else sees them until somebody has"),
        Permission.REVIEWS_DECIDE,
        "reviews",
        {"state": "waiting"},
    ),
    Queue(
        _("Nicknames to look at"),
        _("Posters leave them out until somebody has"),
        Permission.REVIEWS_DECIDE,
        "nicknames",
        {},
    ),
    Queue(
        _("Contested ownerships"),
        _("Somebody says that a customer is theirs"),
        Permission.BINDINGS_VIEW,
        "disputes",
        {"state": "open"},
    ),
    Queue(
        _("Applications of distributors"),
        _("People who want to recommend the brand"),
        Permission.DISTRIBUTORS_DECIDE,
        "distributors",
        {"standing": "applied"},
    ),
    Queue(
        _("Low stock"),
        _("Time to order more"),
        Permission.STOCK_EDIT,
        "stock",
        {"left": "low"},
    ),
    Queue(
        _("Plan versions to approve"),
        _("A second person has to publish them"),
        Permission.PLANS_PUBLISH,
        "plan_versions",
        {"state": "submitted"},
    ),
    Queue(
        _("Requests about personal data"),
        _("Customers want their data, or want it gone"),
        Permission.PRIVACY_DECIDE,
        "privacy_requests",
        {"state": "waiting"},
    ),
    Queue(
        _("Risk flags"),
        _("They hold payouts until somebody decides"),
        Permission.RISK_DECIDE,
        "risk_flags",
        {"state": "open"},
        is_bad=True,
    ),
    Queue(
        _("Guest cards used without a code"),
        _("One of the staff did so unusually often in a day; look whether customers were there"),
        Permission.RISK_DECIDE,
        "card_uses",
        {"word": "often"},
        is_bad=True,
    ),
    Queue(
        _("Orders handed over without a code"),
        _("One of the staff did so unusually often in a day; look whether customers were there"),
        Permission.RISK_DECIDE,
        "orders",
        {"word": "often"},
        is_bad=True,
    ),
    Queue(
        _("Rewards that were refused"),
        _("Customers did not get what they were promised"),
        Permission.MEMBERSHIP_EDIT,
        "given_rewards",
        {"state": "refused"},
        is_bad=True,
    ),
    Queue(
        _("Refunds stuck at WeChat"),
        _("The payer's account cannot take them"),
        Permission.REFUNDS_DECIDE,
        "refunds",
        {"state": "abnormal"},
        is_bad=True,
    ),
    Queue(
        _("Refunds that WeChat refused"),
        _("We owe customers their money; ask for it again from the order"),
        Permission.REFUNDS_DECIDE,
        "refunds",
        {"owed": "yes"},
        is_bad=True,
    ),
    Queue(
        _("Teams past the line of the law"),
        _("They take no newcomers until somebody decides"),
        Permission.DISTRIBUTORS_VIEW,
        "team_stops",
        {"state": "open"},
        is_bad=True,
    ),
    Queue(
        _("Imports that failed"),
        _("A file was not brought in to its end"),
        Permission.IMPORTS,
        "imports",
        {"state": "failed"},
        is_bad=True,
    ),
    Queue(
        _("Notices that need a person"),
        _("What WeChat said does not fit our books"),
        Permission.OPERATIONS_VIEW,
        "notices",
        {"fits": "no"},
        is_bad=True,
    ),
    Queue(
        _("Tasks in quarantine"),
        _("Work that failed too often"),
        Permission.OPERATIONS_VIEW,
        "tasks",
        {"state": "quarantined"},
        is_bad=True,
    ),
)


def todos() -> list[Todo]:
    """Return what waits, each counted within the reader's stores."""
    open_ones = [(queue, few_of(view, queue.filters)) for queue, view in _open_queues()]
    found = []
    with atomic() as session:
        _plan_for_values(session)
        for queue, few in open_ones:
            count = session.scalar(sa.select(sa.func.count()).select_from(few.subquery())) or 0
            if count or not queue.is_bad:
                url = with_query(url_for(f"{queue.endpoint}.index_view"), queue.filters)
                found.append(Todo(queue.name, queue.note, count, url, queue.is_bad))
    return found


def _open_queues() -> Iterator[tuple[Queue, Any]]:
    """Yield the queues whose list is there, open to the reader and able to show them."""
    for queue in QUEUES:
        view = current_app.extensions["backoffice"].get(queue.endpoint)
        if view is None or not (staff.may(queue.permission) and view.is_accessible()):
            continue
        if understands(view, queue.filters):
            yield queue, view


def _plan_for_values(session: Session) -> None:
    """Let PostgreSQL plan each count for its values: what waits is found by partial indexes.

    A plan for any value cannot use them and would read whole tables of what does not wait.
    """
    session.execute(sa.text("SET LOCAL plan_cache_mode = force_custom_plan"))


def understands(view: Any, filters: Mapping[str, str]) -> bool:
    """Tell whether a list has these filters; one without them would show everything."""
    return all(
        any(_takes(one, name, value) for one in view.all_filters())
        for name, value in filters.items()
    )


def _takes(one: Any, name: str, value: str) -> bool:
    """Tell whether a filter has a choice, without asking it for its controls, which may read."""
    if getattr(one, "name", "") != name:
        return False
    options = getattr(one, "options", None) or getattr(one, "conditions", None) or ()
    return value in {str(getattr(option, "value", option)) for option in options}


def few_of(view: Any, filters: Mapping[str, str]) -> Select[Any]:
    """Return the rows of a list as these filters narrow it, up to a limit, to be counted."""
    query = view.get_query()
    for one in view.all_filters():
        query = one.apply(query, filters)
    few: Select[Any] = (
        query.order_by(None)
        .with_only_columns(sa.literal(1), maintain_column_froms=True)
        .limit(COUNTED_MAX)
    )
    return few

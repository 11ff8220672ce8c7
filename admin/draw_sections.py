"""Sections of the pages about lucky draws, check-ins and rounds of invitations."""

from collections.abc import Iterable
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from admin import bars
from admin.bars import Drawing, Point
from admin.details import Section, rows_section, sentences_section
from admin.draw_forms import percent_of
from admin.i18n import gettext, ngettext
from admin.scopes import by_member
from admin.staff import visible_store_ids
from admin.tables import Shape
from app.access import settings
from app.activities import draws, invites
from app.activities.draw_models import CheckIn, DrawPrize, DrawTicket, InviteRound, LuckyDraw
from app.activities.draw_numbers import (
    CheckInNumbers,
    DrawNumbers,
    InviteNumbers,
    check_in_numbers,
    draw_numbers,
    invite_numbers,
)
from app.activities.models import Activity, ActivityEntry
from app.activities.numbers import ZONE
from app.activities.states import ActivityKind
from app.coupons.models import CouponTemplate
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.loyalty.models import RewardKind
from app.loyalty.rewards import Reward

CHART: Final = "backoffice/simulation_chart.html"
FEN: Final = 100
WHOLE_PPM: Final = 1_000_000
THOUSAND: Final = 1_000
LEAST_SHOWN: Final = 4
PRIZES: Final = Shape(
    ("title", "chance", "stock", "given", "gives", "each_fen"),
    {"each_fen": _("Worth each"), "given": _("Given")},
)
FRIENDS: Final = Shape(
    ("friend_id", "accepted_at", "arrived_at", "is_counted"), references={"friend_id": "members"}
)


def _of_draw(activity_id: int) -> DrawNumbers:
    return draw_numbers(db.session(), activity_id)


def _of_check_in(activity_id: int) -> CheckInNumbers:
    return check_in_numbers(db.session(), activity_id, only=_seen)


def _of_rounds(activity_id: int) -> InviteNumbers:
    return invite_numbers(db.session(), activity_id, only=_seen)


def _seen(member_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the condition for customers whom the person here may see, as the lists have it."""
    store_ids = visible_store_ids()
    return sa.true() if store_ids is None else by_member(member_id)(store_ids)


NUMBERS: Final = {
    ActivityKind.LUCKY_DRAW: (
        _of_draw,
        Shape(
            (
                *("draws", "people", "prizes_won", "to_hand_over"),
                *("points_taken", "points_given"),
            )
        ),
    ),
    ActivityKind.CHECK_IN: (
        _of_check_in,
        Shape(("visits", "people", "longest", "points_given")),
    ),
    ActivityKind.INVITE_ROUNDS: (
        _of_rounds,
        Shape(
            (
                *("rounds", "rounds_open", "rounds_complete", "people"),
                *("friends_accepted", "friends_arrived", "friends_counted"),
            )
        ),
    ),
}


def own_sections(view: Any, row: Activity) -> Iterable[Section | None]:
    """Yield what only these kinds have: figures of their own, days, prizes, and who took part."""
    if row.kind not in NUMBERS:
        return
    if row.kind is ActivityKind.LUCKY_DRAW:
        yield prizes_section(row)
        yield proof_section(row)
    numbers, shape = NUMBERS[row.kind]
    yield rows_section(_("What it brought"), [numbers(row.id)], shape)
    yield days_section(row)
    rows: dict[ActivityKind, tuple[str, Any]] = {
        ActivityKind.LUCKY_DRAW: ("draw_tickets", DrawTicket.activity_id == row.id),
        ActivityKind.CHECK_IN: ("check_ins", CheckIn.activity_id == row.id),
        ActivityKind.INVITE_ROUNDS: ("invite_rounds", InviteRound.activity_id == row.id),
    }
    endpoint, condition = rows[row.kind]
    yield view.related(endpoint, condition, without=("activity_id",), activity=row.id)


def prizes_section(row: Activity) -> Section:
    """Show the prizes of a draw with chance, stock, and what they are worth, if that is known."""
    rows = [
        {
            "title": one.title,
            "chance": f"{percent_of(one.chance_ppm)} %",
            "stock": one.stock,
            "given": one.given,
            "gives": _gives(one),
            "each_fen": _worth_fen(one),
        }
        for one in draws.prizes_of(db.session(), row.id)
    ]
    return rows_section(_("Prizes"), rows, PRIZES)


def proof_section(row: Activity) -> Section | None:
    """Tell what the draw gives on average, what it promised, and after its end what it was."""
    prizes = draws.prizes_of(db.session(), row.id)
    if not prizes:
        return None
    known = [(one.chance_ppm, worth) for one in prizes if (worth := _worth_fen(one)) is not None]
    average = sum(chance * worth * THOUSAND for chance, worth in known) // WHOLE_PPM
    together = percent_of(sum(one.chance_ppm for one in prizes))
    told = [
        gettext("Chances together: %(chance)s %%.", chance=together),
        gettext(
            "A thousand draws give points and coupons worth about %(amount)s.",
            amount=yuan(average),
        ),
    ]
    found = db.session.get(LuckyDraw, row.id)
    if found is not None:
        told.append(gettext("Digest of the seed, shown to customers: %(it)s", it=found.commitment))
        if found.seed is not None:
            told.append(gettext("The seed, shown since it is over: %(it)s", it=found.seed))
    return sentences_section(_("Chances and proof"), told)


def days_section(row: Activity) -> Section | None:
    """Draw how many took part day by day."""
    day = sa.func.date(sa.func.timezone(ZONE, ActivityEntry.created_at))
    is_draw = row.kind is ActivityKind.LUCKY_DRAW
    is_seen = sa.true() if is_draw else _seen(ActivityEntry.member_id)
    found = db.session.execute(
        sa.select(day.label("day"), sa.func.count().label("joins"))
        .where(ActivityEntry.activity_id == row.id, is_seen)
        .group_by(day)
        .order_by(day)
    ).all()
    if not found:
        return None
    points = [
        Point(f"{one.day:%m-%d}", f"{one.day:%Y-%m-%d} · {one.joins}", one.joins) for one in found
    ]
    rows = [{"day": f"{one.day:%Y-%m-%d}", "joins": one.joins} for one in found]
    labels = {"day": _("Day"), "joins": _("Took part")}
    drawing = Drawing(
        bars.draw(points, least=LEAST_SHOWN, told=str),
        (_("Took part"),),
        _("How many took part, day by day"),
        bars.as_table(rows, ("day", "joins"), labels),
    )
    return Section(_("Day by day"), "chart", template=CHART, facts=drawing)


def friends_section(row: InviteRound) -> Section:
    """Show who accepted an invitation of a round, who did what counts, and who counted."""
    return rows_section(_("Friends"), invites.friends_of(db.session(), row.id), FRIENDS)


def _gives(prize: DrawPrize) -> str:
    reward = None if prize.reward is None else Reward.from_json(prize.reward)
    if reward is None:
        return gettext("Handed over in a store")
    if reward.kind is RewardKind.COUPON:
        template = db.session.get(CouponTemplate, reward.template_id)
        name = template.title if template is not None else f"#{reward.template_id}"
        return gettext("Coupon: %(name)s", name=name)
    return ngettext("%(num)d point", "%(num)d points", reward.amount)


def _worth_fen(prize: DrawPrize) -> int | None:
    """Return what points or a coupon of an amount take off; a thing's worth is not known here."""
    reward = None if prize.reward is None else Reward.from_json(prize.reward)
    if reward is None or reward.kind is RewardKind.GROWTH:
        return None
    if reward.kind is RewardKind.POINTS:
        return reward.amount * FEN // settings().points_per_yuan_off
    template = db.session.get(CouponTemplate, reward.template_id)
    if template is None or template.amount_fen is None:
        return None
    return template.amount_fen * reward.amount

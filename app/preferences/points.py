"""Settings of points. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import AT_ONCE, DAY, YEAR, Group, Spec
from app.preferences.units import Unit

_LOTS_KEEP: Final = N_("Points given before keep the day they run out on.")

POINTS: Final[tuple[Spec, ...]] = (
    Spec(
        name="points_per_yuan_spent",
        group=Group.PROMOTIONS,
        unit=Unit.COUNT,
        label=N_("Points per yuan spent"),
        governs=N_("Points for each whole yuan paid, before a membership level multiplies them."),
        keeps=N_("Orders paid before keep the points they brought."),
        least=0,
        most=100,
        needs_second=True,
    ),
    Spec(
        name="points_per_yuan_off",
        group=Group.PROMOTIONS,
        unit=Unit.COUNT,
        label=N_("Points for one yuan off"),
        governs=N_("How many points take one yuan off an order."),
        keeps=N_("Orders made before keep what was taken off."),
        least=1,
        most=10_000,
        needs_second=True,
    ),
    Spec(
        name="points_deduction_max_bp",
        group=Group.PROMOTIONS,
        unit=Unit.RATE,
        label=N_("Most that points may pay"),
        governs=N_("The share of an order's goods that points may pay, after all other discounts."),
        keeps=N_("Orders made before keep what was taken off."),
        least=0,
        most=10_000,
        needs_second=True,
    ),
    Spec(
        name="points_valid_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("How long points are good"),
        governs=N_("From the day they can be spent until they run out."),
        keeps=_LOTS_KEEP,
        least=DAY,
        most=10 * YEAR,
    ),
    Spec(
        name="points_return_grace_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("How long points that come back are good"),
        governs=N_(
            "Points that a refund or a cancelled exchange brings back after their day was over."
        ),
        keeps=_LOTS_KEEP,
        least=DAY,
        most=YEAR,
    ),
    Spec(
        name="points_notice_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("Notice before points run out"),
        governs=N_("How long before that day their owner is told."),
        keeps=AT_ONCE,
        least=DAY,
        most=180 * DAY,
    ),
    Spec(
        name="points_adjust_second_points",
        group=Group.PROMOTIONS,
        unit=Unit.COUNT,
        label=N_("Points by hand that two people decide"),
        governs=N_("From this number on, points given or taken by hand take two people."),
        keeps=AT_ONCE,
        least=1,
        most=1_000_000,
        needs_second=True,
    ),
)

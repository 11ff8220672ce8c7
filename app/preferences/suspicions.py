"""Settings of the patterns that raise a flag about a distributor. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import AT_ONCE, DAY, HOUR, YEAR, Group, Spec
from app.preferences.units import Unit

_FLAGS_KEEP: Final = N_("Flags raised before stay until somebody decides or their time is over.")

SUSPICIONS: Final[tuple[Spec, ...]] = (
    Spec(
        name="risk_window_seconds",
        group=Group.RISK,
        unit=Unit.SPAN,
        label=N_("How far back is compared"),
        governs=N_("Customers and orders of this time are searched for patterns."),
        keeps=_FLAGS_KEEP,
        least=DAY,
        most=YEAR,
    ),
    Spec(
        name="risk_hold_seconds",
        group=Group.RISK,
        unit=Unit.SPAN,
        label=N_("How long a flag holds payouts"),
        governs=N_("A flag that nobody decides ends by itself after this time."),
        keeps=N_("Flags raised before end when they were to end."),
        least=HOUR,
        most=180 * DAY,
        needs_second=True,
    ),
    Spec(
        name="risk_binds_hour",
        group=Group.RISK,
        unit=Unit.COUNT,
        label=N_("Customers won within an hour"),
        governs=N_("So many or more raise a flag."),
        keeps=_FLAGS_KEEP,
        least=2,
        most=1_000,
    ),
    Spec(
        name="risk_binds_day",
        group=Group.RISK,
        unit=Unit.COUNT,
        label=N_("Customers won within a day"),
        governs=N_("So many or more raise a flag."),
        keeps=_FLAGS_KEEP,
        least=2,
        most=10_000,
    ),
    Spec(
        name="risk_shared_people",
        group=Group.RISK,
        unit=Unit.COUNT,
        label=N_("Buying customers who share something"),
        governs=N_("So many with one phone, device, payer or name in common raise a flag."),
        keeps=_FLAGS_KEEP,
        least=2,
        most=100,
    ),
    Spec(
        name="risk_unpaid_device_people",
        group=Group.RISK,
        unit=Unit.COUNT,
        label=N_("Customers of one device who never bought"),
        governs=N_("So many or more raise a flag."),
        keeps=_FLAGS_KEEP,
        least=2,
        most=1_000,
    ),
    Spec(
        name="risk_refund_bp",
        group=Group.RISK,
        unit=Unit.RATE,
        label=N_("Share of orders with money given back"),
        governs=N_("From this share of paid orders on a flag is raised."),
        keeps=_FLAGS_KEEP,
        least=100,
        most=10_000,
    ),
    Spec(
        name="risk_refund_orders_min",
        group=Group.RISK,
        unit=Unit.COUNT,
        label=N_("Orders below which that share says nothing"),
        governs=N_("Distributors with fewer paid orders are not judged by their refunds."),
        keeps=_FLAGS_KEEP,
        least=1,
        most=1_000,
    ),
    Spec(
        name="risk_pair_orders",
        group=Group.RISK,
        unit=Unit.COUNT,
        label=N_("Orders each way between two distributors"),
        governs=N_("So many or more raise a flag: two who only buy from each other."),
        keeps=_FLAGS_KEEP,
        least=1,
        most=100,
    ),
    Spec(
        name="risk_by_word_day",
        group=Group.RISK,
        unit=Unit.COUNT,
        label=N_("Hand-overs without a code in a day"),
        governs=N_(
            "So many or more by one of the staff are shown to be looked at: guest cards used, and"
            " orders handed over, without the code on the customer's phone."
        ),
        keeps=AT_ONCE,
        least=1,
        most=1_000,
    ),
)

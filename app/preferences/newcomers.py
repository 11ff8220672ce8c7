"""Settings of who counts as a new customer, and as one who was brought. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import YEAR, Group, Spec
from app.preferences.units import Unit

NEWCOMERS: Final[tuple[Spec, ...]] = (
    Spec(
        name="kept_order_fen",
        group=Group.PROMOTIONS,
        unit=Unit.MONEY,
        label=N_("When an order counts as kept"),
        governs=N_(
            "How much of an order must not have been given back for it to count as a first order"
            " or as an invited friend's."
        ),
        keeps=N_("What has counted stays counted."),
        least=1,
        most=1_000_000,
    ),
    Spec(
        name="former_customer_seconds",
        group=Group.PROMOTIONS,
        unit=Unit.SPAN,
        label=N_("How long erased customers are recognised"),
        governs=N_(
            "Who has their data erased and comes back gets no second guest card or other gift for"
            " new customers within this time. Only hashes under a key are kept for it; 0 keeps"
            " none."
        ),
        keeps=N_("What was kept before goes when it was to go."),
        least=0,
        most=2 * YEAR,
    ),
)

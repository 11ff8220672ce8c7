"""Settings that protect: sign-in, limits, what staff may look at. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import AT_ONCE, HOUR, YEAR, Group, Spec
from app.preferences.units import Unit

GUARDS: Final[tuple[Spec, ...]] = (
    Spec(
        name="session_seconds",
        group=Group.SECURITY,
        unit=Unit.SPAN,
        label=N_("How long a customer stays signed in"),
        governs=N_("How long the mini-program stays signed in without asking WeChat again."),
        keeps=N_("Sessions opened before end when they were to end."),
        least=HOUR,
        most=YEAR,
    ),
    Spec(
        name="fresh_sign_in_seconds",
        group=Group.SECURITY,
        unit=Unit.SPAN,
        label=N_("How fresh a sign-in must be to withdraw"),
        governs=N_("Whoever signed in longer ago confirms with WeChat before asking for a payout."),
        keeps=AT_ONCE,
        least=60,
        most=HOUR,
    ),
    Spec(
        name="rate_limit_per_minute",
        group=Group.SECURITY,
        unit=Unit.COUNT,
        label=N_("Writes of one person in a minute"),
        governs=N_("How often one person may write through the mini-program."),
        keeps=AT_ONCE,
        least=10,
        most=10_000,
    ),
    Spec(
        name="sign_in_limit_per_minute",
        group=Group.SECURITY,
        unit=Unit.COUNT,
        label=N_("Sign-ins of one address in a minute"),
        governs=N_("How often one address may try to sign in, here and in the mini-program."),
        keeps=AT_ONCE,
        least=3,
        most=10_000,
    ),
    Spec(
        name="phone_looks_per_day",
        group=Group.SECURITY,
        unit=Unit.COUNT,
        label=N_("Phone numbers one person may see in a day"),
        governs=N_(
            "How many whole phone numbers a member of staff may look at, each for a reason."
        ),
        keeps=N_("Looks of today count against the new limit."),
        least=0,
        most=1_000,
        source=N_("Personal Information Protection Law, Article 6: no more than is needed."),
        needs_second=True,
    ),
)

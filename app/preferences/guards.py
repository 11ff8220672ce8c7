"""Settings that protect: sign-in, limits, what staff may look at. Pure."""

from typing import Final

from app.kernel.i18n import N_
from app.preferences.specs import AT_ONCE, DAY, HOUR, YEAR, Group, Spec
from app.preferences.units import Unit

_SESSIONS_KEEP: Final = N_("It counts at once, for sessions that are open as well.")

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
        name="staff_idle_seconds",
        group=Group.SECURITY,
        unit=Unit.SPAN,
        label=N_("How long the back office waits for a click"),
        governs=N_("Staff who do nothing for this long sign in again."),
        keeps=_SESSIONS_KEEP,
        least=5 * 60,
        most=DAY,
    ),
    Spec(
        name="staff_session_seconds",
        group=Group.SECURITY,
        unit=Unit.SPAN,
        label=N_("How long staff stay signed in at most"),
        governs=N_("After this time staff sign in again, whatever they do."),
        keeps=N_("Sessions opened before end when they were to end."),
        least=HOUR,
        most=7 * DAY,
    ),
    Spec(
        name="privacy_cooling_seconds",
        group=Group.SECURITY,
        unit=Unit.SPAN,
        label=N_("How long a wish to be erased can be taken back"),
        governs=N_("Personal data is erased this long after somebody asked for it."),
        keeps=N_("Wishes made before are carried out on the day they were told."),
        least=HOUR,
        most=15 * DAY,
        source=N_("Personal Information Protection Law, Articles 47 and 50: erase without delay."),
        needs_second=True,
    ),
    Spec(
        name="privacy_copy_seconds",
        group=Group.SECURITY,
        unit=Unit.SPAN,
        label=N_("How long a copy of one's data can be fetched"),
        governs=N_("Afterwards the copy is deleted, and another one has to be asked for."),
        keeps=N_("Copies made before can be fetched until they were to be deleted."),
        least=HOUR,
        most=30 * DAY,
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

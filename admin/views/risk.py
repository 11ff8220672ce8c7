"""Risk flags: what looks like fraud, why, and what a person decided about it."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, TextAreaField
from wtforms.validators import InputRequired, Length

from admin.actions import joined, with_reason
from admin.base import ScopedView
from admin.cells import Badge, Who
from admin.decisions import Act, Decision
from admin.details import Section, sentences_section
from admin.filters import Choice, Days, Exactly
from admin.form_pages import FormPage
from admin.forms import REASON_MAX, LookupField, ReasonForm
from admin.i18n import gettext, listed
from admin.labels import label_of
from admin.lookups import distributors
from admin.people import yes_no
from admin.scopes import by_distributor
from app.access import settings
from app.attribution.models import Binding
from app.members.models import Distributor, Member
from app.orders.models import Order
from app.payouts.models import Payout
from app.risk import services
from app.risk.models import RiskFlag
from app.risk.states import STANDING, FlagState, RiskKind
from app.stores.permissions import Permission

SUSPECTS: Final = distributors(Permission.RISK_DECIDE)
SHARED: Final[Mapping[str, Any]] = {
    "device": _("device"),
    "phone": _("phone number"),
    "payer": _("payer"),
    "name": _("real name"),
}


def raise_flag(distributor_id: int, act: Act) -> str:
    """Suspect a distributor for what a form says."""
    flag = joined(
        services.raise_flag,
        distributor_id,
        reason=act.form.reason.data.strip(),
        holds_payouts=act.form.holds_payouts.data,
        actor=act.actor,
        settings=settings(),
        now=act.now,
    )
    return str(flag.id)


class SuspectForm(ReasonForm):
    """Why a distributor is suspected, and whether their payouts wait."""

    holds_payouts = BooleanField(_("Hold payouts meanwhile"), default=True)


class RaiseForm(FlaskForm):
    """Whom somebody suspects, and why."""

    first = ("distributor_id",)
    distributor_id = LookupField(_("Distributor"), loader=SUSPECTS, validators=[InputRequired()])
    holds_payouts = BooleanField(_("Hold payouts meanwhile"), default=True)
    reason = TextAreaField(_("Reason"), validators=[InputRequired(), Length(min=2, max=REASON_MAX)])


def _raise(_row: None, act: Act) -> str:
    return raise_flag(act.form.distributor_id.data, act)


def evidence_in_words(flag: RiskFlag) -> list[str]:
    """Return what a suspicion rests on, in sentences."""
    found = flag.evidence
    texts: dict[RiskKind, str] = {
        RiskKind.BIND_RATE: gettext(
            "%(hour)s customers within an hour, %(day)s within a day.",
            hour=found.get("hour", 0),
            day=found.get("day", 0),
        ),
        RiskKind.REFUND_RATE: gettext(
            "Money was given back of %(refunded)s of %(paid)s paid orders.",
            refunded=found.get("refunded", 0),
            paid=found.get("paid", 0),
        ),
        RiskKind.UNPAID_DEVICE: gettext(
            "%(people)s customers who never bought came from one device.",
            people=found.get("people", 0),
        ),
        RiskKind.PAIR: gettext("Two distributors buy as each other's customers."),
        RiskKind.FROZEN_ABOVE: gettext("Their recommender was frozen."),
        RiskKind.SHARED_IDENTITY: _shared(found),
    }
    said = [found["said"]] if "said" in found else []
    return ([texts[flag.kind]] if flag.kind in texts else []) + said


def _shared(found: Mapping[str, Any]) -> str:
    what = listed(str(SHARED.get(one, one)) for one in found.get("what", ()))
    if found.get("with_owner"):
        text = gettext("%(people)s customers who buy share a %(what)s with the distributor.")
    else:
        text = gettext("%(people)s customers who buy share a %(what)s with each other.")
    return text % {"people": found.get("people", 0), "what": what}


def _short(row: RiskFlag) -> str:
    return " ".join(evidence_in_words(row))


def _hold(row: RiskFlag) -> Badge:
    stands = row.holds_payouts and row.state in STANDING
    return Badge(gettext("Payouts held"), "bad") if stands else yes_no(is_so=False)


class RiskFlagsView(ScopedView):
    """Suspicions about distributors."""

    permission = Permission.RISK_VIEW
    scope = by_distributor(RiskFlag.distributor_id)
    icon = "triangle-alert"
    intro = _(
        "Patterns that look like fraud, and what staff suspect. Payouts wait, nothing is taken,"
        " until somebody decides."
    )

    column_list = ("distributor_id", "kind", "evidence", "hold", "state", "raised_at", "expires_at")
    labels: ClassVar = {
        "hold": _("Holds payouts"),
        "evidence": _("Evidence"),
        "expires_at": _("Ends by itself"),
        "reason": _("Said"),
    }
    computed: ClassVar = {
        "hold": _hold,
        "evidence": _short,
        "raised_by": lambda row: Who(row.raised_by),
        "decided_by": lambda row: Who(row.decided_by) if row.decided_by else None,
    }
    tabs = Choice("state", _("State"), RiskFlag.state, FlagState)
    filters = (
        Choice("kind", _("Kind"), RiskFlag.kind, RiskKind),
        Exactly("distributor", _("Distributor no."), RiskFlag.distributor_id, is_id=True),
        Days("raised", _("Raised at"), RiskFlag.raised_at),
    )
    facts = (
        "distributor_id",
        "kind",
        "hold",
        "raised_at",
        "raised_by",
        "expires_at",
        "decided_at",
        "decided_by",
        "reason",
    )
    badge = "state"
    lookups = (SUSPECTS,)
    decisions = (
        Decision(
            name="release",
            label=_("Release"),
            permission=Permission.RISK_DECIDE,
            question=_("Let these suspicions go?"),
            warning=_(
                "Payouts go on. The same evidence is not held against the distributor again."
            ),
            run=with_reason(services.release),
            form=ReasonForm,
            possible=lambda row: row.state in STANDING,
            is_primary=True,
        ),
        Decision(
            name="confirm",
            label=_("Confirm"),
            permission=Permission.RISK_DECIDE,
            question=_("Are these suspicions right?"),
            warning=_(
                "Payouts stay held until somebody releases them. Freeze the distributor on their"
                " own page if they are to win nobody any more."
            ),
            run=with_reason(services.confirm),
            form=ReasonForm,
            possible=lambda row: row.state is FlagState.OPEN,
            is_danger=True,
        ),
    )
    form_pages = (
        FormPage(
            name="raise",
            label=_("Raise a flag"),
            title=_("Suspect a distributor"),
            intro=_("Say what you saw. The distributor is told nothing; requests wait."),
            permission=Permission.RISK_DECIDE,
            form=RaiseForm,
            run=_raise,
            done=_("The flag is raised."),
            is_primary=True,
        ),
    )

    def title_of(self, row: RiskFlag) -> str:
        """Return what is suspected, and the number."""
        return f"{label_of(row.kind)} #{row.id}"

    def sections(self, row: RiskFlag) -> Iterable[Section | None]:
        """Tell what it rests on, and show the rows behind it and the payouts that wait."""
        yield sentences_section(_("Why"), evidence_in_words(row))
        found = row.evidence
        for key, endpoint, column in (
            ("members", "members", Member.id),
            ("distributors", "distributors", Distributor.member_id),
            ("orders", "orders", Order.id),
            ("bindings", "bindings", Binding.id),
        ):
            if found.get(key):
                yield self.related(endpoint, column.in_(found[key]))
        yield self.related(
            "payouts",
            Payout.member_id == row.distributor_id,
            without=("member_id",),
            distributor=row.distributor_id,
        )

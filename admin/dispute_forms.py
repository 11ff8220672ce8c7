"""Forms about disputes: a claim with its pictures, more pictures, and the two who uphold it."""

from typing import Any, Final

from flask import request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from werkzeug.datastructures import FileStorage
from wtforms import SelectField, TextAreaField
from wtforms.validators import InputRequired, Length

from admin.actions import SecondPersonForm, joined
from admin.decisions import Act
from admin.forms import LookupField, MomentField
from admin.i18n import gettext, say_error
from admin.lookups import customers, distributors
from admin.store_choices import visible_stores
from admin.urls import as_id
from app.attribution import disputes, evidence
from app.attribution.dispute_errors import (
    ClaimInvalid,
    EvidenceRepeated,
    EvidenceTooLarge,
    EvidenceTooManyPixels,
    EvidenceUnreadable,
    MomentInvalid,
    TooMuchEvidence,
)
from app.attribution.dispute_models import EVIDENCE_BYTES_MAX, EVIDENCE_MAX, OwnershipDispute
from app.attribution.rules import Owner
from app.kernel.clock import utc_now
from app.kernel.errors import DomainError
from app.kernel.pictures import Picture
from app.stores.permissions import Permission

OPEN: Final = Permission.DISPUTES_OPEN
CUSTOMERS: Final = customers(OPEN)
CLAIMANTS: Final = distributors(OPEN)
UPLOAD_BYTES_MAX: Final = EVIDENCE_MAX * EVIDENCE_BYTES_MAX + 1024 * 1024
"""Pictures at their largest, and the fields beside them."""
OF_PICTURES: Final = (
    EvidenceRepeated,
    EvidenceTooLarge,
    EvidenceTooManyPixels,
    EvidenceUnreadable,
    TooMuchEvidence,
)
PICTURES_HINT: Final = _("Up to five JPEG, PNG or WebP pictures of at most 5 MB each.")
ACCEPTED: Final = {"accept": "image/jpeg,image/png,image/webp"}


class EvidenceForm(FlaskForm):
    """Pictures to add."""

    pictures = MultipleFileField(_("Pictures"), description=PICTURES_HINT, render_kw=ACCEPTED)

    def validate(self, extra_validators: Any = None) -> bool:
        """Demand a picture at least."""
        is_valid: bool = super().validate(extra_validators)
        if not sent(self):
            self.pictures.errors = [gettext("Please choose a picture.")]
            return False
        return is_valid


class ClaimForm(FlaskForm):
    """Whose the customer is said to be, about which moment, and on what grounds."""

    first = ("customer_id", "claimant_id", "claimant_store_id", "about_at", "claim")

    customer_id = LookupField(_("Customer"), loader=CUSTOMERS, validators=[InputRequired()])
    claimant_id = LookupField(
        _("Claimant"),
        loader=CLAIMANTS,
        description=_("The distributor who says that the customer is theirs."),
    )
    claimant_store_id = SelectField(
        _("Or a store"), description=_("Where a store says so, leave the distributor empty.")
    )
    about_at = MomentField(
        _("Moment in dispute"),
        validators=[InputRequired()],
        description=_("The moment at which the customer should have belonged to the claimant."),
    )
    claim = TextAreaField(
        _("Claim"),
        validators=[
            InputRequired(),
            Length(disputes.CLAIM_LENGTH_MIN, disputes.CLAIM_LENGTH_MAX),
        ],
        description=_("What happened, in the words of the claimant."),
        render_kw={"rows": 5},
    )
    pictures = MultipleFileField(_("Pictures"), description=PICTURES_HINT, render_kw=ACCEPTED)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.claimant_store_id.choices = [("", "–"), *visible_stores()]

    def validate(self, extra_validators: Any = None) -> bool:
        """Demand exactly one claimant."""
        is_valid: bool = super().validate(extra_validators)
        is_refused = bool(self.claimant_id.errors)
        if not is_refused and bool(self.claimant_id.data) == bool(self.claimant_store_id.data):
            self.claimant_id.errors = [gettext("Choose either a distributor or a store.")]
            return False
        return is_valid

    def claimant(self) -> Owner:
        """Return who says that the customer is theirs."""
        store_id = self.claimant_store_id.data
        return Owner.of(self.claimant_id.data, int(store_id) if store_id else None)


class UpholdForm(SecondPersonForm):
    """Why the claimant is right, and who agrees."""

    permission = Permission.BINDINGS_TRANSFER
    kind = "dispute_resolution"


def begin_claim(_row: None) -> dict[str, Any]:
    """Begin with the customer whose page led here, and with now."""
    customer_id = as_id(request.args.get("customer", ""))
    return {"customer_id": customer_id, "about_at": utc_now()}


def sent(form: Any) -> list[FileStorage]:
    """Return the files that were chosen; browsers send one without a name for none."""
    return [one for one in form.pictures.data or [] if getattr(one, "filename", "")]


def _pictures(form: Any) -> list[Picture]:
    """Draw every picture anew, before any transaction begins; raises what is wrong with one."""
    files = sent(form)
    if len(files) > EVIDENCE_MAX:
        raise TooMuchEvidence(EVIDENCE_MAX)
    return [evidence.redraw(one.stream.read(EVIDENCE_BYTES_MAX + 1)) for one in files]


def open_dispute(_row: None, act: Act) -> str:
    """Open a dispute together with its pictures, or not at all."""
    form = act.form
    pictures = _pictures(form)
    claim = disputes.Claim(
        customer_id=form.customer_id.data,
        claimant=form.claimant(),
        text=form.claim.data,
        about_at=form.about_at.data,
    )

    def opened(session: Any) -> int:
        row = disputes.open_dispute(session, claim, actor=act.actor, now=act.now)
        for one in pictures:
            evidence.add_evidence(session, row.id, one, actor=act.actor, now=act.now)
        return row.id

    return str(joined(opened))


def add_pictures(row: OwnershipDispute, act: Act) -> str:
    """Add pictures to a dispute, all or none."""
    dispute_id = row.id
    pictures = _pictures(act.form)

    def added(session: Any) -> None:
        for one in pictures:
            evidence.add_evidence(session, dispute_id, one, actor=act.actor, now=act.now)

    joined(added)
    return str(dispute_id)


def uphold(row: OwnershipDispute, act: Act) -> str:
    """Give the customer to the claimant: both people are here."""
    dispute_id = row.id
    joined(
        disputes.uphold_dispute,
        dispute_id,
        actor=act.actor,
        second_actor=act.form.second_actor,
        reason=act.form.reason.data.strip(),
        now=act.now,
    )
    return str(dispute_id)


def explain(error: DomainError, form: Any) -> bool:
    """Put a refusal beside the field it is about."""
    if isinstance(error, OF_PICTURES):
        form.pictures.errors = [say_error(error)]
    elif isinstance(error, ClaimInvalid):
        form.claim.errors = [say_error(error)]
    elif isinstance(error, MomentInvalid):
        form.about_at.errors = [say_error(error)]
    else:
        return False
    return True

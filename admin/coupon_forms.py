"""Forms about coupons: a template, how many there are, giving one, pushing many."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from admin.forms import (
    CountField,
    LookupField,
    MomentField,
    ReasonForm,
    TicksField,
    YuanField,
)
from admin.i18n import gettext
from admin.labels import label_of
from admin.lookups import customers
from admin.staff import visible_store_ids
from admin.store_choices import visible_stores
from app.catalog.models import Product
from app.coupons.errors import TemplateInvalid
from app.coupons.models import PER_MEMBER_MAX, STOCK_MAX, CouponTemplate
from app.coupons.states import CouponKind
from app.coupons.templates import WAYS, TemplateSpec
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.members.file_models import MemberTag, Tag
from app.members.models import Member, MemberStore
from app.stores.permissions import Permission

DAY_SECONDS: Final = 86_400
PERCENT: Final = 100
DAYS_MAX: Final = 1_800
EVERYBODY: Final = "all"
RECIPIENTS: Final = customers(Permission.COUPONS_GIVE)
FIELD_OF: Final = {"percent_bp": "percent", "valid_seconds": "valid_days"}
"""Fields of a template that the form asks for in another unit."""


class TemplateForm(FlaskForm):
    """What staff say of a coupon."""

    title = StringField(_("Title"), validators=[InputRequired(), Length(max=80)])
    title_en = StringField(_("English title"), validators=[Length(max=80)])
    kind = SelectField(_("Kind"))
    amount_fen = YuanField(_("Amount off"), description=_("Only for an amount off."))
    percent = IntegerField(
        _("Percent off"),
        validators=[Optional(), NumberRange(1, PERCENT)],
        description=_("Only for a percentage: 15 leaves 85 % to pay."),
    )
    most_fen = YuanField(
        _("At most off"), description=_("Only for a percentage; empty for no limit.")
    )
    threshold_fen = YuanField(
        _("From an amount of"),
        description=_("What the products it is for must cost before any coupon."),
    )
    product_ids = TicksField(
        _("Only these products"),
        coerce=int,
        validators=[Optional()],
        description=_("None ticked: all. An exchange makes one piece of exactly one free."),
    )
    store_ids = TicksField(
        _("Only these stores"),
        coerce=int,
        validators=[Optional()],
        description=_("None ticked: all stores of the brand."),
    )
    is_stackable = BooleanField(_("Goes with other coupons"))
    is_given_back = BooleanField(_("Comes back when its order is refunded"), default=True)
    per_member = CountField(_("For each customer"), most=PER_MEMBER_MAX, default=1)
    stock = IntegerField(
        _("How many in all"), validators=[InputRequired(), NumberRange(0, STOCK_MAX)]
    )
    ways = TicksField(_("Ways to get it"), validators=[Optional()])
    claim_from_at = MomentField(_("Can be claimed from"), validators=[InputRequired()])
    claim_until_at = MomentField(_("Can be claimed until"), validators=[InputRequired()])
    valid_days = IntegerField(
        _("Good for so many days from the claim on"),
        validators=[Optional(), NumberRange(1, DAYS_MAX)],
        description=_("Or say from when until when, below."),
    )
    valid_from_at = MomentField(_("Good from"), validators=[Optional()])
    valid_until_at = MomentField(_("Good until"), validators=[Optional()])
    terms = TextAreaField(_("Conditions"), validators=[Length(max=2000)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the kinds, ways, products, and the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.kind.choices = [(one.value, label_of(one)) for one in CouponKind]
        self.ways.choices = [(one.value, label_of(one)) for one in WAYS]
        self.store_ids.choices = [(int(key), name) for key, name in visible_stores()]
        found = sa.select(Product.id, Product.title).order_by(Product.title)
        self.product_ids.choices = [(row.id, row.title) for row in db.session.execute(found)]

    def spec(self, row: CouponTemplate | None = None) -> TemplateSpec:
        """Return what was filled in as the service takes it; how many there are stays as it is."""
        days, opens, closes = (
            self.valid_days.data,
            self.claim_from_at.data,
            self.claim_until_at.data,
        )
        assert opens is not None, "the form asked for it"
        assert closes is not None, "the form asked for it"
        return TemplateSpec(
            kind=CouponKind(self.kind.data),
            title=self.title.data,
            title_en=self.title_en.data or "",
            terms=(self.terms.data or "").strip(),
            amount_fen=self.amount_fen.data,
            percent_bp=None if self.percent.data is None else self.percent.data * PERCENT,
            most_fen=self.most_fen.data,
            threshold_fen=self.threshold_fen.data or 0,
            store_ids=tuple(self.store_ids.data or ()) or None,
            product_ids=tuple(self.product_ids.data or ()) or None,
            is_stackable=self.is_stackable.data,
            is_given_back=self.is_given_back.data,
            per_member=self.per_member.data,
            stock=self.stock.data if row is None else row.stock,
            ways=tuple(self.ways.data or ()),
            claim_from_at=opens,
            claim_until_at=closes,
            valid_from_at=self.valid_from_at.data,
            valid_until_at=self.valid_until_at.data,
            valid_seconds=None if days is None else days * DAY_SECONDS,
        )


class TemplateEditForm(TemplateForm):
    """What staff change of a coupon; how many there are is changed by itself, with a reason."""

    stock = None


def begin_template(row: CouponTemplate) -> Mapping[str, Any]:
    """Return what the form about a template begins with."""
    seconds, bp = row.valid_seconds, row.percent_bp
    same = (
        *("title", "title_en", "amount_fen", "most_fen", "threshold_fen", "per_member", "terms"),
        *("is_stackable", "is_given_back", "claim_from_at", "claim_until_at"),
        *("valid_from_at", "valid_until_at"),
    )
    return {name: getattr(row, name) for name in same} | {
        "kind": row.kind.value,
        "percent": None if bp is None else bp // PERCENT,
        "product_ids": list(row.product_ids or ()),
        "store_ids": list(row.store_ids or ()),
        "ways": list(row.ways),
        "valid_days": None if seconds is None else timedelta(seconds=seconds).days,
    }


def explain_template(error: DomainError, form: FlaskForm) -> bool:
    """Put a refusal beside the field it is about."""
    if not isinstance(error, TemplateInvalid):
        return False
    name = FIELD_OF.get(error.field, error.field)
    if name not in form:
        return False
    form[name].errors = [gettext("This is not possible here.")]
    return True


class StockForm(ReasonForm):
    """How many coupons of a template there are in all."""

    stock = IntegerField(
        _("How many in all"),
        validators=[InputRequired(), NumberRange(0, STOCK_MAX)],
        description=_("Never fewer than were given out."),
    )


class GiveForm(ReasonForm):
    """Whom a coupon is given to, and why."""

    member_id = LookupField(_("Customer"), loader=RECIPIENTS, validators=[InputRequired()])


class RedeemForm(FlaskForm):
    """What the customer shows, and in which store what it is for is handed over."""

    code = StringField(
        _("Code on the customer's phone"),
        validators=[InputRequired(), Length(max=120)],
        description=_("It changes every minute; scan it, or have it read out."),
        render_kw={"autocomplete": "off"},
    )
    store_id = SelectField(_("Store"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = visible_stores()


class PushForm(FlaskForm):
    """Whom coupons are pushed to."""

    title = StringField(
        _("Occasion"),
        validators=[InputRequired(), Length(max=80)],
        description=_("What it is called on the list of pushes."),
    )
    audience = SelectField(_("To whom"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer everybody in reach, and each tag."""
        super().__init__(*args, **kwargs)
        tags = sa.select(Tag.id, Tag.name).where(Tag.retired_at.is_(None)).order_by(Tag.name)
        self.audience.choices = [
            (EVERYBODY, gettext("All customers")),
            *(
                (str(row.id), gettext("Tag: %(name)s", name=row.name))
                for row in db.session.execute(tags)
            ),
        ]

    def members(self) -> sa.Select[Any]:
        """Return the ids of the customers meant, of the stores of the person here alone."""
        wanted: sa.Select[Any] = sa.select(Member.id)
        if self.audience.data != EVERYBODY:
            tagged = sa.select(MemberTag.member_id).where(
                MemberTag.tag_id == int(self.audience.data)
            )
            wanted = wanted.where(Member.id.in_(tagged))
        store_ids = visible_store_ids()
        if store_ids is not None:
            known = sa.select(MemberStore.member_id).where(MemberStore.store_id.in_(store_ids))
            wanted = wanted.where(Member.id.in_(known))
        return wanted

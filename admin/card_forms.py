"""Forms about guest cards: what a kind of card is, and what a customer shows at the counter."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from admin.coupon_choices import live_coupons
from admin.forms import CountField, MomentField, TicksField, YuanField
from admin.i18n import gettext
from admin.store_choices import visible_stores
from app.catalog.models import Product, ProductKind
from app.guest_cards import templates
from app.guest_cards.errors import CardTemplateInvalid
from app.guest_cards.models import CardTemplate
from app.guest_cards.templates import TemplateSpec
from app.kernel.db import db
from app.kernel.errors import DomainError

SERVICES: Final = (1, 2, 3)
LEVELS: Final = range(1, templates.LEVEL_MAX + 1)
NONE: Final = ""
FIELD_OF: Final = {"services": "service_1", "quotas": "quota_1"}
"""Facts of a template that the form asks for in several fields."""


class CardTemplateForm(FlaskForm):
    """What staff say of a kind of guest card."""

    name = StringField(
        _("Name"), validators=[InputRequired(), Length(max=templates.NAME_LENGTH_MAX)]
    )
    description = TextAreaField(
        _("Description"), validators=[Length(max=templates.DESCRIPTION_LENGTH_MAX)]
    )
    service_1 = SelectField(_("Service"))
    count_1 = CountField(_("How many times"), most=templates.COUNT_MAX, default=1)
    service_2 = SelectField(_("Second service"))
    count_2 = CountField(_("How many times"), most=templates.COUNT_MAX, default=1)
    service_3 = SelectField(_("Third service"))
    count_3 = CountField(_("How many times"), most=templates.COUNT_MAX, default=1)
    face_value_fen = YuanField(_("Worth"), validators=[InputRequired()])
    cost_fen = YuanField(
        _("Cost of a use"), description=_("Booked against marketing, for each time.")
    )
    settle_price_fen = YuanField(
        _("Settlement price"),
        description=_("What the giver's store owes another store for each time used there."),
    )
    store_ids = TicksField(
        _("Only these stores"),
        coerce=int,
        validators=[Optional()],
        description=_("None ticked: all stores of the brand."),
    )
    valid_days = CountField(_("Good for so many days"), most=templates.VALID_DAYS_MAX, default=90)
    ends_at = MomentField(_("Not good after"), validators=[Optional()])
    is_new_only = BooleanField(_("Only for new customers"), default=True)
    slot_minutes = IntegerField(
        _("Length of a booking in minutes"),
        validators=[Optional(), NumberRange(10, 480)],
        description=_("Empty: these cards are used without a booking."),
    )
    slot_capacity = IntegerField(
        _("Bookings at the same time"), validators=[Optional(), NumberRange(1, 99)]
    )
    reward_points = IntegerField(
        _("Points for the giver"),
        validators=[Optional(), NumberRange(0, templates.REWARD_POINTS_MAX)],
        description=_("Once for each new customer who comes."),
    )
    reward_coupon = SelectField(
        _("Or a coupon for the giver"), description=_("Only where no points are given.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer services, coupons, and the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        services = sa.select(Product.id, Product.title).where(Product.kind == ProductKind.SERVICE)
        offered = _choices(services.order_by(Product.title))
        for number in SERVICES:
            self[f"service_{number}"].choices = offered
        self.reward_coupon.choices = [(NONE, "–"), *live_coupons()]
        self.store_ids.choices = [(int(key), name) for key, name in visible_stores()]

    def spec(self) -> TemplateSpec:
        """Return what was filled in as the service takes it."""
        coupon = self.reward_coupon.data
        return TemplateSpec(
            name=self.name.data,
            description=(self.description.data or "").strip(),
            face_value_fen=self.face_value_fen.data or 0,
            cost_fen=self.cost_fen.data or 0,
            settle_price_fen=self.settle_price_fen.data or 0,
            store_ids=tuple(self.store_ids.data or ()) or None,
            valid_days=self.valid_days.data,
            ends_at=self.ends_at.data,
            is_new_only=self.is_new_only.data,
            slot_minutes=self.slot_minutes.data,
            slot_capacity=self.slot_capacity.data,
            reward_points=self.reward_points.data or 0,
            reward_coupon_template_id=int(coupon) if coupon else None,
            services=self._services(),
            quotas={level: self[f"quota_{level}"].data or 0 for level in LEVELS},
        )

    def _services(self) -> dict[int, int]:
        """Return how many times of each service; one that is named twice adds up."""
        counts: dict[int, int] = {}
        for number in SERVICES:
            key = self[f"service_{number}"].data
            if key:
                more = self[f"count_{number}"].data or 1
                counts[int(key)] = counts.get(int(key), 0) + more
        return counts


for _level in LEVELS:
    setattr(
        CardTemplateForm,
        f"quota_{_level}",
        IntegerField(
            _("Cards a month at level %(level)s", level=_level),
            validators=[Optional(), NumberRange(0, templates.QUOTA_MAX)],
        ),
    )


class RedeemForm(FlaskForm):
    """What a customer shows, or their number; and where."""

    code = StringField(
        _("Code on the customer's phone"),
        validators=[Length(max=120)],
        render_kw={"autocomplete": "off"},
        description=_("Scan it; it lasts a minute and is good once."),
    )
    phone = StringField(
        _("Or their phone number"),
        validators=[Length(max=20)],
        render_kw={"inputmode": "tel", "autocomplete": "off"},
        description=_("The card that runs out first is used. It stands there as your word alone."),
    )
    store_id = SelectField(_("Store"), validators=[InputRequired()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person at the counter."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = visible_stores()


def begin_template(row: CardTemplate) -> Mapping[str, Any]:
    """Return what the form about a template begins with."""
    found = db.session.scalars(templates.loaded().where(CardTemplate.id == row.id)).one()
    same = (
        *("name", "description", "face_value_fen", "cost_fen", "settle_price_fen", "valid_days"),
        *("ends_at", "is_new_only", "slot_minutes", "slot_capacity", "reward_points"),
    )
    values: dict[str, Any] = {name: getattr(found, name) for name in same}
    values["store_ids"] = list(found.store_ids or ())
    values["reward_coupon"] = str(found.reward_coupon_template_id or NONE)
    for number, one in zip(SERVICES, found.services, strict=False):
        values |= {f"service_{number}": str(one.product_id), f"count_{number}": one.count}
    return values | {f"quota_{one.level}": one.count for one in found.level_quotas}


def explain_template(error: DomainError, form: FlaskForm) -> bool:
    """Put a refusal beside the field it is about."""
    if not isinstance(error, CardTemplateInvalid):
        return False
    name = FIELD_OF.get(error.field, error.field)
    if name not in form:
        return False
    form[name].errors = [gettext("This is not possible here.")]
    return True


def _choices(query: Any) -> list[tuple[str, str]]:
    return [(NONE, "–"), *((str(row[0]), row[1]) for row in db.session.execute(query))]

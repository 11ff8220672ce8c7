"""Forms about levels, the level of one customer, and tasks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from admin import staff
from admin.coupon_choices import live_coupons
from admin.forms import NEW_ROW, CountField, MomentField, ReasonForm, TicksField
from admin.labels import label_of
from app.catalog.models import Product, ProductKind
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.loyalty.models import MemberTask, RewardKind, TaskKind
from app.loyalty.rewards import AMOUNT_MAX, COUPONS_MAX, Reward, rewards_of
from app.loyalty.tasks import TARGET_MAX, TaskSpec
from app.membership.errors import BrandOnly
from app.membership.leveling import DAYS_MAX, GROWTH_MAX, LevelSpec
from app.membership.models import MembershipLevel
from app.membership.queries import LevelTerms, levels_at

PERCENT: Final = 100
NOTHING: Final = ""


def require_brand() -> None:
    """Refuse staff of some stores what is of the whole brand. Raises `BrandOnly`."""
    if staff.visible_store_ids() is not None:
        raise BrandOnly


def _coupon_field(label: Any) -> SelectField:
    return SelectField(label, validators=[Optional()], render_kw=NEW_ROW)


def _amount_field(label: Any, most: int = AMOUNT_MAX) -> IntegerField:
    return IntegerField(label, validators=[Optional(), NumberRange(0, most)], default=0)


def _offer_coupons(*fields: SelectField) -> None:
    found = live_coupons()
    for one in fields:
        choices = [(NOTHING, "–"), *found]
        if one.data and one.data not in {key for key, _title in choices}:
            choices.append((one.data, f"#{one.data}"))
        one.choices = choices


def _gift(form: Any, name: str) -> list[Reward]:
    """Return what the fields of a gift say; nothing where they are empty."""
    found = []
    template, count = form[f"{name}_coupon"].data, form[f"{name}_coupons"].data or 1
    if template:
        found.append(Reward.coupon(int(template), max(1, count)))
    if form[f"{name}_points"].data:
        found.append(Reward.points(form[f"{name}_points"].data))
    growth = f"{name}_growth"
    if growth in form and form[growth].data:
        found.append(Reward.growth(form[growth].data))
    return found


def _begin_gift(name: str, listed: Sequence[Any]) -> dict[str, Any]:
    values: dict[str, Any] = {f"{name}_coupon": "", f"{name}_coupons": 1, f"{name}_points": 0}
    for reward in rewards_of(listed):
        if reward.kind is RewardKind.COUPON:
            values[f"{name}_coupon"] = str(reward.template_id)
            values[f"{name}_coupons"] = reward.amount
        else:
            values[f"{name}_{reward.kind}"] = reward.amount
    return values


class LevelForm(ReasonForm):
    """The rules of a level."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=20)])
    name_en = StringField(_("English name"), validators=[Length(max=20)])
    rank = CountField(_("Rank"), most=99, description=_("The higher, the better the level."))
    growth_at_least = IntegerField(
        _("Growth from"),
        validators=[Optional(), NumberRange(0, GROWTH_MAX)],
        description=_(
            "Within a year. 0: everybody stands here. Empty: no growth leads here, it is bought or"
            " set by hand."
        ),
    )
    discount = IntegerField(
        _("Pays so many percent of the price"),
        validators=[InputRequired(), NumberRange(1, PERCENT)],
        default=PERCENT,
        description=_("95 is 5 % off; 100 is the full price."),
    )
    excluded_product_ids = TicksField(
        _("Products at the full price"), coerce=int, validators=[Optional()]
    )
    multiplier = IntegerField(
        _("Points, in percent"),
        validators=[InputRequired(), NumberRange(0, 1_000)],
        default=PERCENT,
        description=_("150 brings half as many points again for what is paid."),
    )
    benefits = TextAreaField(_("Benefits"), validators=[Length(max=2_000)])
    benefits_en = TextAreaField(_("Benefits in English"), validators=[Length(max=2_000)])
    upgrade_coupon = _coupon_field(_("Upgrade gift: coupon"))
    upgrade_coupons = _amount_field(_("Upgrade gift: how many coupons"), COUPONS_MAX)
    upgrade_points = _amount_field(_("Upgrade gift: points"))
    birthday_coupon = _coupon_field(_("Birthday gift: coupon"))
    birthday_coupons = _amount_field(_("Birthday gift: how many coupons"), COUPONS_MAX)
    birthday_points = _amount_field(_("Birthday gift: points"))
    paid_product_id = SelectField(
        _("Sold as"),
        validators=[Optional()],
        description=_("A service whose paid order holds the level; a refund ends it."),
    )
    paid_days = IntegerField(
        _("For so many days"), validators=[Optional(), NumberRange(1, DAYS_MAX)]
    )
    is_retired = BooleanField(
        _("Retired"),
        description=_("Nobody reaches or buys it any more; who holds it keeps it for their time."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer products and coupons."""
        super().__init__(*args, **kwargs)
        found = db.session.execute(
            sa.select(Product.id, Product.title, Product.kind).order_by(Product.title)
        ).all()
        self.excluded_product_ids.choices = [(row.id, row.title) for row in found]
        services = [row for row in found if row.kind is ProductKind.SERVICE]
        self.paid_product_id.choices = [
            (NOTHING, "–"),
            *((str(row.id), row.title) for row in services),
        ]
        _offer_coupons(self.upgrade_coupon, self.birthday_coupon)

    def spec(self) -> LevelSpec:
        """Return what was filled in as the service takes it."""
        return LevelSpec(
            rank=self.rank.data,
            name=self.name.data,
            name_en=self.name_en.data or "",
            growth_at_least=self.growth_at_least.data,
            discount_bp=self.discount.data * PERCENT,
            points_multiplier_bp=self.multiplier.data * PERCENT,
            benefits=(self.benefits.data or "").strip(),
            benefits_en=(self.benefits_en.data or "").strip(),
            upgrade_gift=[one.to_json() for one in _gift(self, "upgrade")],
            birthday_gift=[one.to_json() for one in _gift(self, "birthday")],
            excluded_product_ids=tuple(self.excluded_product_ids.data or ()),
            paid_product_id=int(self.paid_product_id.data) if self.paid_product_id.data else None,
            paid_days=self.paid_days.data,
            is_retired=self.is_retired.data,
        )


def begin_level(row: MembershipLevel) -> Mapping[str, Any]:
    """Return the rules in force of a level as its form holds them."""
    rules = terms_of(row).version
    return {
        "name": rules.name,
        "name_en": rules.name_en,
        "rank": row.rank,
        "growth_at_least": rules.growth_at_least,
        "discount": rules.discount_bp // PERCENT,
        "multiplier": rules.points_multiplier_bp // PERCENT,
        "benefits": rules.benefits,
        "benefits_en": rules.benefits_en,
        "excluded_product_ids": rules.excluded_product_ids,
        "paid_product_id": str(rules.paid_product_id or NOTHING),
        "paid_days": rules.paid_days,
        "is_retired": rules.is_retired,
        **_begin_gift("upgrade", rules.upgrade_gift),
        **_begin_gift("birthday", rules.birthday_gift),
    }


def terms_of(row: MembershipLevel) -> LevelTerms:
    """Return a level with its rules in force; every level has some from its first moment on."""
    return next(one for one in levels_at(db.session(), at=utc_now()) if one.level_id == row.id)


class SetLevelForm(ReasonForm):
    """Which level a customer holds by the hand of staff, and until when."""

    level_id = SelectField(_("Level"), coerce=int, validators=[InputRequired()])
    until_at = MomentField(_("Until"), validators=[InputRequired()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer every level that is not retired."""
        super().__init__(*args, **kwargs)
        known = levels_at(db.session(), at=utc_now())
        self.level_id.choices = [
            (one.level_id, one.version.name) for one in known if not one.version.is_retired
        ]


class GrowthForm(ReasonForm):
    """How much growth is given, or taken where it is negative."""

    amount = IntegerField(
        _("Growth"),
        validators=[InputRequired(), NumberRange(-AMOUNT_MAX, AMOUNT_MAX)],
        description=_("Negative takes some away."),
    )


class TaskForm(FlaskForm):
    """A task for customers and what it brings."""

    kind = SelectField(_("Kind"))
    title = StringField(_("Title"), validators=[InputRequired(), Length(max=40)])
    title_en = StringField(_("English title"), validators=[Length(max=40)])
    description = TextAreaField(_("Description"), validators=[Length(max=500)])
    target = CountField(
        _("How many times"),
        most=TARGET_MAX,
        default=1,
        description=_("Such as how many friends. It brings its reward once."),
    )
    reward_coupon = _coupon_field(_("Reward: coupon"))
    reward_coupons = _amount_field(_("Reward: how many coupons"), COUPONS_MAX)
    reward_points = _amount_field(_("Reward: points"))
    reward_growth = _amount_field(_("Reward: growth"))
    starts_at = MomentField(lazy_pgettext("time", "From"), validators=[InputRequired()])
    ends_at = MomentField(_("Until"), validators=[Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer kinds and coupons."""
        super().__init__(*args, **kwargs)
        self.kind.choices = [(one.value, label_of(one)) for one in TaskKind]
        _offer_coupons(self.reward_coupon)

    def spec(self) -> TaskSpec:
        """Return what was filled in as the service takes it."""
        assert self.starts_at.data is not None, "the form asked for it"
        return TaskSpec(
            kind=TaskKind(self.kind.data),
            title=self.title.data,
            title_en=self.title_en.data or "",
            description=self.description.data or "",
            target=self.target.data,
            rewards=_gift(self, "reward"),
            starts_at=self.starts_at.data,
            ends_at=self.ends_at.data,
        )


def begin_task(row: MemberTask) -> Mapping[str, Any]:
    """Return a task as its form holds it."""
    return {
        "kind": row.kind.value,
        "title": row.title,
        "title_en": row.title_en,
        "description": row.description,
        "target": row.target,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "reward_growth": 0,
        **_begin_gift("reward", row.rewards),
    }

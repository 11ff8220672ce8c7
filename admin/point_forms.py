"""Forms about points and their mall: giving or taking by hand, an item, a hand-over."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from admin.actions import SecondPersonForm, joined
from admin.approving import or_ask
from admin.coupon_choices import live_coupons
from admin.decisions import Act
from admin.form_pages import FormPage
from admin.forms import CountField, ReasonForm, TicksField
from admin.i18n import gettext
from admin.labels import label_of
from admin.scopes import AnySelect
from admin.store_choices import visible_stores
from app.catalog.models import Product
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.members.models import Member
from app.points import adjusting, mall
from app.points.adjusting import ADJUST_MAX
from app.points.errors import MallItemInvalid
from app.points.mall import ItemSpec
from app.points.mall_models import MallItem
from app.points.states import ExchangeKind
from app.stores.permissions import Permission

ADJUST: Final = Permission.POINTS_ADJUST
HOW_MANY: Final = _("Below zero, such as -50, takes points; what is taken runs out next.")


class AdjustForm(ReasonForm):
    """How many points a customer is given or loses, and why; few enough for one person."""

    points = IntegerField(
        _("Points"),
        validators=[InputRequired(), NumberRange(-ADJUST_MAX, ADJUST_MAX)],
        description=HOW_MANY,
    )


class AdjustTogetherForm(SecondPersonForm):
    """How many points a customer is given or loses, why, and who agrees."""

    permission = ADJUST
    kind = "points_adjustment"
    points = IntegerField(
        _("Points"),
        validators=[InputRequired(), NumberRange(-ADJUST_MAX, ADJUST_MAX)],
        description=HOW_MANY,
    )

    def payload(self, _row: Member) -> dict[str, Any]:
        """Return how many points are asked for."""
        return {"points": self.points.data}


def _adjust(member: Member, act: Act) -> str:
    joined(
        adjusting.adjust,
        member.id,
        act.form.points.data,
        reason=act.form.reason.data.strip(),
        actor=act.actor,
        second=getattr(act.form, "second_actor", None),
        now=act.now,
    )
    return str(member.id)


MEMBER_PAGES: Final = (
    FormPage(
        name="points",
        label=_("Change points"),
        title=_("Give this customer points, or take some"),
        intro=_("The customer sees it, with the reason, in their statement."),
        permission=ADJUST,
        form=AdjustForm,
        is_about_row=True,
        run=_adjust,
        done=_("The points were changed."),
    ),
    FormPage(
        name="points-together",
        is_rare=True,
        label=_("Change many points"),
        title=_("Give this customer many points, or take them"),
        intro=_(
            "The customer sees it, with the reason, in their statement. Two people decide it"
            " together."
        ),
        permission=ADJUST,
        form=AdjustTogetherForm,
        is_about_row=True,
        run=or_ask(_adjust),
        done=_("The points were changed."),
    ),
)
"""The forms about a customer's points, for the customers' view."""


class ItemEditForm(FlaskForm):
    """What staff change of an item of the mall."""

    first = ("title", "title_en", "kind", "product_id", "template_id")

    title = StringField(_("Title"), validators=[InputRequired(), Length(max=mall.TITLE_MAX)])
    title_en = StringField(_("English title"), validators=[Length(max=mall.TITLE_MAX)])
    points = CountField(_("Points"), most=mall.POINTS_MAX)
    stock = IntegerField(
        _("How many in all"),
        validators=[InputRequired(), NumberRange(0, mall.STOCK_MAX)],
        description=_("Never fewer than were exchanged."),
    )
    limit_per_member = IntegerField(
        _("For each customer"),
        validators=[Optional(), NumberRange(1, mall.STOCK_MAX)],
        description=_("Empty for no limit."),
    )
    store_ids = TicksField(
        _("Only these stores"),
        coerce=int,
        validators=[Optional()],
        description=_("None ticked: all stores of the brand."),
    )
    description = TextAreaField(_("Description"), validators=[Length(max=mall.DESCRIPTION_MAX)])
    is_published = BooleanField(_("In the mall"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_ids.choices = [(int(key), name) for key, name in visible_stores()]

    def spec(self, row: MallItem | None = None) -> ItemSpec:
        """Return what was filled in as the service takes it; what an item is stays as it is."""
        assert row is not None, "a new item is said by the form for new ones"
        return ItemSpec(
            kind=row.kind, product_id=row.product_id, template_id=row.template_id, **self._said()
        )

    def _said(self) -> dict[str, Any]:
        return {
            "title": self.title.data,
            "title_en": (self.title_en.data or "").strip(),
            "description": (self.description.data or "").strip(),
            "points": self.points.data,
            "stock": self.stock.data,
            "limit_per_member": self.limit_per_member.data,
            "store_ids": tuple(self.store_ids.data or ()) or None,
            "is_published": self.is_published.data,
        }


class ItemForm(ItemEditForm):
    """What staff say of a new item."""

    kind = SelectField(_("Kind"), description=_("Cannot be changed later."))
    product_id = SelectField(_("Product"), description=_("Only for a product."))
    template_id = SelectField(_("Coupon"), description=_("Only for a coupon."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the kinds, products and coupons there are."""
        super().__init__(*args, **kwargs)
        self.kind.choices = [(one.value, label_of(one)) for one in ExchangeKind]
        products = sa.select(Product.id, Product.title).order_by(Product.title)
        self.product_id.choices = _choices(products)
        self.template_id.choices = [("", "–"), *live_coupons()]

    def spec(self, row: MallItem | None = None) -> ItemSpec:
        """Return what was filled in as the service takes it."""
        del row
        return ItemSpec(
            kind=ExchangeKind(self.kind.data),
            product_id=_number(self.product_id.data),
            template_id=_number(self.template_id.data),
            **self._said(),
        )


def begin_item(row: MallItem) -> Mapping[str, Any]:
    """Return what the form about an item begins with."""
    same = (
        *("title", "title_en", "description", "points", "stock"),
        *("limit_per_member", "is_published"),
    )
    return {name: getattr(row, name) for name in same} | {"store_ids": list(row.store_ids or ())}


def explain_item(error: DomainError, form: FlaskForm) -> bool:
    """Put a refusal beside the field it is about."""
    if not isinstance(error, MallItemInvalid) or error.field not in form:
        return False
    form[error.field].errors = [gettext("This is not possible here.")]
    return True


def _choices(query: AnySelect) -> list[tuple[str, str]]:
    return [("", "–"), *((str(row.id), row.title) for row in db.session.execute(query))]


def _number(text: str | None) -> int | None:
    return int(text) if text else None

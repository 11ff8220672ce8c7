"""Forms about activities: one for each kind, made from the rules that the kind validates."""

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args, get_origin

import sqlalchemy as sa
from annotated_types import Ge, Le
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from markupsafe import escape
from pydantic.fields import FieldInfo
from wtforms import (
    BooleanField,
    Field,
    IntegerField,
    SelectChoice,
    SelectField,
    StringField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from admin.draw_forms import visible_templates
from admin.forms import WHOLE_ROW, CountField, MomentField, ReasonForm, TicksField, YuanField
from admin.i18n import gettext, locale
from admin.staff import visible_store_ids
from admin.store_choices import visible_stores
from app.activities.errors import ActivityInvalid, ActivityNotYours
from app.activities.kinds import KINDS
from app.activities.models import NAME_LENGTH_MAX, Activity, ActivityItem
from app.activities.services import ITEMS_MAX, LIMIT_MAX, STOCK_MAX, ActivitySpec, ItemSpec
from app.activities.states import ActivityKind
from app.catalog.models import Product
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.kernel.i18n import translate

MINUTE: Final = 60
CHOICES: Final[Mapping[str, Any]] = {
    "nobody": lazy_pgettext("newcomers", "Nobody"),
    "joiners": _("Those who join"),
    "everybody": _("Everybody"),
    "first_order_kept": _("Their first order was kept"),
    "card_used": _("They used a guest card"),
}
"""What the choices of rules are called."""
FIELD_OF: Final = {
    "period": "ends_at",
    "stores": "store_ids",
    "limits": "limit_total",
    "items": "product_1",
    "price": "price_1",
    "stock": "stock_1",
    "published": "product_1",
}


class ActivityForm(FlaskForm):
    """What all kinds are asked."""

    kind: ActivityKind
    rule_names: tuple[str, ...] = ()

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)])
    starts_at = MomentField(_("Begins"), validators=[InputRequired()])
    ends_at = MomentField(_("Ends"), validators=[InputRequired()])
    store_ids = TicksField(
        _("Only these stores"),
        coerce=int,
        validators=[Optional()],
        description=_("None ticked: all stores of the brand."),
    )
    limit_per_member = IntegerField(
        _("Most for one customer"), validators=[Optional(), NumberRange(1, LIMIT_MAX)]
    )
    limit_total = IntegerField(
        _("Most for all together"), validators=[Optional(), NumberRange(1, LIMIT_MAX)]
    )
    pays_commission = BooleanField(_("Pays commission"), default=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer products and the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_ids.choices = [(int(key), name) for key, name in visible_stores()]
        coupons = [(0, "–"), *visible_templates()]
        for name in self.rule_names:
            if name.endswith("_coupon_id"):
                self[f"rule_{name}"].choices = coupons
        found = sa.select(Product.id, Product.title).order_by(Product.title)
        products = [(row.id, row.title) for row in db.session.execute(found)]
        for number in range(1, ITEMS_MAX + 1):
            if f"product_{number}" in self:
                self[f"product_{number}"].choices = [(0, "–"), *products]

    def spec(self) -> ActivitySpec:
        """Return what was filled in as the service takes it."""
        starts_at, ends_at = self.starts_at.data, self.ends_at.data
        assert starts_at is not None, "the form asked for it"
        assert ends_at is not None, "the form asked for it"
        store_ids = tuple(self.store_ids.data or ()) or None
        if store_ids is None and visible_store_ids() is not None:
            raise ActivityNotYours
        return ActivitySpec(
            kind=self.kind,
            name=(self.name.data or "").strip(),
            starts_at=starts_at,
            ends_at=ends_at,
            store_ids=store_ids,
            rules={name: self._rule(name) for name in self.rule_names},
            limit_per_member=self.limit_per_member.data,
            limit_total=self.limit_total.data,
            pays_commission=self.pays_commission.data,
            items=self._items(),
        )

    def _rule(self, name: str) -> Any:
        value = self[f"rule_{name}"].data
        return value * MINUTE if name.endswith("_seconds") else value

    def _items(self) -> list[ItemSpec]:
        found = []
        for number in range(1, ITEMS_MAX + 1):
            if f"product_{number}" not in self or not self[f"product_{number}"].data:
                continue
            price, stock = self[f"price_{number}"].data, self[f"stock_{number}"].data
            if price is None or stock is None:
                raise ActivityInvalid("price" if price is None else "stock")
            product_id = self[f"product_{number}"].data
            found.append(ItemSpec(product_id=product_id, price_fen=price, stock=stock))
        return found


def form_of(kind: ActivityKind) -> type[ActivityForm]:
    """Make the form of a kind: what all are asked, its products, and its rules."""
    rules = KINDS[kind].rules.model_fields
    fields: dict[str, Any] = {"kind": kind, "rule_names": tuple(rules)}
    if KINDS[kind].sells:
        for number in range(1, ITEMS_MAX + 1):
            fields |= _item_fields(number)
    fields |= {f"rule_{name}": _rule_field(name, info) for name, info in rules.items()}
    return type(f"{kind.value}_form", (ActivityForm,), fields)


def begin_activity(row: Activity) -> Mapping[str, Any]:
    """Return what the form about an activity begins with."""
    same = ("name", "starts_at", "ends_at", "limit_per_member", "limit_total", "pays_commission")
    held = {name: getattr(row, name) for name in same} | {"store_ids": row.store_ids or []}
    for name, value in row.rules.items():
        held[f"rule_{name}"] = value // MINUTE if name.endswith("_seconds") else value
    for number, item in enumerate(items_of(row)[:ITEMS_MAX], start=1):
        held |= {
            f"product_{number}": item.product_id,
            f"price_{number}": item.price_fen,
            f"stock_{number}": item.stock,
        }
    return held


def items_of(row: Activity) -> list[ActivityItem]:
    """Return the items of an activity of a list or page, the first one first."""
    query = sa.select(ActivityItem).where(ActivityItem.activity_id == row.id)
    return list(db.session.scalars(query.order_by(ActivityItem.id)))


def explain_activity(error: DomainError, form: FlaskForm) -> bool:
    """Put a refusal beside the field it is about."""
    if not isinstance(error, ActivityInvalid):
        return False
    name = FIELD_OF.get(error.field, error.field)
    if name not in form:
        return False
    form[name].errors = [gettext("This is not possible here.")]
    return True


class StockForm(ReasonForm):
    """How many pieces of a product an activity gives."""

    item_id = SelectField(_("Product"), coerce=int)
    stock = CountField(_("Pieces in all"), most=STOCK_MAX)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer nothing until the page says which activity it is."""
        super().__init__(*args, **kwargs)
        self.item_id.choices = getattr(type(self), "offered", [])


def stock_form_of(row: Activity) -> type[FlaskForm]:
    """Make the form about the stock of one activity."""
    titles = dict(
        db.session.execute(
            sa.select(ActivityItem.id, Product.title)
            .join(Product, Product.id == ActivityItem.product_id)
            .where(ActivityItem.activity_id == row.id)
            .order_by(ActivityItem.id)
        ).all()
    )
    return type("stock_form", (StockForm,), {"offered": list(titles.items())})


def _item_fields(number: int) -> dict[str, Field]:
    label = _("Product %(number)s", number=number)
    return {
        f"product_{number}": SelectField(label, coerce=int, default=0, render_kw=WHOLE_ROW),
        f"price_{number}": YuanField(_("Its price here"), validators=[Optional()]),
        f"stock_{number}": IntegerField(
            _("Its pieces"), validators=[Optional(), NumberRange(1, STOCK_MAX)]
        ),
    }


def _rule_field(name: str, info: FieldInfo) -> Field:
    title, about = Said(info.title or name), Said(info.description or "")
    if info.annotation is bool:
        return BooleanField(title, default=info.default, description=about)
    if get_origin(info.annotation) is Literal:
        choices = [SelectChoice(one, CHOICES.get(one, one)) for one in get_args(info.annotation)]
        return SelectField(title, choices=choices, default=info.default, description=about)
    if name.endswith("_coupon_id"):
        return SelectField(title, coerce=int, default=info.default, description=about)
    least: Any = next(one.ge for one in info.metadata if isinstance(one, Ge))
    most: Any = next(one.le for one in info.metadata if isinstance(one, Le))
    default = info.default
    if name.endswith("_seconds"):
        title = Said(info.title or name, unit=_("minutes"))
        least, most, default = least // MINUTE, most // MINUTE, default // MINUTE
    return IntegerField(
        title,
        validators=[InputRequired(), NumberRange(least, most)],
        default=default,
        description=about,
    )


class Said:
    """A text of the core that is put into the reader's language when it is shown."""

    def __init__(self, text: str, *, unit: Any = "") -> None:
        """Keep the English key and the unit that follows it."""
        self.text, self.unit = text, unit

    def __str__(self) -> str:
        said = translate(self.text, locale()) if self.text else ""
        return f"{said} ({self.unit})" if self.unit else said

    def __html__(self) -> str:
        return str(escape(str(self)))

"""The form that says how few pieces of a product remind a store to order more."""

from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectField
from wtforms.validators import InputRequired, NumberRange

from admin.actions import joined
from admin.decisions import Act
from admin.form_pages import FormPage
from admin.forms import LookupField
from admin.lookups import products
from admin.views.attribution import visible_stores
from app.catalog import services
from app.stores.permissions import Permission

LOW_PRODUCTS = products(Permission.STOCK_EDIT)


class LowForm(FlaskForm):
    """Which product, in which of the reader's stores, and from how few pieces on."""

    product_id = LookupField(_("Product"), loader=LOW_PRODUCTS, validators=[InputRequired()])
    store_id = SelectField(_("Store"))
    low_at = IntegerField(
        _("Order more at"),
        validators=[InputRequired(), NumberRange(0, 999_999)],
        description=_("So many sellable pieces or fewer are low stock."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = visible_stores()


def _set(_row: None, act: Act) -> None:
    joined(
        services.set_low_at,
        product_id=act.form.product_id.data,
        store_id=int(act.form.store_id.data),
        low_at=act.form.low_at.data,
        actor=act.actor,
        now=act.now,
    )


LOW_STOCK = FormPage(
    name="low",
    label=_("Low-stock alert"),
    button=_("Save"),
    title=_("Say when it is time to order more"),
    intro=_("The start page of the store counts what is at this number or below."),
    permission=Permission.STOCK_EDIT,
    form=LowForm,
    run=_set,
    done=_("The alert was set."),
)

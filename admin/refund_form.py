"""The form that asks for a refund of some of an order, or of all that is left of it."""

from typing import Any

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import BooleanField, IntegerField, RadioField
from wtforms.validators import NumberRange, Optional

from admin.forms import ReasonForm, YuanField
from admin.i18n import gettext
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.orders import queries
from app.orders.models import Order
from app.orders.pricing import LineRest, WantedRefund
from app.orders.services import RefundWish

ALL = "all"
SOME = "some"


class RefundForm(ReasonForm):
    """Why money goes back, and how much of each line."""

    how_much = RadioField(_("How much"), default=ALL)
    rests: tuple[LineRest, ...] = ()
    """What is left of each line, set on the class made for one order."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Name what all would be."""
        super().__init__(*args, **kwargs)
        left = yuan(sum(rest.net_fen - rest.taken_fen for rest in self.rests))
        self.how_much.choices = [
            (ALL, gettext("Everything that is left: %(amount)s", amount=left)),
            (SOME, gettext("Some of it, as entered below")),
        ]

    def validate(self, extra_validators: Any = None) -> bool:
        """Demand at least one line where only some is to go back."""
        is_valid: bool = super().validate(extra_validators)
        if is_valid and self.how_much.data == SOME and not self._wanted():
            self.how_much.errors = [gettext("Enter pieces or an amount for at least one line.")]
            return False
        return is_valid

    def _wanted(self) -> list[WantedRefund]:
        wanted = []
        for rest in self.rests:
            pieces = self[f"pieces_{rest.order_line_id}"].data or 0
            amount_fen = self[f"amount_{rest.order_line_id}"].data
            if pieces or amount_fen:
                wanted.append(WantedRefund(rest.order_line_id, pieces, amount_fen))
        return wanted

    def wish(self) -> RefundWish:
        """Return what was filled in as the service takes it."""
        lines = self._wanted() if self.how_much.data == SOME else None
        return RefundWish(
            lines=lines,
            reason=self.reason.data.strip(),
            returns_stock=self.returns_stock.data,
        )


def refund_form(order: Order) -> type[FlaskForm]:
    """Return the form for one order: two fields for each line of which something is left."""
    story = queries.order_story(db.session(), order.id)
    rests = tuple(
        rest
        for rest in queries.line_rests(db.session(), story.order)
        if rest.taken_fen < rest.net_fen
    )
    titles = {line.id: line.title for line in story.order.lines}
    fields: dict[str, Any] = {"rests": rests}
    for rest in rests:
        title, left = titles[rest.order_line_id], rest.quantity - rest.taken_quantity
        fields[f"pieces_{rest.order_line_id}"] = IntegerField(
            gettext("%(title)s: pieces (of %(left)s)", title=title, left=left),
            validators=[Optional(), NumberRange(0, left)],
        )
        fields[f"amount_{rest.order_line_id}"] = YuanField(
            gettext("%(title)s: amount", title=title),
            description=gettext(
                "At most %(left)s. Leave empty for the share of the pieces.",
                left=yuan(rest.net_fen - rest.taken_fen),
            ),
        )
    fields["returns_stock"] = BooleanField(_("The goods are back and go on the shelf again"))
    return type("RefundForm", (RefundForm,), fields)

"""The story of an order's price: what took how much off, by which rule, and what came back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy.sql import Select

from admin.details import Section, rows_section
from admin.filters import Arguments, Control
from admin.i18n import gettext, listed
from admin.tables import Shape
from admin.urls import as_id
from app.kernel.db import db
from app.kernel.i18n import yuan
from app.kernel.money import percent
from app.orders import promises
from app.orders.discount_models import OrderDiscount
from app.orders.models import Order
from app.orders.pricing import DiscountKind

COLUMNS: Final = (
    "kind",
    "title",
    "rule",
    "discount_fen",
    "points_used_count",
    "coupon_id",
    "parts",
)


@dataclass(frozen=True, slots=True)
class OfCoupon:
    """Orders that a coupon, named by its number, took something off."""

    name: str
    label: Any

    def controls(self, arguments: Arguments) -> list[Control]:
        """Return one text input."""
        return [Control("text", self.name, self.label, arguments.get(self.name, ""))]

    def apply(self, query: Select[Any], arguments: Arguments) -> Select[Any]:
        """Keep the orders of that coupon; nothing for what cannot be a number."""
        value = arguments.get(self.name, "").replace("\x00", "").strip()
        if not value:
            return query
        key = as_id(value)
        if key is None:
            return query.where(sa.false())
        held = sa.select(OrderDiscount.order_id).where(OrderDiscount.coupon_id == key)
        return query.where(Order.id.in_(held))


def has_kind(kind: DiscountKind) -> Callable[[], sa.ColumnElement[bool]]:
    """Return the condition of orders that something of this kind took something off."""
    return lambda: sa.exists().where(OrderDiscount.order_id == Order.id, OrderDiscount.kind == kind)


def discounts_section(order: Order) -> Section | None:
    """Show each step from the price of the goods to what was payable; None where there is none.

    The order's lines are loaded.
    """
    rows = promises.discounts_of(db.session(), [order.id])[order.id]
    if not rows:
        return None
    titles = {line.id: line.title for line in order.lines}
    shape = Shape(
        COLUMNS,
        references={"coupon_id": "coupons"},
    )
    return rows_section(_("Discounts"), [_cells(row, titles) for row in rows], shape)


def rule_in_words(kind: DiscountKind, rule: Mapping[str, Any]) -> str:
    """Say what a discount took by, as it was then; empty where nothing was noted."""
    match kind:
        case DiscountKind.DEAL:
            prices = [yuan(fen) for fen in rule.get("prices_fen", {}).values()]
            return gettext("%(prices)s a piece", prices=listed(prices)) if prices else ""
        case DiscountKind.LEVEL if "discount_bp" in rule:
            return gettext("%(share)s of the price", share=percent(rule["discount_bp"]))
        case DiscountKind.COUPON:
            return _coupon_in_words(rule)
        case _:
            return ""


def deal_title(order: Order) -> str:
    """Return the name of the activity an order was made by; empty where it has none."""
    return str(order.deal["title"]) if order.deal else ""


def _coupon_in_words(rule: Mapping[str, Any]) -> str:
    words = ""
    if rule.get("kind") == "exchange":
        words = gettext("one piece free")
    elif rule.get("percent_bp"):
        words = gettext("%(share)s off", share=percent(rule["percent_bp"]))
    elif rule.get("amount_fen"):
        words = gettext("%(amount)s off", amount=yuan(rule["amount_fen"]))
    if rule.get("threshold_fen"):
        words = gettext(
            "%(what)s, from %(amount)s on", what=words, amount=yuan(rule["threshold_fen"])
        )
    return words


def _cells(row: OrderDiscount, titles: Mapping[int, str]) -> Mapping[str, Any]:
    return {
        "kind": row.kind,
        "title": row.title,
        "rule": rule_in_words(row.kind, row.rule),
        "discount_fen": row.amount_fen,
        "points_used_count": row.points,
        "coupon_id": row.coupon_id,
        "parts": _parts(row, titles),
    }


def _parts(row: OrderDiscount, titles: Mapping[int, str]) -> str:
    parts: Sequence[str] = [
        f"{titles[one.order_line_id]}: {yuan(one.amount_fen)}" for one in row.lines
    ]
    return listed(parts)

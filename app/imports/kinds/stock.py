"""Stock: what was counted in a store, or what newly arrived there."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog import services
from app.catalog.models import Product, ProductKind, StockLevel
from app.imports.columns import Column, Row
from app.imports.contract import Kind, Scene
from app.imports.fields import text_of, tidy, whole
from app.imports.people import find_stores
from app.imports.states import ImportKind
from app.kernel.i18n import N_
from app.stores.permissions import Permission

PIECES_MAX: Final = 999_999


def rule(row: Row) -> None:
    """Demand either a count or what arrived."""
    if ("counted" in row.values) is ("received" in row.values):
        text = N_("Fill in either what was counted or what was received.")
        row.refuse("counted", "count_or_receive", text)


def check(session: Session, rows: Sequence[Row], scene: Scene) -> None:
    """Find stores and goods; refuse a count below what unpaid orders were promised."""
    find_stores(session, rows, scene)
    _find_goods(session, rows)
    places = {(row.found.get("product_id"), row.found.get("store_id")) for row in rows}
    levels = session.scalars(
        sa.select(StockLevel).where(
            sa.tuple_(StockLevel.product_id, StockLevel.store_id).in_(
                [one for one in places if None not in one]
            )
        )
    )
    held = {(one.product_id, one.store_id): one for one in levels}
    for row in rows:
        level = held.get((row.found.get("product_id", 0), row.found.get("store_id") or 0))
        row.found["is_kept"] = level is not None
        if level is not None and row.values.get("counted", level.reserved) < level.reserved:
            row.refuse(
                "counted",
                "stock_promised",
                N_("%(reserved)s pieces are promised to orders that wait for payment."),
                reserved=level.reserved,
            )


def _find_goods(session: Session, rows: Sequence[Row]) -> None:
    texts = {row.values["product"] for row in rows if "product" in row.values}
    numbers = [int(one) for one in map(tidy, texts) if one.isascii() and one.isdigit()]
    found = session.execute(
        sa.select(Product.id, Product.title, Product.kind)
        .where(sa.or_(Product.title.in_(texts), Product.id.in_([n for n in numbers if n < 10**15])))
        .order_by(Product.id)
    ).all()
    by_title, by_id = defaultdict(list), {str(one.id): one for one in found}
    for one in found:
        by_title[one.title].append(one)
    for row in rows:
        text = row.values.get("product", "")
        same = by_title.get(text) or [one for one in [by_id.get(tidy(text))] if one is not None]
        if not text:
            continue
        if len(same) > 1:
            told = N_("Several products are called so. Give the product no.")
            row.refuse("product", "product_ambiguous", told)
        elif not same:
            row.refuse("product", "product_unknown", N_("There is no such product."))
        elif same[0].kind is not ProductKind.GOODS:
            row.refuse("product", "no_stock", N_("A service has no stock."))
        else:
            row.found["product_id"] = int(same[0].id)


def write(session: Session, row: Row, scene: Scene) -> int | None:
    """Receive or count one product at one store; nothing where none was found and none is kept."""
    product_id, store_id = row.found["product_id"], row.found["store_id"]
    counted = row.values.get("counted")
    arrived = row.values.get("received", 0)
    if counted is not None and not row.found["is_kept"]:
        counted, arrived = None, counted
    if counted is not None:
        count = services.StockCount(
            product_id=product_id, store_id=store_id, counted=counted, reason=scene.source
        )
        services.count_stock(session, count, actor=scene.actor, now=scene.now)
        return int(product_id)
    if arrived == 0:
        return None
    services.receive_stock(
        session,
        product_id=product_id,
        store_id=store_id,
        quantity=arrived,
        actor=scene.actor,
        now=scene.now,
    )
    return int(product_id)


def key_of(row: Row) -> str:
    """Return the place on the shelf: one store and one product, as they are found."""
    store_id, product_id = row.found.get("store_id"), row.found.get("product_id")
    return f"{store_id}/{product_id}" if store_id and product_id else ""


KIND: Final = Kind(
    code=ImportKind.STOCK,
    title=N_("Stock"),
    intro=N_(
        "What was counted on the shelf, promised pieces included, or what newly arrived. The "
        "difference becomes a movement."
    ),
    permissions=frozenset({Permission.STOCK_EDIT}),
    columns=(
        Column(
            name="store",
            label=N_("Store"),
            hint=N_("The name or number of a store, as the list of stores shows it."),
            example="示例门店",
            parse=text_of(80),
            is_required=True,
            aliases=("store", "门店"),
        ),
        Column(
            name="product",
            label=N_("Product"),
            hint=N_("The whole title, or our number, of goods."),
            example="玻尿酸面膜 5 片",
            parse=text_of(services.TITLE_LENGTH_MAX),
            is_required=True,
            aliases=("product no", "title", "商品", "商品名称", "商品编号"),
        ),
        Column(
            name="counted",
            label=N_("Pieces counted"),
            hint=N_("Everything on the shelf; either this or what was received."),
            example="24",
            parse=whole(0, PIECES_MAX),
            aliases=("counted", "count", "盘点数", "盘点数量", "库存", "库存数量"),
        ),
        Column(
            name="received",
            label=N_("Pieces received"),
            hint=N_("What newly arrived; either this or what was counted."),
            example="",
            parse=whole(1, PIECES_MAX),
            aliases=("received", "quantity", "入库数", "入库数量", "到货数量"),
        ),
    ),
    rule=rule,
    check=check,
    write=write,
    key=key_of,
)

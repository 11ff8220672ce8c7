"""Products: new ones, and changes of those there are. An empty cell leaves what it is."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog import services
from app.catalog.models import Product, ProductKind
from app.imports.columns import Column, Row
from app.imports.contract import Kind, Scene
from app.imports.fields import choice, text_of, tidy, whole, yes_no, yuan
from app.imports.states import ImportKind
from app.kernel.i18n import N_
from app.stores.permissions import Permission

ID_MAX: Final = 10**15
FIELDS: Final = {
    "kind": "kind",
    "title": "title",
    "title_en": "title_en",
    "description": "description",
    "price": "price_fen",
    "list_price": "list_price_fen",
    "on_sale": "is_published",
    "earns_commission": "is_distributable",
    "returnable": "is_refundable",
    "medical": "is_medical",
}
"""Which field of a product a column fills in."""


def check(session: Session, rows: Sequence[Row], _scene: Scene) -> None:
    """Find the product that each row changes: by number, else by its whole title."""
    numbers = {row.values["product_no"] for row in rows if "product_no" in row.values}
    titles = {row.values["title"] for row in rows if "title" in row.values}
    products = session.scalars(
        sa.select(Product)
        .where(sa.or_(Product.id.in_(numbers), Product.title.in_(titles)))
        .order_by(Product.id)
    ).all()
    by_id = {one.id: one for one in products}
    by_title = defaultdict(list)
    for one in products:
        by_title[one.title].append(one)
    for row in rows:
        _find(row, by_id, by_title)
        if not row.faults:
            _check_facts(row)


def _find(row: Row, by_id: dict[int, Product], by_title: dict[str, list[Product]]) -> None:
    if "product_no" in row.values:
        row.found["product"] = by_id.get(row.values["product_no"])
        if row.found["product"] is None:
            row.refuse("product_no", "product_unknown", N_("There is no such product."))
        return
    same = by_title.get(row.values.get("title", ""), [])
    if len(same) > 1:
        text = N_("Several products are called so. Give the product no.")
        row.refuse("title", "product_ambiguous", text)
    row.found["product"] = same[0] if len(same) == 1 else None


def _check_facts(row: Row) -> None:
    product: Product | None = row.found["product"]
    told = row.values
    if product is None:
        for name in ("kind", "price"):
            if name not in told:
                row.refuse(name, "required_for_new", N_("A new product needs this."))
    elif told.get("kind", product.kind) is not product.kind:
        text = N_("Goods stay goods and services stay services.")
        row.refuse("kind", "kind_fixed", text)
    if row.faults:
        return
    meant = _facts(row)
    if meant["price_fen"] > services.PRICE_FEN_MAX:
        row.refuse("price", "price_too_high", N_("This is more than a product may cost."))
    elif not meant["price_fen"] <= meant["list_price_fen"] <= services.PRICE_FEN_MAX:
        text = N_("The list price cannot be below the price.")
        row.refuse("list_price", "list_price_wrong", text)


def _facts(row: Row) -> dict[str, Any]:
    """Return what the product is to be: what it is now, with what the row says of it."""
    product: Product | None = row.found["product"]
    now = {name: getattr(product, name) for name in FIELDS.values()} if product else {}
    told = {FIELDS[name]: value for name, value in row.values.items() if name in FIELDS}
    meant = {**now, **told}
    meant.setdefault("list_price_fen", meant["price_fen"])
    return meant


def write(session: Session, row: Row, scene: Scene) -> int | None:
    """Save one product; nothing where it says what is there already."""
    product: Product | None = row.found["product"]
    meant = _facts(row)
    if product is not None and all(getattr(product, name) == meant[name] for name in meant):
        return None
    spec = services.ProductSpec(**meant)
    key = product.id if product is not None else None
    return services.put_product(session, spec, product_id=key, actor=scene.actor, now=scene.now).id


def key_of(row: Row) -> str:
    """Return what a product is known by: its number, else its title."""
    if "product_no" in row.values:
        return f"#{row.values['product_no']}"
    return tidy(str(row.values.get("title", ""))).casefold()


KIND: Final = Kind(
    code=ImportKind.PRODUCTS,
    title=N_("Products"),
    intro=N_(
        "New products, and changes of those there are: found by their number, else by their "
        "whole title. An empty cell leaves what is there. Orders that exist keep what they copied."
    ),
    permissions=frozenset({Permission.CATALOG_EDIT}),
    columns=(
        Column(
            name="product_no",
            label=N_("Product no."),
            hint=N_("Our number of a product to be changed; empty for a new one."),
            example="",
            parse=whole(1, ID_MAX),
            aliases=("id", "product id", "商品编号", "商品号"),
        ),
        Column(
            name="title",
            label=N_("Title"),
            hint=N_("At most 80 characters; two products of one file cannot share it."),
            example="玻尿酸面膜 5 片",
            parse=text_of(services.TITLE_LENGTH_MAX),
            is_required=True,
            aliases=("name", "标题", "名称", "商品名称", "商品"),
        ),
        Column(
            name="title_en",
            label=N_("English title"),
            hint=N_("At most 80 characters."),
            example="Hyaluronic mask, 5 pieces",
            parse=text_of(services.TITLE_LENGTH_MAX),
            aliases=("title en", "英文名称", "英文标题"),
        ),
        Column(
            name="kind",
            label=N_("Kind"),
            hint=N_("Goods, of which stock is kept, or service. Cannot be changed later."),
            example="goods",
            parse=choice(
                {
                    "goods": ProductKind.GOODS,
                    "service": ProductKind.SERVICE,
                    "商品": ProductKind.GOODS,
                    "实物": ProductKind.GOODS,
                    "服务": ProductKind.SERVICE,
                    "项目": ProductKind.SERVICE,
                }
            ),
            aliases=("type", "类型", "种类", "商品类型"),
        ),
        Column(
            name="price",
            label=N_("Price in yuan"),
            hint=N_("Such as 128.00; a new product needs it."),
            example="128.00",
            parse=yuan,
            aliases=("price", "售价", "价格", "价格(元)"),
        ),
        Column(
            name="list_price",
            label=N_("List price in yuan"),
            hint=N_("Shown crossed out; at least the price."),
            example="168.00",
            parse=yuan,
            aliases=("list price", "划线价", "原价", "市场价"),
        ),
        Column(
            name="description",
            label=N_("Description"),
            hint=N_("At most 2,000 characters."),
            example="",
            parse=text_of(2_000),
            aliases=("描述", "商品描述", "说明"),
        ),
        *(
            Column(name=name, label=label, hint=hint, example="", parse=yes_no, aliases=aliases)
            for name, label, hint, aliases in (
                (
                    "on_sale",
                    N_("On sale"),
                    N_("Yes or no; a new product is not on sale unless it says so."),
                    ("published", "上架", "是否上架", "在售"),
                ),
                (
                    "earns_commission",
                    N_("Earns commission"),
                    N_("Yes or no; yes where nothing is said."),
                    ("distributable", "参与分销", "是否分销"),
                ),
                (
                    "returnable",
                    N_("Can be returned"),
                    N_("Yes or no; yes where nothing is said."),
                    ("refundable", "可退货", "是否可退"),
                ),
                (
                    "medical",
                    N_("Medical aesthetics"),
                    N_("Yes or no; no where nothing is said."),
                    ("medical", "医美", "是否医美"),
                ),
            )
        ),
    ),
    check=check,
    write=write,
    key=key_of,
)

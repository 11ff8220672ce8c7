"""What can be bought, and where."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import Field

from app.catalog import queries as catalog
from app.catalog.models import Product, ProductKind
from app.kernel.db import db
from app.stores import queries as stores
from app.stores.models import Store
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Query, QueryRowId, View, example
from miniprogram_api.routing import Group

group = Group("catalog", about="Products and stores.")


class ProductView(View):
    """A product on sale. `available` counts pieces in the store asked about; services have none."""

    model_config = View.model_config | example(
        {
            "id": 7,
            "kind": "goods",
            "title": "修护洗发水",
            "title_en": "Repair shampoo",
            "description": "500 ml",
            "price_fen": 12_900,
            "list_price_fen": 15_900,
            "available": 12,
        }
    )

    id: int
    kind: ProductKind
    title: str
    title_en: str
    description: str
    price_fen: int
    list_price_fen: int
    available: int | None = None

    @classmethod
    def of(cls, product: Product, available: int | None = None) -> Self:
        """Show a product."""
        return cls(
            id=product.id,
            kind=product.kind,
            title=product.title,
            title_en=product.title_en,
            description=product.description,
            price_fen=product.price_fen,
            list_price_fen=product.list_price_fen,
            available=available,
        )


class ProductsView(View):
    """A page of products, the newest first."""

    items: list[ProductView]
    next_cursor: str | None


class StoreView(View):
    """A shop that is open for orders."""

    id: int
    name: str
    address: str

    @classmethod
    def of(cls, store: Store) -> Self:
        """Show a store."""
        return cls(id=store.id, name=store.name, address=store.address)


class StoresView(View):
    """All shops that are open for orders."""

    items: list[StoreView]


StoreId = Annotated[QueryRowId | None, Field(description="Count what this store has in stock")]


class ProductsQuery(PageQuery):
    """Which products, and whose stock."""

    store_id: StoreId = None


class ProductQuery(Query):
    """Whose stock."""

    store_id: StoreId = None


@group.operation("GET", "/products")
def list_products(query: ProductsQuery) -> ProductsView:
    """List what is on sale, the newest first."""
    session = db.session()
    rows = catalog.products_page(session, after_id=query.after, limit=query.one_more)
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    stock = _stock(shown, query.store_id)
    return ProductsView(
        items=[ProductView.of(row, stock.get(row.id)) for row in shown], next_cursor=next_cursor
    )


@group.operation("GET", "/products/<id:product_id>")
def show_product(product_id: int, query: ProductQuery) -> ProductView:
    """Show one product."""
    product = catalog.product(db.session(), product_id)
    return ProductView.of(product, _stock([product], query.store_id).get(product_id))


@group.operation("GET", "/stores")
def list_stores() -> StoresView:
    """List the stores at which one can order."""
    return StoresView(items=[StoreView.of(store) for store in stores.open_stores(db.session())])


def _stock(products: Sequence[Product], store_id: int | None) -> Mapping[int, int]:
    """Return how many pieces of these goods a store has; nothing where no store was named."""
    goods = [product.id for product in products if product.kind is ProductKind.GOODS]
    if store_id is None or not goods:
        return {}
    held = catalog.available(db.session(), goods, store_id=store_id)
    return {product_id: held.get(product_id, 0) for product_id in goods}

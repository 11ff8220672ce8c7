"""What can be bought, and where."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from app.catalog import queries as catalog
from app.catalog.models import Product, ProductKind
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.stores import finding
from app.stores.finding import Found, Spot
from app.stores.hours import read_hours
from app.stores.places import LATITUDE_MAX_UDEG, LONGITUDE_MAX_UDEG
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Query, QueryRowId, View, example, written_as_number
from miniprogram_api.routing import Group

group = Group("catalog", about="Products and stores.")

OptionalNumber: Final = BeforeValidator(written_as_number)


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


class SpanView(View):
    """From when until when by the shop's clock; `closes` not after `opens` is on the next day."""

    opens: str
    closes: str


class OpeningHoursView(View):
    """The spans of each weekday; a day without any is a day off."""

    monday: list[SpanView]
    tuesday: list[SpanView]
    wednesday: list[SpanView]
    thursday: list[SpanView]
    friday: list[SpanView]
    saturday: list[SpanView]
    sunday: list[SpanView]


class StoreView(View):
    """A shop that takes orders.

    Coordinates are millionths of a degree of GCJ-02, `distance_m` is from the place that was asked
    about. Orders can be placed at any hour; `is_open_now` tells whether somebody is there.
    """

    model_config = View.model_config | example(
        {
            "id": 1,
            "name": "静安店",
            "code": "JA",
            "city": "上海市",
            "district": "静安区",
            "address": "南京西路 1266 号",
            "phone": "021-62880000",
            "latitude_udeg": 31_229_000,
            "longitude_udeg": 121_454_000,
            "distance_m": 820,
            "opening_hours": None,
            "is_open_now": None,
        }
    )

    id: int
    name: str
    code: str | None
    city: str
    district: str
    address: str
    phone: str
    latitude_udeg: int | None
    longitude_udeg: int | None
    distance_m: int | None
    opening_hours: OpeningHoursView | None
    is_open_now: bool | None

    @classmethod
    def of(cls, found: Found, *, now: datetime) -> Self:
        """Show a store."""
        store, hours = found.store, read_hours(found.store.opening_hours)
        return cls(
            id=store.id,
            name=store.name,
            code=store.code,
            city=store.city,
            district=store.district,
            address=store.address,
            phone=store.phone,
            latitude_udeg=store.latitude_udeg,
            longitude_udeg=store.longitude_udeg,
            distance_m=found.distance_m,
            opening_hours=OpeningHoursView(**hours.document()) if hours else None,
            is_open_now=hours.is_open_at(now) if hours else None,
        )


class StoresView(View):
    """A page of shops that take orders."""

    items: list[StoreView]
    next_cursor: str | None


class StoresQuery(PageQuery):
    """Where the caller is, so that near shops come first; both or neither.

    Rounded to a kilometre (10000) is enough, and says less about them.
    """

    latitude_udeg: Annotated[
        int | None, Field(ge=-LATITUDE_MAX_UDEG, le=LATITUDE_MAX_UDEG), OptionalNumber
    ] = None
    longitude_udeg: Annotated[
        int | None, Field(ge=-LONGITUDE_MAX_UDEG, le=LONGITUDE_MAX_UDEG), OptionalNumber
    ] = None

    @property
    def spot(self) -> Spot | None:
        """Return where the caller is, None where they did not say."""
        if self.latitude_udeg is None or self.longitude_udeg is None:
            return None
        return Spot(self.latitude_udeg, self.longitude_udeg)

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        """Refuse half a place."""
        if (self.latitude_udeg is None) != (self.longitude_udeg is None):
            raise PydanticCustomError("both_or_neither", "latitude and longitude go together")
        return self


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
def list_stores(query: StoresQuery) -> StoresView:
    """List the stores at which one can order: the nearest first, or by name."""
    now = utc_now()
    rows = finding.open_page(
        db.session(), near=query.spot, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.store.id)
    return StoresView(items=[StoreView.of(row, now=now) for row in shown], next_cursor=next_cursor)


def _stock(products: Sequence[Product], store_id: int | None) -> Mapping[int, int]:
    """Return how many pieces of these goods a store has; nothing where no store was named."""
    goods = [product.id for product in products if product.kind is ProductKind.GOODS]
    if store_id is None or not goods:
        return {}
    held = catalog.available(db.session(), goods, store_id=store_id)
    return {product_id: held.get(product_id, 0) for product_id in goods}

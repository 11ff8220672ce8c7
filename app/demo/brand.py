"""Stores, staff and products of the demo brand."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from flask import current_app
from flask_security import hash_password
from sqlalchemy.orm import Session

from app.catalog import services as catalog
from app.catalog.models import ProductKind
from app.catalog.services import ProductSpec
from app.demo.staff import DEMO_PASSWORD, DEMO_STAFF, REGION, REGIONAL_MANAGER, DemoStaff
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now
from app.stores import places, regions
from app.stores import staff as stores
from app.stores.hours import WEEKDAYS, parse_week
from app.stores.models import Region, Store
from app.stores.permissions import Permission
from app.stores.roles import RoleSpec, ensure_roles, put_role
from app.stores.staff import NewStaff

STORES: Final = (
    ("静安店", "上海市静安区南京西路 1266 号"),
    ("徐汇店", "上海市徐汇区衡山路 8 号"),
    ("滨江店", "杭州市滨江区江南大道 288 号"),
)
SHAREHOLDER_STORE: Final = "湖滨店"
CHAIN_STORE: Final = "观前店"
STORES_OF_THEIR_OWN: Final = (
    (SHAREHOLDER_STORE, "杭州市上城区湖滨路 27 号"),
    (CHAIN_STORE, "苏州市姑苏区观前街 9 号"),
)
"""Stores at which another plan than the one of channel distribution is in force."""

SPOTS: Final = {
    "静安店": (31_229_000, 121_454_000),
    "徐汇店": (31_205_000, 121_446_000),
    "滨江店": (30_209_000, 120_210_000),
    SHAREHOLDER_STORE: (30_250_000, 120_162_000),
    CHAIN_STORE: (31_311_000, 120_626_000),
}
"""About where they would be, in micro-degrees."""

PRODUCTS: Final = (
    (ProductKind.SERVICE, "深层补水护理 60 分钟", "Deep hydration facial, 60 min", 29_800, 39_800),
    (ProductKind.SERVICE, "肩颈舒缓 45 分钟", "Shoulder and neck relief, 45 min", 19_900, 26_800),
    (ProductKind.SERVICE, "染发造型", "Hair colouring and styling", 49_900, 59_900),
    (ProductKind.SERVICE, "日式美甲", "Japanese manicure", 16_800, 19_800),
    (ProductKind.GOODS, "玻尿酸精华 30 毫升", "Hyaluronic serum, 30 ml", 25_999, 29_900),
    (ProductKind.GOODS, "氨基酸洗发水 500 毫升", "Amino acid shampoo, 500 ml", 8_900, 10_900),
)
NEWCOMER_PRODUCT: Final = (
    (ProductKind.SERVICE, "皮肤检测体验", "Skin analysis, first visit", 9_900, 12_800),
)
"""What the plan of three-three fission is for."""

STORES_OF_REGION: Final = ("静安店", "徐汇店")
OF_REGIONAL_MANAGER: Final = (
    Permission.MEMBERS_VIEW,
    Permission.DISTRIBUTORS_VIEW,
    Permission.BINDINGS_VIEW,
    Permission.ORDERS_VIEW,
    Permission.CATALOG_VIEW,
    Permission.STOCK_VIEW,
    Permission.STOCK_EDIT,
    Permission.GIFTS_VIEW,
    Permission.STORES_VIEW,
    Permission.STAFF_VIEW,
    Permission.APPROVALS_VIEW,
    Permission.NOTES_WRITE,
)

STOCK_OF_EACH: Final = 200
HISTORY: Final = timedelta(days=84)


def load_brand() -> Iterator[str]:
    """Load stores, staff, products and plans, once; yield what to tell the reader."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(Store.id).limit(1)) is None:
            _load(session, now=now - HISTORY)
    yield from _logins()


def _load(session: Session, *, now: datetime) -> None:
    ensure_roles(session)
    by_name = _open_stores(session, now=now)
    _load_region(session, by_name, now=now)
    for person in DEMO_STAFF:
        _employ(session, person, [by_name[name].id for name in person.stores], now=now)
    for kind, title, title_en, price_fen, list_price_fen in (*PRODUCTS, *NEWCOMER_PRODUCT):
        spec = ProductSpec(
            kind=kind,
            title=title,
            title_en=title_en,
            price_fen=price_fen,
            list_price_fen=list_price_fen,
            is_published=True,
        )
        product = catalog.put_product(session, spec, actor=SYSTEM, now=now)
        for store in by_name.values() if kind is ProductKind.GOODS else ():
            catalog.receive_stock(
                session,
                product_id=product.id,
                store_id=store.id,
                quantity=STOCK_OF_EACH,
                actor=SYSTEM,
                now=now,
            )


def _load_region(session: Session, by_name: Mapping[str, Store], *, now: datetime) -> None:
    """Put the stores of one city into a region, and make a role for whoever looks after it."""
    region = regions.create_region(session, name=REGION, actor=SYSTEM, now=now)
    for name in STORES_OF_REGION:
        by_name[name].region_id = region.id
    spec = RoleSpec(
        name=REGIONAL_MANAGER,
        description="看本区域门店的订单、库存、客户与分销员",
        permissions=[one.value for one in OF_REGIONAL_MANAGER],
    )
    put_role(session, None, spec, actor=SYSTEM, reason="开业时设定", now=now)


def _open_stores(session: Session, *, now: datetime) -> dict[str, Store]:
    """Open every store with its place and its hours; addresses begin with city and district."""
    hours = parse_week(dict.fromkeys(WEEKDAYS, "10:00-22:00"))
    stores = {}
    for name, address in (*STORES, *STORES_OF_THEIR_OWN):
        city, district, rest = address[:3], address[3:6], address[6:]
        latitude_udeg, longitude_udeg = SPOTS[name]
        spec = places.StoreSpec(
            name=name,
            city=city,
            district=district,
            address=rest,
            latitude_udeg=latitude_udeg,
            longitude_udeg=longitude_udeg,
            opening_hours=hours,
        )
        stores[name] = places.create_store(session, spec, actor=SYSTEM, now=now)
    return stores


def _employ(session: Session, person: DemoStaff, store_ids: list[int], *, now: datetime) -> None:
    named = sa.select(Region.id).where(Region.name.in_(person.regions))
    new = NewStaff(
        name=person.name,
        email=person.email,
        roles=[person.role],
        store_ids=store_ids,
        region_ids=list(session.scalars(named)),
        sees_all_stores=not store_ids and not person.regions,
        password_hash=hash_password(DEMO_PASSWORD),
        must_change_password=True,
    )
    staff = stores.create_staff(session, new, actor=SYSTEM, now=now)
    staff.tf_primary_method = "authenticator"
    staff.tf_totp_secret = _sealed_totp(person.totp_secret)


def _sealed_totp(secret: str) -> str:
    """Return a known secret of an authenticator app in the form in which sign-in stores it."""
    totp_class = current_app.extensions["security"]._totp_factory._totp
    sealed: str = totp_class(key=secret).to_json(encrypt=True)
    return sealed


def _logins() -> Iterator[str]:
    yield f"Demo logins (password {DEMO_PASSWORD}; the sign-in page shows the second factor):"
    for person in DEMO_STAFF:
        yield f"  {person.email:<22} {person.role}"

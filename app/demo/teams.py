"""What lives on the plans that are in force beside the one of channel distribution.

At 湖滨店 three regulars become sharing shareholders by what they buy, and their friends buy there.
At 观前店 a distributor sells enough to become the boss of a chain. And one distributor brings new
customers to the skin analysis, which earns gifts instead of money.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.attribution.models import ChannelKind
from app.catalog.models import Product
from app.demo.acts import Purchase, become_distributor, buy, join, receive, share, touch
from app.demo.brand import CHAIN_STORE, NEWCOMER_PRODUCT, SHAREHOLDER_STORE, STORES
from app.distribution import gifts
from app.distribution.plan_records import Gift, GiftState
from app.kernel.audit import Actor
from app.kernel.db import atomic
from app.members.models import Member
from app.stores.models import Store

FACIAL: Final = "深层补水护理 60 分钟"
SHOULDERS: Final = "肩颈舒缓 45 分钟"
COLOUR: Final = "染发造型"
NAILS: Final = "日式美甲"
ANALYSIS: Final = NEWCOMER_PRODUCT[0][1]
USUAL_STORE: Final = STORES[0][0]

NEW_DISTRIBUTORS: Final[Mapping[str, tuple[int, str | None]]] = {
    "方舒窈": (1, None),
    "叶蓁蓁": (1, None),
    "江晚吟": (1, None),
    "白若兰": (2, "沈佳宁"),
    "许知意": (45, "沈佳宁"),
}
"""On which day they become distributors, and who brought them."""

FRIENDS: Final[Mapping[str, str]] = {
    "孟初晴": "方舒窈",
    "温如许": "叶蓁蓁",
    "秦若初": "沈佳宁",
    "尤采薇": "沈佳宁",
    "卫清扬": "许知意",
    "邵令仪": "唐一诺",
    "骆冰清": "唐一诺",
    "闻人语": "唐一诺",
    "谷雨晴": "唐一诺",
}
"""New customers, and whose they are."""


@dataclass(frozen=True, slots=True)
class Visit:
    """On which day somebody buys what, and where."""

    day: int
    name: str
    title: str
    store: str
    quantity: int = 1


_SEATS: Final = (
    *(Visit(day, "方舒窈", COLOUR, SHAREHOLDER_STORE, 2) for day in (2, 3, 4)),
    Visit(5, "方舒窈", FACIAL, SHAREHOLDER_STORE),
    Visit(3, "叶蓁蓁", COLOUR, SHAREHOLDER_STORE, 2),
    Visit(4, "叶蓁蓁", SHOULDERS, SHAREHOLDER_STORE),
    Visit(4, "江晚吟", COLOUR, SHAREHOLDER_STORE, 2),
    Visit(6, "江晚吟", NAILS, SHAREHOLDER_STORE),
)
"""What brings three people their seats; the first of them the second level."""

_GUESTS: Final = tuple(
    Visit(day, name, title, SHAREHOLDER_STORE)
    for days, name, title in (
        (range(18, 80, 9), "孟初晴", FACIAL),
        (range(21, 80, 11), "温如许", SHOULDERS),
        (range(40, 80, 19), "方舒窈", NAILS),
    )
    for day in days
)
_CHAIN: Final = (
    *(Visit(day, "秦若初", COLOUR, CHAIN_STORE, 2) for day in (3, 6, 10)),
    *(Visit(day, "尤采薇", COLOUR, CHAIN_STORE, 2) for day in (4, 9, 12)),
    Visit(30, "秦若初", FACIAL, CHAIN_STORE),
    Visit(38, "白若兰", NAILS, CHAIN_STORE),
    *(Visit(day, "卫清扬", SHOULDERS, CHAIN_STORE) for day in (50, 58, 66, 74)),
)
"""沈佳宁 is promoted in the third week; whom she brings later is in a team of her own."""

_ROUND: Final = tuple(
    Visit(day, name, ANALYSIS, USUAL_STORE)
    for day, name in ((30, "邵令仪"), (36, "骆冰清"), (41, "闻人语"), (70, "谷雨晴"))
)
VISITS: Final = (*_SEATS, *_GUESTS, *_CHAIN, *_ROUND)


@dataclass(slots=True)
class Teams:
    """Who takes part, by name, and what they do day by day."""

    staff: Actor
    members: dict[str, int]
    stores: Mapping[str, int]
    products: Mapping[str, Product]
    distributors: dict[str, str] = field(default_factory=dict)
    """New distributors, each with a share code."""

    @classmethod
    def gather(cls, session: Session, staff: Actor, *, now: datetime) -> Self:
        """Let everybody come who is not there yet, and find the others."""
        for number, name in enumerate((*NEW_DISTRIBUTORS, *FRIENDS), start=1):
            join(session, name, f"demo_guest_{number}", at=now)
        products = session.scalars(sa.select(Product))
        return cls(
            staff=staff,
            members=dict(session.execute(sa.select(Member.nickname, Member.id)).all()),
            stores=dict(session.execute(sa.select(Store.name, Store.id)).all()),
            products={product.title: product for product in products},
        )

    def play(self, day: int, *, at: datetime) -> int:
        """Do what is to be done on a day; return how many orders were made."""
        for name, (joins_on, recommender) in NEW_DISTRIBUTORS.items():
            if joins_on == day:
                self._approve(name, recommender, at=at)
        visits = [one for one in VISITS if one.day == day]
        for number, visit in enumerate(visits):
            self._visit(visit, at=at + timedelta(minutes=30 + 7 * number))
        return len(visits)

    def hand_over_a_gift(self, now: datetime) -> None:
        """Give the oldest gift to whom it belongs; the others stay due."""
        with atomic() as session:
            gift_id = session.scalar(
                sa.select(Gift.id).where(Gift.state == GiftState.DUE).order_by(Gift.id).limit(1)
            )
            if gift_id is not None:
                gifts.give(session, gift_id, actor=self.staff, now=now)

    def _approve(self, name: str, recommender: str | None, *, at: datetime) -> None:
        with atomic() as session:
            become_distributor(
                session,
                self.members[name],
                recommender_id=self.members.get(recommender or ""),
                staff=self.staff,
                at=at,
            )

    def _visit(self, visit: Visit, *, at: datetime) -> None:
        """Let somebody buy; a friend's code is scanned before the first purchase."""
        if visit.name in FRIENDS and visit == next(one for one in VISITS if one.name == visit.name):
            touch(self.members[visit.name], self._code(FRIENDS[visit.name], at=at), at=at)
        product = self.products[visit.title]
        purchase = Purchase(
            self.members[visit.name],
            product.id,
            product.kind,
            self.stores[visit.store],
            visit.quantity,
        )
        number = buy(purchase, at=at)
        receive(number, staff=self.staff, at=at + timedelta(hours=1))

    def _code(self, name: str, *, at: datetime) -> str:
        """Return somebody's share code for friends, made when it is first wanted."""
        if name not in self.distributors:
            with atomic() as session:
                code = share(session, self.members[name], "老友", ChannelKind.PERSONAL, at=at)
                self.distributors[name] = code.code
        return self.distributors[name]

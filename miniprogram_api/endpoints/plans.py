"""Plans as members see them: rules, one's own place, gifts, seats, and what was not earned."""

from datetime import datetime
from typing import Self

from app.distribution import gifts, personal, shareholders
from app.distribution.gifts import GiftRow
from app.distribution.personal import PlaceRow, PublicRules, RefusalRow
from app.distribution.plan_records import GiftState
from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.kernel.clock import utc_now
from app.kernel.db import database_now, db
from app.kernel.i18n import Message
from miniprogram_api.auth import Who, caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Bilingual, View, example
from miniprogram_api.problems import both
from miniprogram_api.routing import Group

group = Group("plans", about="The rules of plans, one's own place in them, gifts and seats.")


def _told(sentences: tuple[Message, ...]) -> list[Bilingual]:
    return [Bilingual(**both(sentence)) for sentence in sentences]


class PlanView(View):
    """The rules of one plan in force, for everybody to read."""

    model_config = View.model_config | example(
        {
            "name": "美丽合伙人 2026",
            "model": "CHANNEL_TWO_LEVEL",
            "title": {"zh": "渠道分销（两级）", "en": "Channel distribution, two levels"},
            "rules": [
                {"zh": "自购不返佣。", "en": "Nobody earns on their own purchases."},
            ],
            "public_rules": "推荐奖励按顾客实际支付并完成服务的订单计算，退款后相应扣回。",
            "agreement_version": "2026-1",
            "since_at": "2026-03-01T00:00:00Z",
        }
    )

    name: str
    model: str
    title: Bilingual
    rules: list[Bilingual]
    public_rules: str
    agreement_version: str
    since_at: datetime

    @classmethod
    def of(cls, row: PublicRules) -> Self:
        """Show a plan in both languages."""
        return cls(
            name=row.name,
            model=row.model,
            title=Bilingual(**both(row.title)),
            rules=_told(row.sentences),
            public_rules=row.public_rules,
            agreement_version=row.agreement_version,
            since_at=row.since_at,
        )


class PlansView(View):
    """Every plan in force."""

    items: list[PlanView]


class PlaceView(View):
    """The caller's place in one plan, in words."""

    model_config = View.model_config | example(
        {
            "plan_id": 2,
            "plan_name": "链动 2+1",
            "model": "CHAIN_2_1",
            "number": 1,
            "sentences": [{"zh": "您是代理。", "en": "You are an agent."}],
        }
    )

    plan_id: int
    plan_name: str
    model: str
    number: int
    sentences: list[Bilingual]

    @classmethod
    def of(cls, row: PlaceRow) -> Self:
        """Show a place in both languages."""
        return cls(
            plan_id=row.plan_id,
            plan_name=row.plan_name,
            model=row.model,
            number=row.number,
            sentences=_told(row.sentences),
        )


class PlacesView(View):
    """The caller's places in all plans that keep any."""

    items: list[PlaceView]


class GiftView(View):
    """Something other than money that a plan granted."""

    model_config = View.model_config | example(
        {
            "id": 7,
            "kind": "ROUND",
            "item": "面部护理体验一次",
            "amount": 1,
            "state": "due",
            "created_at": "2026-03-01T12:00:00Z",
            "ended_at": None,
            "explanation": [{"zh": "……", "en": "Three new customers closed this round."}],
        }
    )

    id: int
    kind: str
    item: str
    amount: int
    state: GiftState
    created_at: datetime
    ended_at: datetime | None
    explanation: list[Bilingual]

    @classmethod
    def of(cls, row: GiftRow) -> Self:
        """Show a gift in both languages."""
        return cls(
            id=row.id,
            kind=row.kind,
            item=row.item,
            amount=row.amount,
            state=row.state,
            created_at=row.created_at,
            ended_at=row.ended_at,
            explanation=_told(row.explanation),
        )


class GiftsView(View):
    """A page of gifts, the newest first."""

    items: list[GiftView]
    next_cursor: str | None


class RefusalView(View):
    """Commission that was not given to the caller, and why."""

    model_config = View.model_config | example(
        {
            "id": 9,
            "order_number": "T20260301K3J9X0QW7RT2MN5B",
            "reason": "FROZEN",
            "created_at": "2026-03-01T12:00:00Z",
            "explanation": [{"zh": "……", "en": "Member #12 was frozen when the order was paid."}],
        }
    )

    id: int
    order_number: str | None
    reason: str
    created_at: datetime
    explanation: list[Bilingual]

    @classmethod
    def of(cls, row: RefusalRow) -> Self:
        """Show a refusal in both languages."""
        return cls(
            id=row.id,
            order_number=row.order_number,
            reason=row.reason,
            created_at=row.created_at,
            explanation=_told(row.explanation),
        )


class RefusalsView(View):
    """A page of what was not earned, the newest first."""

    items: list[RefusalView]
    next_cursor: str | None


class HoldingView(View):
    """The caller's seat at a store, or their way to one. `until_at` is when it ends."""

    store_id: int
    state: HoldingState
    level: int
    spent_fen: int
    until_at: datetime | None

    @classmethod
    def of(cls, place: HoldingPlace) -> Self:
        """Show a holding."""
        return cls(
            store_id=place.number,
            state=HoldingState(place.state),
            level=place.level,
            spent_fen=place.spent_fen,
            until_at=place.until_at,
        )


class HoldingsView(View):
    """The caller's seats at all stores."""

    items: list[HoldingView]


@group.operation("GET", "/plans", Who.ANYONE)
def list_plans() -> PlansView:
    """Tell the rules of every plan in force, in words."""
    found = personal.public_rules(db.session(), at=utc_now())
    return PlansView(items=[PlanView.of(one) for one in found])


@group.operation("GET", "/distributor/places")
def list_places() -> PlacesView:
    """Tell the caller's place in each plan that keeps places."""
    found = personal.places_of(db.session(), caller().member_id)
    return PlacesView(items=[PlaceView.of(one) for one in found])


@group.operation("GET", "/distributor/gifts")
def list_gifts(query: PageQuery) -> GiftsView:
    """List what plans granted the caller besides money, the newest first."""
    rows = gifts.gifts_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return GiftsView(items=[GiftView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/distributor/refusals")
def list_refusals(query: PageQuery) -> RefusalsView:
    """List what the caller did not earn, the newest first, each with the reason."""
    rows = personal.refusals_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return RefusalsView(items=[RefusalView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("GET", "/distributor/holdings")
def list_holdings() -> HoldingsView:
    """List the caller's seats as a sharing shareholder, by store."""
    found = shareholders.holdings_of(db.session(), caller().member_id)
    return HoldingsView(items=[HoldingView.of(place) for _plan, place in found])


@group.operation("POST", "/distributor/holdings/<id:store_id>", status=201)
def apply_for_holding(store_id: int) -> HoldingView:
    """Ask a store for a seat; the store decides."""
    place = shareholders.apply_for(caller().member_id, store_id, now=database_now())
    return HoldingView.of(place)

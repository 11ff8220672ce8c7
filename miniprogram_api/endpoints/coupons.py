"""Coupons: what there is to claim, one's own, and the code that has one redeemed in a store."""

from datetime import datetime
from typing import Annotated, Any, Final, Self

from flask import request
from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution.guessing import counting_misses
from app.coupons import queries, redeeming, services
from app.coupons.models import Coupon, CouponChannel, CouponStep, CouponTemplate
from app.coupons.queries import Offer
from app.coupons.services import COUPON_CODES
from app.coupons.states import CouponEvent, CouponKind, CouponState
from app.kernel.db import db
from app.kernel.errors import DomainError
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.endpoints.orders import PickupCodeView
from miniprogram_api.fields import Bilingual, Body, QueryRowId, RowId, View, example
from miniprogram_api.keyed import Kept, once
from miniprogram_api.limits import Limit
from miniprogram_api.problems import both
from miniprogram_api.routing import Group

group = Group("coupons", about="Coupons: the centre, one's own, redeeming in a store.")

RULE: Final[dict[str, Any]] = {
    "kind": "amount_off",
    "title": {"zh": "满100减20", "en": "20 off 100"},
    "terms": "护理项目可用",
    "amount_fen": 2_000,
    "percent_bp": None,
    "most_fen": None,
    "threshold_fen": 10_000,
    "store_ids": None,
    "product_ids": [7],
    "is_stackable": False,
}
COUPON: Final[dict[str, Any]] = {
    "id": 31,
    "state": "unused",
    "rule": RULE,
    "channel": "centre",
    "claimed_at": "2026-03-01T12:00:00Z",
    "valid_from_at": "2026-03-01T12:00:00Z",
    "valid_until_at": "2026-03-08T12:00:00Z",
    "amount_fen": None,
    "used_at": None,
}


class ClaimBody(Body):
    """Which coupon of the centre is wanted."""

    model_config = Body.model_config | example({"template_id": 5})

    template_id: RowId


class CodeBody(Body):
    """A public code, as it was typed or read from a link."""

    model_config = Body.model_config | example({"code": "7KQM3XWP2A9BC4DE"})

    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z ]{4,40}$")]


class CentreQuery(PageQuery):
    """Which part of the centre is wanted; `store_id` leaves out what is not good there."""

    store_id: QueryRowId | None = None


class CouponsQuery(PageQuery):
    """Which part of one's coupons is wanted."""

    state: Annotated[CouponState | None, Field(description="Only coupons in this state")] = None


class RuleView(View):
    """What a coupon takes off, of what. `percent_bp` is what is taken off, in 1/10000.

    `store_ids` and `product_ids` are null for all. An exchange makes one piece of its product free.
    """

    kind: CouponKind
    title: Bilingual
    terms: str
    amount_fen: int | None
    percent_bp: int | None
    most_fen: int | None
    threshold_fen: int
    store_ids: list[int] | None
    product_ids: list[int] | None
    is_stackable: bool

    @classmethod
    def of(cls, template: CouponTemplate) -> Self:
        """Show what a template promises."""
        return cls(
            kind=template.kind,
            title=Bilingual(zh=template.title, en=template.title_en or template.title),
            terms=template.terms,
            amount_fen=template.amount_fen,
            percent_bp=template.percent_bp,
            most_fen=template.most_fen,
            threshold_fen=template.threshold_fen,
            store_ids=template.store_ids,
            product_ids=template.product_ids,
            is_stackable=template.is_stackable,
        )


class ReasonView(View):
    """Why something is not possible, as a problem would say it."""

    code: str
    message: Bilingual

    @classmethod
    def of(cls, refusal: DomainError | None) -> Self | None:
        """Show a refusal."""
        if refusal is None:
            return None
        return cls(code=refusal.code, message=Bilingual(**both(refusal.message())))


class OfferView(View):
    """A coupon of the centre beside the caller; `reason` says why none can be claimed now.

    It is good from `valid_from_at` to `valid_until_at`, or for `valid_seconds` from the claim on.
    """

    template_id: int
    rule: RuleView
    claim_from_at: datetime
    claim_until_at: datetime
    valid_from_at: datetime | None
    valid_until_at: datetime | None
    valid_seconds: int | None
    left: int
    per_member: int
    held: int
    reason: ReasonView | None

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """Show what can be claimed."""
        template = offer.template
        return cls(
            template_id=template.id,
            rule=RuleView.of(template),
            claim_from_at=template.claim_from_at,
            claim_until_at=template.claim_until_at,
            valid_from_at=template.valid_from_at,
            valid_until_at=template.valid_until_at,
            valid_seconds=template.valid_seconds,
            left=template.stock - template.issued,
            per_member=template.per_member,
            held=offer.held,
            reason=ReasonView.of(offer.refusal),
        )


class CentreView(View):
    """Coupons to claim, newest first."""

    model_config = View.model_config | example(
        {
            "items": [
                {
                    "template_id": 5,
                    "rule": RULE,
                    "claim_from_at": "2026-03-01T00:00:00Z",
                    "claim_until_at": "2026-04-01T00:00:00Z",
                    "valid_from_at": None,
                    "valid_until_at": None,
                    "valid_seconds": 604_800,
                    "left": 88,
                    "per_member": 1,
                    "held": 0,
                    "reason": None,
                }
            ],
            "next_cursor": None,
        }
    )

    items: list[OfferView]
    next_cursor: str | None


class CouponView(View):
    """One of the caller's coupons. One in an order says what it takes off it."""

    model_config = View.model_config | example(COUPON)

    id: int
    state: CouponState
    rule: RuleView
    channel: CouponChannel
    claimed_at: datetime
    valid_from_at: datetime
    valid_until_at: datetime
    amount_fen: int | None
    used_at: datetime | None

    @classmethod
    def of(cls, coupon: Coupon, template: CouponTemplate) -> Self:
        """Show a coupon."""
        return cls(
            id=coupon.id,
            state=coupon.state,
            rule=RuleView.of(template),
            channel=coupon.channel,
            claimed_at=coupon.claimed_at,
            valid_from_at=coupon.valid_from_at,
            valid_until_at=coupon.valid_until_at,
            amount_fen=coupon.amount_fen,
            used_at=coupon.used_at,
        )


class CouponsView(View):
    """The caller's coupons, newest first."""

    items: list[CouponView]
    next_cursor: str | None


class CouponStepView(View):
    """Something that happened to a coupon."""

    event: CouponEvent
    at: datetime

    @classmethod
    def of(cls, row: CouponStep) -> Self:
        """Show a step."""
        return cls(event=row.event, at=row.at)


class CouponStoryView(View):
    """A coupon and what happened to it, oldest first."""

    model_config = View.model_config | example(
        {"coupon": COUPON, "steps": [{"event": "claim", "at": "2026-03-01T12:00:00Z"}]}
    )

    coupon: CouponView
    steps: list[CouponStepView]


@group.operation("GET", "/coupon-centre")
def show_coupon_centre(query: CentreQuery) -> CentreView:
    """List the coupons that can be claimed, and why the caller cannot claim one now."""
    now = moment()
    rows = queries.centre_page(
        db.session(),
        caller().member_id,
        store_id=query.store_id,
        after_id=query.after,
        limit=query.one_more,
        now=now,
    )
    shown, next_cursor = cut(query, rows, lambda row: row.template.id)
    return CentreView(items=[OfferView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("POST", "/coupons")
def claim_coupon(body: ClaimBody) -> Kept[CouponView]:
    """Claim a coupon of the centre."""
    now, who = moment(), caller()

    def act(session: Session) -> CouponView:
        coupon = services.claim(session, body.template_id, member_id=who.member_id, now=now)
        return _own(session, coupon)

    return once(act, body, now=now)


@group.operation("POST", "/coupons/by-code", limit=Limit.GUESS)
def claim_coupon_by_code(body: CodeBody) -> Kept[CouponView]:
    """Claim the coupon behind a public code.

    Unknown codes are counted, and too many shut the caller out for a while.
    """
    now, who, ip = moment(), caller(), request.remote_addr or None

    def act(session: Session) -> CouponView:
        coupon = services.claim_by_code(session, body.code, member_id=who.member_id, now=now)
        return _own(session, coupon)

    with counting_misses(
        member_id=who.member_id, ip=ip, settings=settings(), now=now, guess=COUPON_CODES
    ):
        return once(act, body, now=now)


@group.operation("GET", "/coupons")
def list_coupons(query: CouponsQuery) -> CouponsView:
    """List the caller's coupons, the newest first."""
    rows = queries.coupons_page(
        db.session(),
        caller().member_id,
        states=tuple(CouponState) if query.state is None else (query.state,),
        after_id=query.after,
        limit=query.one_more,
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return CouponsView(
        items=[CouponView.of(row, row.template) for row in shown], next_cursor=next_cursor
    )


@group.operation("GET", "/coupons/<id:coupon_id>")
def show_coupon(coupon_id: int) -> CouponStoryView:
    """Show one of the caller's coupons with what happened to it."""
    session = db.session()
    coupon = queries.coupon_of(session, coupon_id, member_id=caller().member_id)
    return CouponStoryView(
        coupon=CouponView.of(coupon, coupon.template),
        steps=[CouponStepView.of(row) for row in queries.story(session, coupon.id)],
    )


@group.operation("POST", "/coupons/<id:coupon_id>/code", status=201)
def show_coupon_code(coupon_id: int) -> PickupCodeView:
    """Make the code to show at the counter, where what an exchange coupon is for is handed over.

    It lasts a minute and can be used once; make another when it has run out.
    """
    now, who = moment(), caller()

    def act(session: Session) -> PickupCodeView:
        code = redeeming.show_code(session, coupon_id, member_id=who.member_id, now=now)
        return PickupCodeView(code=str(code), expires_at=code.expires_at)

    return at_once(act)


def _own(session: Session, coupon: Coupon) -> CouponView:
    return CouponView.of(coupon, session.get_one(CouponTemplate, coupon.template_id))

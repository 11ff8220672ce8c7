"""Coupons of the demo: a few to claim, one behind a code, one for free, and some in use."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product, ProductKind
from app.coupons import pushing, services, templates
from app.coupons.models import CouponTemplate
from app.coupons.states import CouponKind
from app.coupons.templates import TemplateSpec
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now
from app.kernel.errors import DomainError
from app.members.models import Member

DAY: Final = 86_400
CLAIMERS: Final = 40
PUSHED: Final = 60
KINDS: Final[tuple[dict[str, Any], ...]] = (
    {
        "kind": CouponKind.AMOUNT_OFF,
        "title": "全场立减30元",
        "title_en": "30 yuan off everything",
        "terms": "满99元可用，不与其他优惠券同享。",
        "amount_fen": 3_000,
        "threshold_fen": 9_900,
        "stock": 2_000,
        "ways": ("centre", "push", "staff"),
    },
    {
        "kind": CouponKind.PERCENT_OFF,
        "title": "护理项目八五折",
        "title_en": "15 % off treatments",
        "terms": "仅限护理项目，最高立减200元，可与立减券同享。",
        "percent_bp": 1_500,
        "most_fen": 20_000,
        "is_stackable": True,
        "per_member": 2,
        "stock": 500,
        "ways": ("centre", "staff"),
    },
    {
        "kind": CouponKind.AMOUNT_OFF,
        "title": "社群专享20元",
        "title_en": "20 yuan off for our groups",
        "terms": "输入社群口令领取，满100元可用。",
        "amount_fen": 2_000,
        "threshold_fen": 10_000,
        "stock": 300,
        "ways": ("code",),
    },
)


def load_coupons() -> Iterator[str]:
    """Set up coupons and let people take some, once; yield what to tell the reader."""
    now = database_now()
    with atomic() as session:
        known = sa.select(CouponTemplate.id).where(CouponTemplate.title == KINDS[0]["title"])
        if session.scalar(known.limit(1)) is not None:
            return
        wanted = [*KINDS, _exchange(session)]
        wanted[1] = wanted[1] | {"product_ids": _treatments(session)}
        made = [_template(session, facts, now=now) for facts in wanted]
        ids, code = [one.id for one in made], made[2].code
        people = session.scalars(
            sa.select(Member.id).where(Member.deleted_at.is_(None)).order_by(Member.id)
        ).all()
    claimed = _claim(ids[:2], people[:CLAIMERS], now=now)
    with atomic() as session:
        pushing.push(
            session,
            ids[0],
            people[CLAIMERS : CLAIMERS + PUSHED],
            title="春季回访",
            actor=SYSTEM,
            now=now,
        )
        for member_id in people[:3]:
            services.give_by_staff(
                session, ids[3], member_id, reason="生日礼遇", actor=SYSTEM, now=now
            )
    while pushing.work_off(now=database_now()):
        pass
    yield f"Coupons: {len(ids)} kinds, {claimed} claimed; the code of the groups is {code}."


def _treatments(session: Session) -> tuple[int, ...]:
    """Return every service on sale."""
    wanted = sa.select(Product.id).where(Product.is_published, Product.kind == ProductKind.SERVICE)
    return tuple(session.scalars(wanted.order_by(Product.id)))


def _exchange(session: Session) -> dict[str, Any]:
    """A coupon for one piece of the cheapest product on sale."""
    product_id = session.scalars(
        sa.select(Product.id).where(Product.is_published).order_by(Product.price_fen).limit(1)
    ).one()
    return {
        "kind": CouponKind.EXCHANGE,
        "title": "到店体验兑换券",
        "title_en": "One free of charge in the store",
        "terms": "凭动态码到店核销，仅限本人使用。",
        "product_ids": (product_id,),
        "stock": 100,
        "ways": ("staff",),
    }


def _template(session: Session, facts: dict[str, Any], *, now: datetime) -> CouponTemplate:
    spec = TemplateSpec(
        **facts,
        claim_from_at=now - timedelta(days=1),
        claim_until_at=now + timedelta(days=60),
        valid_seconds=30 * DAY,
    )
    return templates.put_template(session, spec, actor=SYSTEM, now=now)


def _claim(template_ids: Sequence[int], people: Sequence[int], *, now: datetime) -> int:
    """Let people claim, those who may; return how many coupons that made."""
    count = 0
    for place, member_id in enumerate(people):
        template_id = template_ids[place % len(template_ids)]
        try:
            with atomic() as session:
                services.claim(session, template_id, member_id=member_id, now=now)
        except DomainError:
            continue
        count += 1
    return count

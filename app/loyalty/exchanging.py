"""Exchanging points in the mall, coupons among it: the points and the coupon, both or neither.

Points and coupons do not know each other, so what joins them stands above both.
"""

from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from app.coupons import giving
from app.coupons.errors import TemplateNotFound
from app.coupons.models import CouponTemplate
from app.kernel.audit import Actor
from app.points import exchanging, mall
from app.points.errors import MallItemInvalid
from app.points.exchanging import Wish
from app.points.mall import ItemSpec
from app.points.mall_models import MallExchange, MallItem

SOURCE = "mall"


def exchange(session: Session, wish: Wish, *, member_id: int, now: datetime) -> MallExchange:
    """Let a member have an item of the mall, whatever it is.

    Raises what `points.exchanging.exchange` and `coupons.giving.give` raise.
    """
    deliver = partial(_give, session, member_id, now)
    return exchanging.exchange(session, wish, member_id=member_id, deliver=deliver, now=now)


def create_item(session: Session, spec: ItemSpec, *, actor: Actor, now: datetime) -> MallItem:
    """Put something into the mall; of a coupon, the template must exist.

    Raises `MallItemInvalid`.
    """
    if spec.template_id is not None and session.get(CouponTemplate, spec.template_id) is None:
        raise MallItemInvalid("template_id")
    return mall.create_item(session, spec, actor=actor, now=now)


def _give(session: Session, member_id: int, now: datetime, item: MallItem, key: str) -> int:
    if item.template_id is None:
        raise TemplateNotFound
    given = giving.give(session, item.template_id, member_id, key=key, source=SOURCE, now=now)
    return given.id

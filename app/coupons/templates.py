"""Templates of coupons: made, changed while nobody holds one, refilled, ended. By staff, audited.

Whoever works in some stores only makes and changes templates of these stores; those of the whole
brand, and those that reach further, belong to staff of all stores.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog import queries as catalog
from app.counter.duty import duty_of
from app.coupons import stock as stocks
from app.coupons.errors import (
    CouponsEnded,
    TemplateInvalid,
    TemplateNotFound,
    TemplatePromised,
)
from app.coupons.models import PER_MEMBER_MAX, STOCK_MAX, CouponChannel, CouponTemplate
from app.coupons.states import CouponKind
from app.kernel.audit import Actor, Change, Subject, record
from app.kernel.ids import DIGITS_AND_CAPITALS, random_text
from app.stores.models import Store

TITLE_LENGTH_MAX: Final = 80
TERMS_LENGTH_MAX: Final = 2_000
AMOUNT_FEN_MAX: Final = 100_000_000
THRESHOLD_FEN_MAX: Final = 1_000_000_000
VALID_SECONDS_MIN: Final = 3_600
VALID_SECONDS_MAX: Final = 5 * 366 * 86_400
CODE_LENGTH: Final = 16
"""Random digits and capitals: 82 bits."""
WAYS: Final = tuple(one for one in CouponChannel if one is not CouponChannel.REWARD)
CHANGEABLE: Final = frozenset(
    {"title", "title_en", "terms", "ways", "claim_from_at", "claim_until_at"}
)
"""What may change while customers hold such coupons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateSpec:
    """What staff say of a template; see `models.CouponTemplate`. Amounts are fen."""

    kind: CouponKind
    title: str
    title_en: str = ""
    terms: str = ""
    amount_fen: int | None = None
    percent_bp: int | None = None
    most_fen: int | None = None
    threshold_fen: int = 0
    store_ids: tuple[int, ...] | None = None
    product_ids: tuple[int, ...] | None = None
    is_stackable: bool = False
    is_given_back: bool = True
    per_member: int = 1
    stock: int
    ways: tuple[str, ...] = ()
    claim_from_at: datetime
    claim_until_at: datetime
    valid_from_at: datetime | None = None
    valid_until_at: datetime | None = None
    valid_seconds: int | None = None


def put_template(
    session: Session,
    spec: TemplateSpec,
    *,
    template_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> CouponTemplate:
    """Add a template, or change the one of that id.

    One with a public code gets a random one. Raises `TemplateInvalid` by field, `TemplateNotFound`,
    `CouponsEnded`, `TemplatePromised` where customers hold such coupons already.
    """
    _check(session, spec)
    require_reach(session, spec.store_ids, actor=actor, now=now)
    values = _values(spec)
    issued: Mapping[int, int] = {}
    if template_id is None:
        template = CouponTemplate(**values, created_at=now)
        session.add(template)
        before: dict[str, Any] = {}
    else:
        template, issued = _lock_live(session, template_id, actor=actor, now=now)
        before = {name: getattr(template, name) for name in values}
        changed = {name for name, value in values.items() if before[name] != value}
        if "stock" in changed or (any(issued.values()) and changed - CHANGEABLE):
            raise TemplatePromised
        for name in changed:
            setattr(template, name, values[name])
    if CouponChannel.CODE in spec.ways and template.code is None:
        template.code = random_text(CODE_LENGTH, DIGITS_AND_CAPITALS)
    _deal(session, template, issued)
    after = {name: value for name, value in values.items() if before.get(name) != value}
    change = Change(
        before=_plain({name: before[name] for name in after if name in before}),
        after=_plain(after),
    )
    _record(session, actor, "coupon_template_put", template, change, now=now)
    return template


def change_stock(
    session: Session, template_id: int, stock: int, *, reason: str, actor: Actor, now: datetime
) -> CouponTemplate:
    """Say how many coupons of a template there are in all; never fewer than were issued."""
    template, issued = _lock_live(session, template_id, actor=actor, now=now)
    if not sum(issued.values()) <= stock <= STOCK_MAX:
        raise TemplateInvalid("stock")
    before, template.stock = template.stock, stock
    _deal(session, template, issued)
    change = Change(before={"stock": before}, after={"stock": stock}, reason=reason)
    _record(session, actor, "coupon_stock_changed", template, change, now=now)
    return template


def end_template(
    session: Session, template_id: int, *, reason: str, actor: Actor, now: datetime
) -> CouponTemplate:
    """Give out no more coupons of a template, for good; those that customers hold stay good."""
    template, issued = _lock_live(session, template_id, actor=actor, now=now)
    template.ended_at = now
    _deal(session, template, issued)
    change = Change(after={"issued": sum(issued.values())}, reason=reason)
    _record(session, actor, "coupon_template_ended", template, change, now=now)
    return template


def template_in_reach(
    session: Session, template_id: int, *, store_ids: Collection[int] | None
) -> CouponTemplate:
    """Return a template that touches one of these stores (None: all); else it is as absent."""
    template = session.get(CouponTemplate, template_id)
    if template is None or not touches(template.store_ids, store_ids):
        raise TemplateNotFound
    return template


def touches(theirs: Collection[int] | None, ours: Collection[int] | None) -> bool:
    """Tell whether two sets of stores, None for all, have one in common."""
    return theirs is None or ours is None or bool(set(theirs) & set(ours))


def _lock_live(
    session: Session, template_id: int, *, actor: Actor, now: datetime
) -> tuple[CouponTemplate, Mapping[int, int]]:
    """Lock a template for its staff, and its slots, of which it returns what each has issued."""
    template = session.get(
        CouponTemplate, template_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if template is None:
        raise TemplateNotFound
    require_reach(session, template.store_ids, actor=actor, now=now)
    if template.ended_at is not None:
        raise CouponsEnded
    return template, stocks.lock(session, template_id)


def _deal(session: Session, template: CouponTemplate, issued: Mapping[int, int]) -> None:
    """Write a template and its slots, so that every claim that follows sees what was changed."""
    session.flush()
    stocks.deal(session, template.id, template.stock, issued=issued)
    session.expire(template, ["issued"])


def require_reach(
    session: Session, store_ids: Collection[int] | None, *, actor: Actor, now: datetime
) -> None:
    """Refuse staff of some stores a template that reaches beyond them: the same as absent."""
    if actor.kind != "staff":
        return
    duty = duty_of(session, actor, now=now)
    if duty is None or (
        duty.store_ids is not None
        and (store_ids is None or not set(store_ids) <= set(duty.store_ids))
    ):
        raise TemplateNotFound


def _values(spec: TemplateSpec) -> dict[str, Any]:
    values = asdict(spec)
    for name in ("store_ids", "product_ids"):
        values[name] = None if values[name] is None else sorted(set(values[name]))
    values["ways"] = [one.value for one in WAYS if one in spec.ways]
    values["title"], values["title_en"] = spec.title.strip(), spec.title_en.strip()
    return values


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the audit trail keeps them."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def _check(session: Session, spec: TemplateSpec) -> None:
    """Raise `TemplateInvalid` with the first field that cannot be."""
    wrong = next((name for name, holds in _rules(session, spec).items() if not holds), None)
    if wrong is not None:
        raise TemplateInvalid(wrong)


def _rules(session: Session, spec: TemplateSpec) -> dict[str, bool]:
    """Return field by field whether it can be."""
    return {
        "title": 1 <= len(spec.title.strip()) <= TITLE_LENGTH_MAX,
        "title_en": len(spec.title_en) <= TITLE_LENGTH_MAX,
        "terms": len(spec.terms) <= TERMS_LENGTH_MAX,
        **_amounts(spec),
        "threshold_fen": 0 <= spec.threshold_fen <= THRESHOLD_FEN_MAX,
        "store_ids": _exist(session, Store.id, spec.store_ids),
        "product_ids": _products(session, spec),
        "per_member": 1 <= spec.per_member <= PER_MEMBER_MAX,
        "stock": 0 <= spec.stock <= STOCK_MAX,
        "ways": set(spec.ways) <= set(WAYS),
        "claim_until_at": spec.claim_from_at < spec.claim_until_at,
        **_validity(spec),
    }


def _amounts(spec: TemplateSpec) -> dict[str, bool]:
    is_amount, is_percent = (
        spec.kind is CouponKind.AMOUNT_OFF,
        spec.kind is CouponKind.PERCENT_OFF,
    )
    return {
        "amount_fen": _within(spec.amount_fen, AMOUNT_FEN_MAX)
        if is_amount
        else spec.amount_fen is None,
        "percent_bp": _within(spec.percent_bp, 10_000) if is_percent else spec.percent_bp is None,
        "most_fen": spec.most_fen is None
        or (is_percent and _within(spec.most_fen, AMOUNT_FEN_MAX)),
    }


def _validity(spec: TemplateSpec) -> dict[str, bool]:
    if spec.valid_seconds is not None:
        return {
            "valid_seconds": VALID_SECONDS_MIN <= spec.valid_seconds <= VALID_SECONDS_MAX,
            "valid_until_at": spec.valid_from_at is None and spec.valid_until_at is None,
        }
    return {
        "valid_from_at": spec.valid_from_at is not None,
        "valid_until_at": spec.valid_from_at is not None
        and spec.valid_until_at is not None
        and spec.valid_from_at < spec.valid_until_at,
    }


def _products(session: Session, spec: TemplateSpec) -> bool:
    wanted = spec.product_ids
    if spec.kind is CouponKind.EXCHANGE and (wanted is None or len(set(wanted)) != 1):
        return False
    if wanted is None:
        return True
    return len(wanted) > 0 and len(catalog.by_ids(session, wanted)) == len(set(wanted))


def _exist(session: Session, column: Any, ids: tuple[int, ...] | None) -> bool:
    if ids is None:
        return True
    found = session.scalars(sa.select(column).where(column.in_(ids))).all()
    return len(ids) > 0 and len(found) == len(set(ids))


def _within(value: int | None, most: int) -> bool:
    return value is not None and 1 <= value <= most


def _record(
    session: Session,
    actor: Actor,
    action: str,
    template: CouponTemplate,
    change: Change,
    *,
    now: datetime,
) -> None:
    store_ids = template.store_ids or []
    only_store = store_ids[0] if len(store_ids) == 1 else None
    subject = Subject("coupon_template", template.id, only_store)
    record(session, actor, action, subject, change, now=now)

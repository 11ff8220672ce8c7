"""The plans of the demo brand, each taken every step of its way by the people whose step it is.

Four are in force, side by side: each for the stores and products that the others leave free. Two
more are not: one that the compliance check stops, and a dearer version that was only tried out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.access import settings
from app.catalog.models import Product
from app.demo.brand import (
    CHAIN_STORE,
    HISTORY,
    NEWCOMER_PRODUCT,
    PRODUCTS,
    SHAREHOLDER_STORE,
    STORES,
)
from app.distribution import compliance, drafting
from app.distribution.plan_records import SimulationKind
from app.distribution.simulation import services as simulations
from app.distribution.simulation.services import Wish
from app.engines.registry import MODELS
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.plans import services as plans
from app.plans.models import Plan, PlanVersion
from app.plans.services import Draft
from app.plans.states import PlanVersionState
from app.stores.models import Staff, Store

WAIT: Final = timedelta(days=7)
LATELY: Final = timedelta(days=2)
"""So long ago the plans that are not in force were written."""

STATEMENT: Final = (
    "已逐条核对规则、协议与宣传材料：奖励只按顾客实付订单计提，退款即扣回。本人知悉该项风险并负责。"
)
GROWTH: Final[Mapping[str, Any]] = {"members": 1_500, "months": 6, "seed": 2026}


@dataclass(frozen=True, slots=True)
class Office:
    """Who does what: writes plans, answers for their risks, approves them."""

    author: Actor
    officer: Actor
    approver: Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A plan as somebody of the demo writes it down. None for stores or products means all."""

    name: str
    model: str
    rules: Mapping[str, Any] = field(default_factory=dict)
    stores: tuple[str, ...] | None = None
    products: tuple[str, ...] | None = None
    note: str = ""


_USUAL_PRODUCTS: Final = tuple(title for _, title, *_ in PRODUCTS)
_NEWCOMERS: Final = tuple(title for _, title, *_ in NEWCOMER_PRODUCT)
_USUAL_STORES: Final = tuple(name for name, _ in STORES)

CHANNEL: Final = Written(
    name="美丽合伙人 2026",
    model="CHANNEL_TWO_LEVEL",
    stores=_USUAL_STORES,
    products=_USUAL_PRODUCTS,
    note="两级渠道分销，默认参数",
)
IN_FORCE: Final = (
    CHANNEL,
    Written(
        name="湖滨店共享股东",
        model="SHARING_SHAREHOLDERS",
        stores=(SHAREHOLDER_STORE,),
        note="单店共享股东：按消费入席，每月从实收中分享奖池",
    ),
    Written(
        name="三人成礼",
        model="THREE_FISSION",
        stores=_USUAL_STORES,
        products=_NEWCOMERS,
        rules={"round_gift": {"form": "SERVICE", "item": "深层补水护理一次"}},
        note="三三裂变：每带来三位新客送一次护理，只送礼不发钱",
    ),
    Written(
        name="观前店链动",
        model="CHAIN_2_1",
        stores=(CHAIN_STORE,),
        note="链动 2+1，合规默认：免费加入，按业绩晋升，离队后不再计酬",
    ),
)
MATRIX: Final = Written(
    name="三三复制（行业原版）", model="THREE_MATRIX", note="供应商推荐的原版参数，先查再说"
)


def load_plans() -> Iterator[str]:
    """Write, check, try out, approve and publish the demo's plans, once; yield what to tell."""
    now = database_now()
    with atomic() as session:
        if session.scalar(sa.select(Plan.id).limit(1)) is not None:
            return
        by_email = dict(session.execute(sa.select(Staff.email, Staff.id)).all())
    author, officer, approver = (
        Actor("staff", by_email[f"{name}@demo.tuoke"]) for name in ("ops", "finance", "owner")
    )
    office = Office(author, officer, approver)
    for number, written in enumerate(IN_FORCE):
        _lead(written, office, at=now - HISTORY + timedelta(minutes=number))
    _try_dearer(office, at=now - LATELY)
    _check(_draft(MATRIX, office, at=now - LATELY), office, at=now - LATELY)
    yield f"{len(IN_FORCE)} plans in force, one stopped by the check, one tried out."


def _lead(written: Written, office: Office, *, at: datetime) -> None:
    """Take a plan from its draft into force."""
    version_id = _draft(written, office, at=at)
    _check(version_id, office, at=at + timedelta(minutes=5))
    _answer(version_id, office, at=at + timedelta(minutes=20))
    _simulate(
        Wish(version_id=version_id, kind=SimulationKind.GROWTH, parameters=GROWTH), office, at
    )
    with atomic() as session:
        at += timedelta(minutes=40)
        plans.submit(session, version_id, actor=office.author, now=at)
    with atomic() as session:
        at += timedelta(hours=2)
        plans.approve(session, version_id, actor=office.approver, now=at)
    compliance.publish_version(
        version_id, effective_from_at=at, settings=settings(), actor=office.approver, now=at
    )


def _draft(written: Written, office: Office, *, at: datetime) -> int:
    with atomic() as session:
        plan = plans.create_plan(session, written.name, model=written.model, now=at)
        rules = MODELS[written.model].original if written is MATRIX else _lawful(written)
        scope = {
            "store_ids": _ids(session, Store.id, Store.name, written.stores),
            "product_ids": _ids(session, Product.id, Product.title, written.products),
        }
        document = Draft(rules=rules, scope=scope, note=written.note)
        return drafting.draft(session, plan.id, document, actor=office.author, now=at).id


def _lawful(written: Written) -> dict[str, Any]:
    """Return a plan's rules; where a shorter after-sale window is set, none waits longer.

    So somebody who sets it can watch a whole life go by.
    """
    wait = min(int(WAIT.total_seconds()), settings().after_sale_seconds)
    return {"model": written.model, "settle_seconds": wait, **written.rules}


def _ids(session: Any, key: Any, name: Any, wanted: tuple[str, ...] | None) -> list[int] | None:
    if wanted is None:
        return None
    return list(session.scalars(sa.select(key).where(name.in_(wanted)).order_by(key)))


def _check(version_id: int, office: Office, *, at: datetime) -> None:
    compliance.check_version(version_id, settings=settings(), actor=office.author, now=at)


def _answer(version_id: int, office: Office, *, at: datetime) -> None:
    """Let the officer answer in writing for every high risk that the check found."""
    with atomic() as session:
        version = plans.lock_version(session, version_id)
        for one in plans.unanswered(session, version):
            plans.confirm_finding(
                session,
                version_id,
                one["rule"],
                statement=STATEMENT,
                officer=office.officer,
                now=at,
            )


def _simulate(wish: Wish, office: Office, at: datetime) -> None:
    """Try a version out on an invented brand, here and now."""
    at += timedelta(minutes=10)
    with atomic() as session:
        simulations.request(session, wish, actor=office.author, now=at)
    ended_at = at + timedelta(seconds=2)
    simulations.work(lambda: ended_at)


def _try_dearer(office: Office, *, at: datetime) -> None:
    """Draft a second version of the channel plan and compare it with the one in force."""
    dearer = replace(
        CHANNEL, rules={"rates_first_bp": [1_200, 1_600, 2_000], "rates_second_bp": [300, 400, 500]}
    )
    with atomic() as session:
        current = session.scalars(
            sa.select(PlanVersion)
            .join(Plan, Plan.id == PlanVersion.plan_id)
            .where(Plan.name == CHANNEL.name, PlanVersion.state == PlanVersionState.PUBLISHED)
        ).one()
        document = Draft(
            rules=_lawful(dearer), scope=current.scope, note="试算：首级提高到 12%，二级收窄"
        )
        plan_id, current_id = current.plan_id, current.id
        version = drafting.draft(session, plan_id, document, actor=office.author, now=at)
        version_id = version.id
    _check(version_id, office, at=at + timedelta(minutes=5))
    wish = Wish(
        version_id=version_id,
        kind=SimulationKind.GROWTH,
        parameters={**GROWTH, "stores": len(STORES)},
        against_version_id=current_id,
    )
    _simulate(wish, office, at)

"""Templates: what can be set up, what stays once somebody holds one, and by whom."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.coupons import services, templates
from app.coupons.errors import (
    CouponNotFound,
    CouponNotInState,
    CouponsEnded,
    TemplateInvalid,
    TemplateNotFound,
    TemplatePromised,
)
from app.coupons.models import Coupon, CouponTemplate
from app.coupons.states import CouponKind, CouponState
from app.coupons.templates import TemplateSpec
from app.kernel.audit import Actor, AuditRecord
from tests.factories.coupons import make_coupon, make_template
from tests.factories.orders import make_product
from tests.factories.people import make_member, make_staff, make_store


def spec(now: datetime, **changes: Any) -> TemplateSpec:
    plain = TemplateSpec(
        kind=CouponKind.AMOUNT_OFF,
        title="立减十元",
        amount_fen=1_000,
        stock=100,
        ways=("centre",),
        claim_from_at=now,
        claim_until_at=now + timedelta(days=7),
        valid_seconds=86_400,
    )
    return replace(plain, **changes)


def put(session: Session, wanted: TemplateSpec, *, now: datetime, **more: Any) -> CouponTemplate:
    actor = more.pop("actor", None) or Actor("staff", make_staff(session).id)
    return templates.put_template(session, wanted, actor=actor, now=now, **more)


def test_a_template_is_kept_as_it_was_said_and_in_the_trail(
    session: Session, now: datetime
) -> None:
    store, product = make_store(session), make_product(session)

    row = put(
        session,
        spec(now, store_ids=(store.id,), product_ids=(product.id,), ways=("code", "push")),
        now=now,
    )

    assert (row.store_ids, row.product_ids) == ([store.id], [product.id])
    assert row.code is not None
    assert len(row.code) == 16
    action = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc())).first()
    assert action is not None
    assert (action.action, action.store_id) == ("coupon_template_put", store.id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "券" * 81}, "title"),
        ({"amount_fen": None}, "amount_fen"),
        ({"amount_fen": 0}, "amount_fen"),
        ({"percent_bp": 100}, "percent_bp"),
        ({"most_fen": 100}, "most_fen"),
        ({"threshold_fen": -1}, "threshold_fen"),
        ({"store_ids": (999_999,)}, "store_ids"),
        ({"product_ids": (999_999,)}, "product_ids"),
        ({"product_ids": ()}, "product_ids"),
        ({"kind": CouponKind.EXCHANGE, "amount_fen": None}, "product_ids"),
        ({"kind": CouponKind.PERCENT_OFF, "amount_fen": None}, "percent_bp"),
        ({"per_member": 0}, "per_member"),
        ({"stock": 10_000_001}, "stock"),
        ({"ways": ("reward",)}, "ways"),
        ({"valid_seconds": 60}, "valid_seconds"),
        ({"valid_seconds": None}, "valid_from_at"),
    ],
)
def test_what_cannot_be_is_refused_by_field(
    session: Session, now: datetime, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(TemplateInvalid) as refusal:
        put(session, spec(now, **changes), now=now)

    assert refusal.value.field == field
    assert session.scalars(sa.select(CouponTemplate)).all() == []


def test_a_promise_stays_once_somebody_holds_it_and_the_rest_may_change(
    session: Session, now: datetime
) -> None:
    row = put(session, spec(now), now=now)
    make_coupon(session, row, make_member(session), now=now)

    with pytest.raises(TemplatePromised):
        put(session, spec(now, amount_fen=2_000), now=now, template_id=row.id)
    later = now + timedelta(days=30)
    put(session, spec(now, title="New", claim_until_at=later), now=now, template_id=row.id)

    session.refresh(row)
    assert (row.amount_fen, row.title, row.claim_until_at) == (1_000, "New", later)


def test_the_database_keeps_the_promise_too(session: Session, now: datetime) -> None:
    row = put(session, spec(now), now=now)
    make_coupon(session, row, make_member(session), now=now)

    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(sa.update(CouponTemplate).values(amount_fen=5))


def test_stock_is_changed_but_never_below_what_was_issued(session: Session, now: datetime) -> None:
    actor = Actor("staff", make_staff(session).id)
    row = put(session, spec(now, per_member=5), now=now)
    member = make_member(session)
    for _ in range(2):
        make_coupon(session, row, member, now=now)

    templates.change_stock(session, row.id, 2, reason="enough", actor=actor, now=now)
    with pytest.raises(TemplateInvalid):
        templates.change_stock(session, row.id, 1, reason="fewer", actor=actor, now=now)

    session.refresh(row)
    assert row.stock == 2


def test_an_ended_template_changes_no_more(session: Session, now: datetime) -> None:
    actor = Actor("staff", make_staff(session).id)
    row = put(session, spec(now), now=now)
    templates.end_template(session, row.id, reason="over", actor=actor, now=now)

    with pytest.raises(CouponsEnded):
        templates.end_template(session, row.id, reason="again", actor=actor, now=now)
    with pytest.raises(CouponsEnded):
        put(session, spec(now, title="New"), now=now, template_id=row.id)


def test_staff_of_some_stores_change_templates_of_theirs_alone(
    session: Session, now: datetime
) -> None:
    own, other = make_store(session), make_store(session)
    actor = Actor("staff", make_staff(session, "operations", stores=[own]).id)
    brand = put(session, spec(now), now=now)

    put(session, spec(now, store_ids=(own.id,)), now=now, actor=actor)
    for reach in (None, (own.id, other.id)):
        with pytest.raises(TemplateNotFound):
            put(session, spec(now, store_ids=reach), now=now, actor=actor)
    with pytest.raises(TemplateNotFound):
        templates.end_template(session, brand.id, reason="mine", actor=actor, now=now)
    with pytest.raises(TemplateNotFound):
        put(session, spec(now, store_ids=(own.id,)), now=now, template_id=brand.id, actor=actor)

    session.refresh(brand)
    assert (brand.ended_at, brand.store_ids) == (None, None)


def test_a_gift_by_staff_is_in_the_trail_and_nobody_deleted_gets_one(
    session: Session, now: datetime
) -> None:
    actor = Actor("staff", make_staff(session).id)
    row, member, gone = make_template(session), make_member(session), make_member(session)
    gone.deleted_at = now

    coupon = services.give_by_staff(
        session, row.id, member.id, reason="sorry", actor=actor, now=now
    )
    with pytest.raises(CouponNotFound):
        services.give_by_staff(session, row.id, gone.id, reason="x", actor=actor, now=now)

    action = session.scalars(sa.select(AuditRecord).order_by(AuditRecord.id.desc())).first()
    assert action is not None
    assert (action.action, action.subject_id, action.reason) == (
        "coupon_given",
        coupon.id,
        "sorry",
    )


def test_only_an_unused_coupon_is_revoked(session: Session, now: datetime) -> None:
    actor = Actor("staff", make_staff(session).id)
    coupon = make_coupon(session, make_template(session), make_member(session), now=now)

    services.revoke(session, coupon.id, reason="mistake", actor=actor, now=now)
    with pytest.raises(CouponNotInState):
        services.revoke(session, coupon.id, reason="again", actor=actor, now=now)

    assert session.get_one(Coupon, coupon.id).state is CouponState.REVOKED

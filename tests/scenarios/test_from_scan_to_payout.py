"""The story the product exists for, told once from end to end.

Every process is the real one: web, worker, relay, scheduler and the WeChat sandbox, over HTTP. The
waiting times are settings, here nought; in between Redis forgets everything, twice.
"""

from contextlib import ExitStack, closing
from dataclasses import replace

import pytest
import redis as redis_client
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.models import Award
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now
from app.members import services as members
from app.members.models import Distributor
from app.operations import invariants
from app.orders import services as orders
from app.payouts import services as payouts
from app.settings import Settings
from scripts.phone import Phone, wait_until
from tests.factories.orders import make_product
from tests.factories.people import make_staff, make_store
from tests.factories.plans import make_plan
from tests.scenarios.system import whole_system
from tests.servers import Services

pytestmark = pytest.mark.commits


def test_from_scan_to_payout(session: Session, services: Services, settings: Settings) -> None:
    store, staff = make_store(session), make_staff(session)
    make_plan(session, settle_seconds=0)
    product = make_product(session, price_fen=25_999)
    clerk = Actor("staff", staff.id)
    quick = replace(settings, after_sale_seconds=0)
    session.commit()
    store_id, product_id = store.id, product.id

    with whole_system(services) as (base_url, sandbox), ExitStack() as stack:
        meiqi, yutong, ruoxi = (
            stack.enter_context(closing(Phone(base_url, sandbox, nickname=name)))
            for name in ("美琪", "雨桐", "若曦")
        )
        _become_distributor(meiqi, clerk)
        code = meiqi.call("POST", "/share-codes", {"channel": {"name": "闺蜜群", "kind": "group"}})[
            "code"
        ]
        yutong.sign_in()
        assert yutong.scan(code)["outcome"] == "bound"
        _become_distributor(yutong, clerk)
        assert meiqi.call("GET", "/distributor/team/counts") == {"direct": 1, "second": 0}
        code = yutong.call(
            "POST", "/share-codes", {"channel": {"name": "朋友圈", "kind": "personal"}}
        )["code"]
        assert meiqi.picture(f"/share-codes/{_own_code(meiqi)}/qr.png").startswith(b"\x89PNG")

        ruoxi.sign_in()
        assert ruoxi.scan(code)["outcome"] == "bound"
        order = ruoxi.buy(product_id, store_id=store_id)
        _forget_everything(services)
        wait_until("paid", lambda: ruoxi.order(order["number"])["state"] == "paid")
        wait_until("awarded", lambda: _pending(yutong) == 2_599)
        assert _pending(meiqi) == 779

        now = database_now()
        with atomic() as transaction:
            orders.complete(
                transaction,
                order["number"],
                actor=clerk,
                settings=quick,
                now=now,
            )
        _forget_everything(services)
        wait_until("matured", lambda: _available(yutong) == 2_599)

        payout = yutong.withdraw(2_599)
        now = database_now()
        with atomic() as transaction:
            payouts.approve(
                transaction,
                payout["id"],
                actor=clerk,
                settings=settings,
                now=now,
            )
        wait_until("offered", lambda: yutong.confirm_bills(payout["id"]) == 1)
        path = f"/distributor/payouts/{payout['id']}"
        wait_until("confirmed", lambda: yutong.call("GET", path)["state"] == "succeeded")

        received = sandbox.books()["per_openid"][yutong.openid]["received_fen"]
        assert received == 2_599
        assert _available(yutong) == 0
        [award] = yutong.call("GET", "/distributor/awards")["items"]
        assert award["state"] == "withdrawn"
        assert any("10%" in one["en"] for one in award["explanation"])

    findings = list(invariants.check(session))
    assert [one for one in findings if one.count] == []
    assert session.scalar(sa.select(sa.func.count(Award.id))) == 2


def _become_distributor(phone: Phone, clerk: Actor) -> None:
    phone.sign_in()
    body = {"agreement_version": "2026-11", "real_name": "张三"}
    phone.call("POST", "/distributor/application", body)
    member_id = phone.call("GET", "/me")["id"]
    now = database_now()
    with atomic() as session:
        members.approve_distributor(session, member_id, actor=clerk, now=now)
        assert session.get_one(Distributor, member_id).standing == "active"


def _own_code(phone: Phone) -> str:
    code: str = phone.call("GET", "/share-codes")["items"][0]["code"]
    return code


def _pending(phone: Phone) -> int:
    amount: int = phone.call("GET", "/distributor")["balances"]["pending_fen"]
    return amount


def _available(phone: Phone) -> int:
    amount: int = phone.call("GET", "/distributor")["balances"]["available_fen"]
    return amount


def _forget_everything(services: Services) -> None:
    with redis_client.from_url(services.redis_url) as connection:
        connection.flushall()

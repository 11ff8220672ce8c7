"""Each family of plans as a new user of the product runs it, from a draft to money.

Every process is the real one. A plan is drafted, checked, answered for, tried out, approved by a
second person and published in the back office, by people who sign in with both factors; customers
join, buy and ask for refunds through the API of the mini-program, and WeChat's callbacks are
signed. After-sale windows last a second. A month cannot be waited for: it is closed by the service
that the scheduler calls, told that the month is over.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import pyotp
import pytest
import redis as redis_client
from flask import Flask
from flask_security import hash_password
from sqlalchemy.orm import Session

from app.distribution import months
from app.distribution.month_books import bounds, month_of
from app.distribution.months import Due
from app.distribution.replay import replay
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now, db
from app.plans.models import PlanVersion
from scripts.phone import Phone, wait_until
from scripts.sandbox.client import SandboxClient
from tests.factories.orders import make_product
from tests.factories.people import make_staff, make_store
from tests.scenarios.back_office import PASSWORD, Desk
from tests.scenarios.system import whole_system
from tests.servers import Services, wipe

PRICE_FEN: Final = 29_900
SECONDS: Final = "1"
GROWTH: Final = {"members": 200, "months": 2}


@dataclass
class Brand:
    """A brand that is open: its staff at their desks, its customers at their phones."""

    app: Flask
    base_url: str
    sandbox: SandboxClient
    operations: Desk
    owner: Desk
    product_id: int
    stack: ExitStack

    def phone(self, name: str) -> Phone:
        """Let somebody open the mini-program."""
        phone = self.stack.enter_context(closing(Phone(self.base_url, self.sandbox, nickname=name)))
        phone.sign_in()
        return phone

    def distributor(self, name: str, *, brought_by: str | None = None) -> Phone:
        """Let somebody become a distributor, by a colleague's code where there is one."""
        phone = self.phone(name)
        if brought_by is not None:
            assert phone.scan(brought_by)["outcome"] == "bound"
        body = {"agreement_version": "2026-11", "real_name": name}
        phone.call("POST", "/distributor/application", body)
        self.operations.decide("distributors", "approve", phone.call("GET", "/me")["id"])
        return phone

    def friend(self, name: str, code: str) -> Phone:
        """Let a new customer scan a code."""
        phone = self.phone(name)
        assert phone.scan(code)["outcome"] == "bound"
        return phone

    def publish(self, name: str, model: str, store_id: int, **rules: Any) -> int:
        """Take a plan all the way into force in the back office; returns its version."""
        version_id = self.operations.draft_plan(name, model, rules, store_id=store_id)
        self.operations.decide("plan_versions", "check", version_id)
        answered = self.owner.answer_for_risks(version_id)
        assert "C10" in answered, "a wait of a second is a high risk"
        self.operations.simulate(version_id, **GROWTH)
        self.operations.decide("plan_versions", "submit", version_id)
        self.owner.decide("plan_versions", "approve", version_id)
        self.owner.decide("plan_versions", "publish", version_id)
        return version_id

    def order(self, phone: Phone, store_id: int, quantity: int = 1) -> str:
        """Let somebody order and pay; returns the number of the paid order."""
        number: str = phone.buy(self.product_id, store_id=store_id, quantity=quantity)["number"]
        wait_until("paid", lambda: phone.order(number)["state"] == "paid")
        return number

    def refund(self, phone: Phone, number: str, quantity: int) -> None:
        """Let somebody get money back for some pieces before they are received."""
        [line] = phone.order(number)["lines"]
        wish = {
            "reason": "不想要了",
            "lines": [{"order_line_id": line["id"], "quantity": quantity}],
        }
        phone.call("POST", f"/orders/{number}/refunds", wish, key=f"refund-{number}")
        path = f"/orders/{number}/refunds"
        wait_until(
            "refunded",
            lambda: phone.call("GET", path)["items"][0]["state"] == "succeeded",
        )

    def receive(self, *orders: tuple[Phone, str]) -> None:
        """Hand over what was bought, and wait for the after-sale windows to close."""
        for _phone, number in orders:
            self.operations.decide("orders", "complete", self.operations.find("orders", number))
        for phone, number in orders:
            wait_until("settled", lambda: phone.order(number)["state"] == "settled")  # noqa: B023

    def close_month(self, version_id: int, store_id: int | None = None) -> int:
        """Close the running month as if it were over; returns what it pays, in fen."""
        with self.app.app_context():
            with atomic() as session:
                plan_id = session.get_one(PlanVersion, version_id).plan_id
            month = month_of(database_now())
            page = {"plan": plan_id, "month": month} | ({"store": store_id} if store_id else {})
            assert "Running" in self.owner.get("/months/close/preview/", **page)
            over = bounds(month)[1] + timedelta(days=1)
            closed = months.close(Due(plan_id, month, store_id), actor=SYSTEM, now=over)
            awarded_fen = closed.awarded_fen
            db.session.remove()
            again = replay(over, over + timedelta(days=1), plan_id)
            assert (again.differences, again.counts["months"]) == ([], 1)
            db.session.remove()
        return awarded_fen

    def prove(self) -> None:
        """Decide everything again, and check every invariant."""
        for command in ("replay", "audit"):
            with self.app.app_context():
                done = self.app.test_cli_runner().invoke(args=[command, "--json"])
                db.session.remove()
            assert done.exit_code == 0, done.output
            assert json.loads(done.stdout)["ok"] is True


def _desk(session: Session, base_url: str, role: str) -> Desk:
    """Employ somebody and seat them; they come in as everybody does."""
    staff, secret = make_staff(session, role), pyotp.random_base32()
    staff.password = hash_password(PASSWORD)
    staff.tf_primary_method = "authenticator"
    staff.tf_totp_secret = json.dumps({"key": secret, "type": "totp", "v": 1})
    desk = Desk(base_url, staff.email, secret)
    session.commit()
    desk.sign_in()
    return desk


@pytest.fixture(scope="module")
def brand(app: Flask, services: Services) -> Iterator[Brand]:
    """One system for all plans: each has a store of its own, and is in force there alone."""
    with ExitStack() as stack:
        stack.callback(_forget, services)
        base_url, sandbox = stack.enter_context(whole_system(services, AFTER_SALE_SECONDS=SECONDS))
        with app.app_context():
            operations = _desk(db.session(), base_url, "operations")
            owner = _desk(db.session(), base_url, "owner")
            product_id = make_product(db.session(), price_fen=PRICE_FEN).id
            db.session.commit()
            db.session.remove()
        yield Brand(app, base_url, sandbox, operations, owner, product_id, stack)


def _forget(services: Services) -> None:
    wipe(services)
    with redis_client.from_url(services.redis_url) as connection:
        connection.flushdb()


@pytest.fixture
def store_id(brand: Brand) -> int:
    with brand.app.app_context():
        found = make_store(db.session()).id
        db.session.commit()
        db.session.remove()
    return found


def test_two_levels_of_a_channel_and_their_ladder(brand: Brand, store_id: int) -> None:
    ladder = {"rungs": [{"from_fen": 10_000, "rate_bp": 100}], "max_depth": 2}
    version_id = brand.publish(
        "两级", "CHANNEL_TWO_LEVEL", store_id, settle_seconds=1, incentives={"ladder": ladder}
    )
    meiqi = brand.distributor("美琪")
    yutong = brand.distributor("雨桐", brought_by=code_of(meiqi))
    ruoxi = brand.friend("若曦", code_of(yutong))

    number = brand.order(ruoxi, store_id, quantity=2)
    wait_until("awarded", lambda: net_of(yutong) == [("L1", 5_980)])
    assert net_of(meiqi) == [("L2", 1_794)]
    brand.refund(ruoxi, number, 1)
    wait_until("taken back", lambda: net_of(yutong) == [("L1", 2_990)])
    assert net_of(meiqi) == [("L2", 897)]
    brand.receive((ruoxi, number))
    wait_until("matured", lambda: available(yutong) == 2_990)

    assert brand.close_month(version_id) == 299
    brand.operations.decide(
        "distributors", "freeze", yutong.call("GET", "/me")["id"], reason="shared in a game hall"
    )
    brand.order(ruoxi, store_id)
    wait_until("refused", lambda: "FROZEN" in refusals_of(yutong))

    assert net_of(yutong) == [("TEAM_LADDER", 299), ("L1", 2_990)]
    in_both_languages(yutong, "/distributor/awards", "10%")
    in_both_languages(yutong, "/distributor/refusals", "frozen")
    brand.prove()


def test_sharing_shareholders_of_a_store_and_their_pool(brand: Brand, store_id: int) -> None:
    silver = {
        "code": "SILVER",
        "weight": 1,
        "entry_fen": 50_000,
        "commission_bp": 500,
        "guest_cards": 5,
    }
    version_id = brand.publish(
        "股东",
        "SHARING_SHAREHOLDERS",
        store_id,
        settle_seconds=1,
        shareholder_levels=[silver],
    )
    shuyao, zhenzhen = brand.distributor("舒窈"), brand.distributor("蓁蓁")

    own = brand.order(shuyao, store_id, quantity=2)
    brand.receive((shuyao, own))
    wait_until("seated", lambda: seat_of(shuyao) == [(store_id, "ACTIVE", 1)])
    chuqing = brand.friend("初晴", code_of(shuyao))
    ruxu = brand.friend("如许", code_of(zhenzhen))
    number, other = brand.order(chuqing, store_id, quantity=2), brand.order(ruxu, store_id)
    wait_until("awarded", lambda: net_of(shuyao) == [("COMMISSION", 2_990)])
    brand.refund(chuqing, number, 1)
    wait_until("taken back", lambda: net_of(shuyao) == [("COMMISSION", 1_495)])
    brand.receive((chuqing, number), (ruxu, other))
    wait_until("matured", lambda: available(shuyao) == 1_495)

    pool_fen = 4 * PRICE_FEN * 5 // 100
    assert brand.close_month(version_id, store_id) == pool_fen
    assert net_of(shuyao) == [("POOL", pool_fen), ("COMMISSION", 1_495)]
    assert refusals_of(zhenzhen) == ["NO_PLACE"]
    in_both_languages(shuyao, "/distributor/awards", "pool")
    in_both_languages(zhenzhen, "/distributor/refusals", "store")
    brand.prove()


def test_three_new_customers_and_a_gift(brand: Brand, store_id: int) -> None:
    brand.publish("三人成礼", "THREE_FISSION", store_id, settle_seconds=1)
    yinuo = brand.distributor("一诺")
    code = code_of(yinuo)
    friends = [brand.friend(name, code) for name in ("令仪", "冰清", "闻语", "雨晴")]

    orders = [(phone, brand.order(phone, store_id)) for phone in friends]
    brand.refund(*orders[0], 1)
    brand.receive(*orders[1:])
    wait_until("granted", lambda: [one["kind"] for one in gifts_of(yinuo)] == ["ROUND"])

    [gift] = gifts_of(yinuo)
    assert (gift["state"], gifts_of(friends[0])) == ("due", [])
    assert [one["kind"] for one in gifts_of(friends[1])] == ["NEWCOMER"]
    brand.operations.decide("gifts", "give", gift["id"])
    assert [one["state"] for one in gifts_of(yinuo)] == ["given"]
    assert net_of(yinuo) == []
    assert refusals_of(yinuo) == ["ROUND_OPEN", "ROUND_OPEN"]
    in_both_languages(yinuo, "/distributor/gifts", "ound")
    in_both_languages(yinuo, "/distributor/refusals", "Round 1 of")
    brand.prove()


def test_an_agent_of_a_chain_becomes_a_boss(brand: Brand, store_id: int) -> None:
    brand.publish("链动", "CHAIN_2_1", store_id, settle_seconds=1, promote_sales_fen=50_000)
    root = brand.distributor("美娜")
    jianing = brand.distributor("佳宁", brought_by=code_of(root))
    ruolan = brand.distributor("若兰", brought_by=code_of(jianing))
    wait_until("seated", lambda: "You are an agent." in place_of(jianing))
    caiwei = brand.friend("采薇", code_of(jianing))

    number = brand.order(caiwei, store_id, quantity=3)
    wait_until("awarded", lambda: net_of(jianing) == [("DIRECT", 8_970)])
    brand.refund(caiwei, number, 1)
    wait_until("taken back", lambda: net_of(jianing) == [("DIRECT", 5_980)])
    brand.receive((caiwei, number))
    wait_until("promoted", lambda: any("boss and lead" in one for one in place_of(jianing)))
    wait_until("matured", lambda: available(jianing) == 5_980)
    second = brand.order(caiwei, store_id)
    wait_until("awarded", lambda: len(net_of(jianing)) == 3)
    brand.order(ruolan, store_id)
    wait_until("refused", lambda: "REPURCHASE" in refusals_of(jianing))
    brand.receive((caiwei, second))

    assert sorted(net_of(jianing)) == [("DIRECT", 2_990), ("DIRECT", 5_980), ("TEAM", 1_495)]
    assert net_of(root) == []
    in_both_languages(jianing, "/distributor/awards", "10%")
    in_both_languages(jianing, "/distributor/refusals", "place")
    brand.prove()


def code_of(phone: Phone) -> str:
    """Return a new share code of a distributor."""
    body = {"channel": {"name": "老友", "kind": "personal"}}
    code: str = phone.call("POST", "/share-codes", body)["code"]
    return code


def net_of(phone: Phone) -> list[tuple[str, int]]:
    """Return kind and what is left of each award, the newest first."""
    items = phone.call("GET", "/distributor/awards")["items"]
    return [(one["kind"], one["net_fen"]) for one in items]


def available(phone: Phone) -> int:
    """Return what somebody could withdraw, in fen."""
    amount: int = phone.call("GET", "/distributor")["balances"]["available_fen"]
    return amount


def refusals_of(phone: Phone) -> list[str]:
    """Return why somebody did not earn, the newest first."""
    return [one["reason"] for one in phone.call("GET", "/distributor/refusals")["items"]]


def gifts_of(phone: Phone) -> list[dict[str, Any]]:
    """Return somebody's gifts."""
    items: list[dict[str, Any]] = phone.call("GET", "/distributor/gifts")["items"]
    return items


def seat_of(phone: Phone) -> list[tuple[int, str, int]]:
    """Return somebody's seats as a shareholder."""
    items = phone.call("GET", "/distributor/holdings")["items"]
    return [(one["store_id"], one["state"], one["level"]) for one in items]


def place_of(phone: Phone) -> list[str]:
    """Return what somebody is told of their places, in English."""
    items = phone.call("GET", "/distributor/places")["items"]
    return [sentence["en"] for one in items for sentence in one["sentences"]]


def in_both_languages(phone: Phone, path: str, word: str) -> None:
    """Check that each row is explained in Chinese and English, and one with this word."""
    told = [one for row in phone.call("GET", path)["items"] for one in row["explanation"]]
    assert told, path
    assert all(one["zh"] and one["en"] for one in told)
    assert any(one["zh"] != one["en"] for one in told)
    assert any(word in one["en"] for one in told), told

"""Shareholders, months, gifts, teams and rounds in a real browser."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy.orm import Session

from app.distribution import shareholders
from app.distribution.month_books import bounds, month_of
from app.engines.chain.rules import Role
from app.engines.fission.engine import FissionPlace, Referral, Round
from app.kernel.audit import SYSTEM
from app.kernel.db import database_now
from app.members.models import Distributor, Member
from app.orders.states import OrderState
from app.stores.models import Staff
from tests.browser.conftest import Window
from tests.factories.orders import make_order
from tests.factories.people import make_distributor, make_member, make_store
from tests.factories.plan_rows import (
    CHAIN,
    FISSION,
    make_chain_place,
    make_gift,
    put_place,
    version_of,
)
from tests.factories.plans import make_plan

pytestmark = pytest.mark.commits


@dataclass
class Shop:
    """A store with holders, a gift, a team and rounds, whose last month is not closed."""

    month: str
    store_id: int
    plan_id: int
    holding: str
    gift_id: int
    agent: str
    rounds: str

    @property
    def pages(self) -> dict[str, str]:
        """Return the pages to look at, by the name of their pictures."""
        due = f"plan={self.plan_id}&month={self.month}&store={self.store_id}"
        return {
            "holdings": "/holdings/",
            "holding": f"/holdings/details/?id={self.holding}",
            "holding-new": "/holdings/form/new/",
            "holding-level": f"/holdings/form/level/?id={self.holding}",
            "months": "/months/",
            "months-due": "/months/close/",
            "months-preview": f"/months/close/preview/?{due}",
            "gifts": "/gifts/",
            "gift": f"/gifts/details/?id={self.gift_id}",
            "places": "/places/",
            "place": f"/places/details/?id={self.agent}",
            "rounds": f"/places/details/?id={self.rounds}",
        }


def person(session: Session, nickname: str, store_id: int) -> Distributor:
    return make_distributor(session, make_member(session, nickname=nickname), store_id=store_id)


@pytest.fixture
def shop(session: Session) -> Shop:
    for model in (CHAIN, FISSION):
        version_of(session, model)
    session.commit()
    month = month_of(bounds(month_of(database_now()))[0] - timedelta(days=1))
    at = bounds(month)[0] + timedelta(days=3)
    store = make_store(session, "外滩旗舰店")
    held = make_plan(session, model="SHARING_SHAREHOLDERS", seats_per_store=5)
    queueing = person(session, "等待的王小姐", store.id)
    holders = [person(session, name, store.id) for name in ("陈美玲", "林若曦", "周静")]
    session.commit()
    for level, one in enumerate(holders, start=1):
        shareholders.grant(store.id, one.member_id, level=level, actor=SYSTEM, now=at)
    buyers = [session.get_one(Member, one.member_id) for one in holders[:2]]
    for member, fen in zip([*buyers, None], (380_000, 120_000, 9_900_000), strict=True):
        make_order(
            session,
            member=member,
            store=store,
            price_fen=fen,
            state=OrderState.SETTLED,
            plan_version_id=held.id,
            now=at + timedelta(days=1),
        )
    shareholders.apply_for(queueing.member_id, store.id, now=at)
    gift = make_gift(session, buyers[0], store, item="新客体验券")
    agent = _team(session, store.id)
    rounds = _rounds(session, holders[2])
    session.commit()
    key = f"{held.plan_id}-{holders[0].member_id}-{store.id}"
    return Shop(month, store.id, held.plan_id, key, gift.id, agent, rounds)


def _team(session: Session, store_id: int) -> str:
    """A boss, an agent below, and four recruits of the agent; returns the agent's place."""
    boss, agent = (person(session, name, store_id) for name in ("老板方", "代理苏"))
    make_chain_place(session, boss, role=Role.BOSS, direct_count=1)
    key = make_chain_place(
        session,
        agent,
        recommender_id=boss.member_id,
        parent=(boss.member_id, 1),
        boss_id=boss.member_id,
        direct_count=4,
    )
    for number in range(4):
        make_chain_place(
            session,
            person(session, f"新人{number}", store_id),
            recommender_id=agent.member_id,
            parent=(agent.member_id, 1),
            boss_id=boss.member_id,
            under_review=number == 2,
        )
    return key


def _rounds(session: Session, who: Distributor) -> str:
    orders = [
        make_order(session, member=make_member(session, nickname=f"顾客{n}")) for n in "一二三四"
    ]
    found = [Referral(one.id, one.member_id, "2026-02-27T04:00:00+00:00") for one in orders]
    closed = Round(1, "2026-02-27T04:00:00+00:00", tuple(found[:3]))
    place = FissionPlace(member_id=who.member_id, open_referrals=tuple(found[3:]), rounds=(closed,))
    return put_place(session, version_of(session, FISSION).plan_id, place)


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_of_plans_fits_its_window(
    shop: Shop, window: Callable[..., Window], employ: Callable[..., Staff], width: int
) -> None:
    desk = window(width=width)
    desk.sign_in(employ(desk, "owner"))
    desk.speak("en")

    for name, path in shop.pages.items():
        desk.open(path)
        desk.picture(f"plans-{width}-{name}")
        wide = desk.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide"
        expect(desk.page.locator("h1")).to_be_visible()

    assert desk.troubles == []


def test_a_month_is_looked_at_and_closed_by_a_click(
    shop: Shop, window: Callable[..., Window], employ: Callable[..., Staff]
) -> None:
    desk = window()
    desk.sign_in(employ(desk, "finance"))
    desk.speak("en")
    desk.open("/months/")

    desk.page.get_by_role("link", name="Close a month").click()
    desk.page.locator("table").first.get_by_role("link", name=shop.month).click()
    expect(desk.page.locator(".story article")).to_have_count(3)
    desk.page.get_by_role("button", name="Close now").click()

    expect(desk.page.locator(".flash.good")).to_contain_text(f"{shop.month} was closed.")
    expect(desk.page.locator(".story .money").first).to_have_text("¥3,466.66")
    desk.picture("plans-month-closed")
    assert desk.troubles == []


def test_a_seat_is_given_by_searching_for_a_name(
    session: Session, shop: Shop, window: Callable[..., Window], employ: Callable[..., Staff]
) -> None:
    person(session, "新股东", shop.store_id)
    desk = window()
    desk.sign_in(employ(desk, "operations"))
    desk.speak("en")
    desk.open("/holdings/form/new/")

    for place, name in ((0, "外滩旗舰店"), (1, "新股东")):
        field = desk.page.locator(".lookup input:visible").nth(place)
        field.fill(name)
        desk.page.get_by_role("option").filter(has_text=name).first.click()
    desk.page.select_option("#level", "2")
    desk.page.get_by_role("button", name="Give a seat").click()

    expect(desk.page.locator("h1")).to_contain_text("In force")
    expect(desk.page.locator("dl.facts").first).to_contain_text("4 of 5")
    assert desk.troubles == []

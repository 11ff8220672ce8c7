"""A brand to look at: stores, staff, products, plans, distributors and three months of trade.

Everything goes through the services that real traffic goes through, so every invariant holds.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from app.demo.activities import load_activities
from app.demo.brand import load_brand
from app.demo.contested import load_contested
from app.demo.counter import load_counter
from app.demo.coupons import load_coupons
from app.demo.draws import load_draws
from app.demo.files import load_files
from app.demo.guest_cards import load_guest_cards
from app.demo.interactions import load_interactions
from app.demo.membership import load_member_levels, load_membership
from app.demo.plans import load_plans
from app.demo.points import load_points
from app.demo.posters import load_posters
from app.demo.trade import load_trade
from app.insight.jobs import refresh_figures
from app.kernel.db import atomic, database_now
from app.kernel.outbox import relay
from app.reactions import TASKS


def _demo() -> Iterator[str]:
    yield from _brand()
    yield from load_membership()
    yield from load_trade()
    yield from load_contested()
    yield from load_member_levels()
    yield from load_files()
    yield from load_counter()
    yield from load_coupons()
    yield from load_guest_cards()
    yield from load_activities()
    yield from load_draws()
    yield from load_points()
    yield from load_posters()
    yield from load_interactions()
    _pass_on()
    refresh_figures()
    yield "figures: made"


def _pass_on() -> None:
    """Leave no fact behind that the relay has not seen; workers find their tasks when they run."""
    now = database_now()
    with atomic() as session:
        while relay(session, TASKS, now=now):
            continue


def _brand() -> Iterator[str]:
    yield from load_brand()
    yield from load_plans()


SCENARIOS: Final[Mapping[str, Callable[[], Iterator[str]]]] = {"demo": _demo, "brand": _brand}
"""What `flask seed --scenario` can load; each yields lines to print."""

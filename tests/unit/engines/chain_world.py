"""One team of chain 2+1 for the tests: an agent under a boss who left the team of another."""

from collections.abc import Mapping
from typing import Any

from app.engines import chain
from app.engines.chain.engine import decide
from app.engines.chain.rules import ChainRules, Role
from app.engines.chain.teams import ChainPlace
from app.engines.documents import load_rules
from app.engines.events import Sold
from app.engines.people import Line, Person, Sale, Standing
from app.engines.places import Board
from app.engines.results import Decisions

BUYER, AGENT, BOSS, ORIGIN = 9, 3, 2, 1
NAMES = {AGENT: "Li", BOSS: "Wang", ORIGIN: "Zhao"}
LINE = Line(70, 5, 25_999)
PACKAGE = Line(70, 5, 49_900)
TEAM = (
    ChainPlace(member_id=ORIGIN, role=Role.BOSS),
    ChainPlace(
        member_id=BOSS, recommender_id=ORIGIN, role=Role.BOSS, origin_boss_id=ORIGIN, depth=1
    ),
    ChainPlace(member_id=AGENT, recommender_id=BOSS, parent=(BOSS, 1), boss_id=BOSS, depth=2),
)
ACTIVE = Standing.ACTIVE


def load(**given: Any) -> ChainRules:
    rules = load_rules({"model": "CHAIN_2_1"} | given)
    assert isinstance(rules, ChainRules)
    return rules


def original(**given: Any) -> ChainRules:
    return load(**{**chain.MODEL.original, **given})


DEFAULT = load()
AGAIN = load(repurchase="TWO_LEVEL", repurchase_first_bp=900, repurchase_second_bp=350)


def sell(
    rules: ChainRules = DEFAULT,
    *,
    lines: tuple[Line, ...] = (LINE,),
    above: tuple[int, ...] = (AGENT,),
    people: Mapping[int, Person] | None = None,
    standings: Mapping[int, Standing] | None = None,
    places: tuple[ChainPlace, ...] = TEAM,
) -> Decisions:
    """Sell to the buyer, whom those above brought; `people` says who is not just active."""
    known = people or {}
    upline = tuple(known.get(one, Person(one, 1, ACTIVE)) for one in above)
    sale = Sale(7, known.get(BUYER, Person(BUYER)), lines)
    return decide(rules, Sold(sale, upline), Board(places, standings))


def frozen(*ids: int) -> dict[int, Person]:
    return {one: Person(one, 1, Standing.FROZEN) for one in ids}


KIN = {one: Person(one, 1, ACTIVE, frozenset({"phone:1"})) for one in (BUYER, AGENT, BOSS)}
REVOKED = (*TEAM[:2], ChainPlace(member_id=AGENT, boss_id=BOSS, depth=2, revoked=True))
LONE_AGENT = (ChainPlace(member_id=AGENT),)
FAR = (*TEAM, ChainPlace(member_id=4, recommender_id=AGENT, boss_id=BOSS, depth=3))
ZERO = {"agent": {"rate_bp": 0}, "boss": {"rate_bp": 0}}
MEMBER = (*TEAM, ChainPlace(member_id=BUYER, recommender_id=AGENT, boss_id=BOSS, depth=3))

"""Chain 2+1 for the tests: one team with all seats taken, and a world in which teams grow."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.engines import chain
from app.engines.chain.engine import decide
from app.engines.chain.rules import ChainRules, Role
from app.engines.chain.teams import ChainPlace
from app.engines.documents import load_rules
from app.engines.events import Event, Joined, Refunded, Settled, Sold
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


AT = datetime(2026, 3, 1, tzinfo=UTC)
PRICE_FEN = 49_900


class World:
    """A plan and its places, where orders are numbered like their buyers."""

    def __init__(self, rules: ChainRules) -> None:
        self.rules = rules
        self.board: Board[Any] = Board()

    def happen(self, event: Event) -> Decisions:
        decisions = decide(self.rules, event, self.board)
        self.board.apply(decisions.places)
        return decisions

    def buy(self, member: int, owner: int | None = None, *, order: int | None = None) -> Decisions:
        return self.happen(sold(member, owner, order=order))

    def recruit(self, *pairs: tuple[int, int | None]) -> None:
        for member, owner in pairs:
            self.buy(member, owner)

    def settle(self, member: int, owner: int | None = None, *, fen: int = PRICE_FEN) -> Decisions:
        made = sold(member, owner, fen=fen)
        return self.happen(Settled(made.sale, made.chain))

    def refund(
        self,
        member: int,
        owner: int | None = None,
        *,
        left_fen: int = 0,
        taken_fen: int = PRICE_FEN,
        is_settled: bool = False,
        order: int | None = None,
    ) -> Decisions:
        number = member if order is None else order
        return self.happen(
            Refunded(number, 900, member, owner, left_fen, is_settled, AT, refunded_fen=taken_fen)
        )

    def join(self, member: int, recommender: int | None = None) -> Decisions:
        return self.happen(Joined(Person(member), recommender, AT))

    def of(self, member: int) -> ChainPlace:
        place = self.board.get(member)
        assert isinstance(place, ChainPlace)
        return place

    def tree(self) -> str:
        def text(place: ChainPlace) -> str:
            below = " ".join(text(child) for child in self.board.children(place.spot))
            return f"{place.member_id}{'*' * place.is_boss}" + (f"({below})" if below else "")

        return " ; ".join(text(place) for place in self.board.all() if place.parent is None)


def sold(member: int, owner: int | None, *, order: int | None = None, fen: int = PRICE_FEN) -> Sold:
    chain: Sequence[Person] = () if owner is None else (Person(owner, 1, Standing.ACTIVE),)
    number = member if order is None else order
    return Sold(Sale(number, Person(member), (Line(number, 5, fen, quantity=2),)), tuple(chain))

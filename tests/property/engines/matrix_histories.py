"""Random plans and histories of the matrix: few people, so that they meet again and again."""

from random import Random

from app.engines.events import Refunded, Sold
from app.engines.matrix.rules import MatrixRules, Placement
from app.engines.people import NO_INSTANT, Line, Person, Sale, Standing

PRICE_FEN = 39_900
PEOPLE = 25
NOBODY: frozenset[str] = frozenset()


def random_rules(random: Random) -> MatrixRules:
    positions_max = random.choice((1, 1, 2, 3))
    completion_layers = random.choice((0, 1, 2, 2, 3))
    layers = random.choice((0, 1, 2, 2, 3, 8, 12))
    most_bp = random.choice((500, 500, 3_000))
    return MatrixRules(
        payout_cap_bp=random.choice((12_000, 20_000, 5_000, random.randint(1, 2_000))),
        entry_price_fen=random.choice((PRICE_FEN, PRICE_FEN, 1)),
        entry_product_ids=random.choice(((), (), (5,))),
        positions_max=positions_max,
        width=random.choice((2, 2, 3, 4, 9)),
        placement=random.choice(tuple(Placement)),
        sponsor_bp=random.choice((0, 1_000, 2_000)),
        sponsor_needs_place=random.choice((True, True, False)),
        layers_bp=tuple(random.randint(0, most_bp) for _ in range(layers)),
        deep_layer_directs=random.randint(0, 3),
        completion_layers=completion_layers,
        completion_fen=random.choice((0, 1, 1)) if completion_layers else 0,
        reentry=bool(completion_layers and positions_max > 1 and random.random() < 0.8),
    )


def with_bonus(rules: MatrixRules, random: Random) -> MatrixRules:
    if not rules.completion_fen:
        return rules
    return rules.model_copy(update={"completion_fen": random.randint(1, rules.entry_price_fen)})


def random_person(random: Random, member_id: int, standings: dict[int, Standing]) -> Person:
    household = frozenset({f"phone:{random.randint(1, 8)}"}) if random.random() < 0.1 else NOBODY
    return Person(member_id, 1, standings.get(member_id, Standing.ACTIVE), household)


def random_sold(random: Random, order_id: int, standings: dict[int, Standing]) -> Sold:
    """Most often somebody new, brought by somebody from before."""
    newest = min(order_id, PEOPLE) if random.random() < 0.7 else random.randint(1, PEOPLE)
    above = random.sample(range(1, PEOPLE + 1), random.choice((0, 1, 1, 2, 3)))
    if above and random.random() < 0.6:
        above[0] = random.randint(1, max(1, min(order_id, PEOPLE) // 3))
    lines = tuple(
        Line(
            line_id=10 * order_id + number,
            product_id=random.choice((5, 5, 5, 6)),
            base_fen=random.choice((PRICE_FEN, PRICE_FEN, 2 * PRICE_FEN, PRICE_FEN - 1, 0, 7)),
            distributable=random.random() < 0.95,
            quantity=random.choice((1, 1, 1, 2)),
        )
        for number in range(random.choice((1, 1, 1, 2)))
    )
    buyer = random_person(random, newest, standings)
    chain = tuple(random_person(random, one, standings) for one in dict.fromkeys(above))
    return Sold(Sale(order_id, buyer, lines, is_first=False), chain)


def random_refund(random: Random, sold: Sold, refund_id: int) -> Refunded:
    return Refunded(
        order_id=sold.sale.order_id,
        refund_id=refund_id,
        buyer_id=sold.sale.buyer.member_id,
        owner_id=sold.chain[0].member_id if sold.chain else None,
        remaining_fen=random.choice((0, PRICE_FEN - 1, PRICE_FEN)),
        is_settled=True,
        at=NO_INSTANT,
    )

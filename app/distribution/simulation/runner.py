"""Running rules over a stream, one or two sets of them at once. Pure.

Nothing is kept of an order but what it adds to, so a million orders need no more memory than the
people among them.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from app.distribution.simulation.lane import Entry, Lane
from app.distribution.simulation.stream import Fact, Happening, Stage, What, timeline

PROGRESS_EVERY: Final = 500
"""After so many orders whoever waits is told."""
STAGES: Final = {
    What.PAID: Stage.PAID,
    What.RECEIVED: Stage.RECEIVED,
    What.SETTLED: Stage.SETTLED,
}


def run(
    source: Iterable[Happening],
    entries: Sequence[Entry],
    *,
    levels_rise: bool,
    until_at: datetime | None = None,
    progress: Callable[[int], None] = lambda _orders: None,
) -> list[Lane]:
    """Try each set of rules on the same stream; return what became of each.

    `progress` is told the number of orders so far, every few hundred of them.
    """
    lanes = [Lane(entry, levels_rise=levels_rise) for entry in entries]
    orders = 0
    with_received = any(lane.needs_received for lane in lanes)
    for fact in timeline(source, until_at=until_at, with_received=with_received):
        _pass(fact, lanes)
        if fact.what is What.PAID:
            orders += 1
            if orders % PROGRESS_EVERY == 0:
                progress(orders)
    progress(orders)
    return lanes


def _pass(fact: Fact, lanes: Sequence[Lane]) -> None:
    """Let every lane take note of one fact."""
    trade = fact.trade
    if trade is None:
        for lane in lanes:
            if fact.newcomer is not None:
                lane.join(fact.newcomer, fact.at)
            else:
                lane.end_month(fact.month, fact.at)
    elif fact.refund is None:
        trade.stage = STAGES[fact.what]
        for lane in lanes:
            lane.advance(trade, fact.at)
    else:
        for line_id, fen in fact.refund.lines:
            trade.refunded[line_id] = trade.refunded.get(line_id, 0) + fen
        for lane in lanes:
            lane.refund(trade, fact.refund)

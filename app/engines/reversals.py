"""What refunds leave of an award: a function of all that was refunded of its line so far.

Never of one refund by itself: rounding each slice of a refund would leave a fen here and there,
and whoever refunds in many slices would keep them. The rate is the one
applied at payment, after the cap, so the cap holds on what remains as it held on the whole. Later
changes of plan, level or owner play no part.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.engines.results import FACTS_SCHEMA, Facts, Outcome
from app.kernel.money import share_of


@dataclass(frozen=True, slots=True)
class AwardNet:
    """An award as recorded: base and rate applied as at payment, and what is left of it now.

    `rate_bp` is None for a fixed amount of `amount_fen`.
    """

    award_id: int
    line_id: int
    base_fen: int
    rate_bp: int | None
    net_fen: int
    amount_fen: int = 0


@dataclass(frozen=True, slots=True)
class Reversal:
    """How an award falls from `old_fen` to `new_fen`, since `refunded_fen` of its base is gone."""

    award_id: int
    line_id: int
    base_fen: int
    refunded_fen: int
    rate_bp: int | None
    old_fen: int
    new_fen: int

    @property
    def delta_fen(self) -> int:
        """What is taken back now; above zero."""
        return self.old_fen - self.new_fen

    @property
    def explanation(self) -> Facts:
        """The facts, for storing beside the reversal."""
        return {
            "schema": FACTS_SCHEMA,
            "outcome": Outcome.REVERSAL.value,
            "line_id": self.line_id,
            "base_fen": self.base_fen,
            "refunded_fen": self.refunded_fen,
            "remaining_fen": self.base_fen - self.refunded_fen,
            "rate_bp": self.rate_bp,
            "old_fen": self.old_fen,
            "new_fen": self.new_fen,
            "delta_fen": self.delta_fen,
        }


def net_after(base_fen: int, rate_bp: int, refunded_fen: int) -> int:
    """Return what an award is worth once `refunded_fen` of its base is refunded altogether.

    >>> [net_after(25_999, 1_000, refunded_fen) for refunded_fen in (0, 9_999, 25_999)]
    [2599, 1600, 0]
    """
    assert refunded_fen >= 0, f"{refunded_fen} fen cannot have been refunded"
    return share_of(max(base_fen - refunded_fen, 0), rate_bp)


def fixed_net_after(base_fen: int, amount_fen: int, refunded_fen: int) -> int:
    """Return what a fixed amount is worth once `refunded_fen` of its base is refunded altogether.

    >>> [fixed_net_after(49_900, 10_000, refunded_fen) for refunded_fen in (0, 1, 24_950, 49_900)]
    [10000, 9999, 5000, 0]
    """
    assert base_fen > 0, "a share of nothing"
    assert refunded_fen >= 0, f"{refunded_fen} fen cannot have been refunded"
    return amount_fen * max(base_fen - refunded_fen, 0) // base_fen


def reverse(nets: Iterable[AwardNet], refunded_base_fen: Mapping[int, int]) -> tuple[Reversal, ...]:
    """Return how awards fall, given what was refunded altogether of the base of each line.

    Lines not in `refunded_base_fen` are left alone, awards that do not change are left out. An
    award never rises: the same figure again, or an older and smaller one, changes nothing. More
    than the base counts as the base, as where a refund gives back what earned no commission.

    >>> awards = [AwardNet(1, 70, 25_999, 1_000, 2_599), AwardNet(2, 70, 25_999, 500, 1_299)]
    >>> [(change.new_fen, change.delta_fen) for change in reverse(awards, {70: 9_999})]
    [(1600, 999), (800, 499)]
    """
    return tuple(_changes(nets, refunded_base_fen))


def _changes(nets: Iterable[AwardNet], refunded_base_fen: Mapping[int, int]) -> Iterator[Reversal]:
    for award in nets:
        if award.line_id not in refunded_base_fen:
            continue
        refunded_fen = min(refunded_base_fen[award.line_id], award.base_fen)
        if award.rate_bp is None:
            new_fen = fixed_net_after(award.base_fen, award.amount_fen, refunded_fen)
        else:
            new_fen = net_after(award.base_fen, award.rate_bp, refunded_fen)
        if new_fen < award.net_fen:
            yield Reversal(
                award_id=award.award_id,
                line_id=award.line_id,
                base_fen=award.base_fen,
                refunded_fen=refunded_fen,
                rate_bp=award.rate_bp,
                old_fen=award.net_fen,
                new_fen=new_fen,
            )

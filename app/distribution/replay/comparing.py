"""Comparing what a part of an order leads to with what is recorded of it."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from app.distribution.gathering import Share
from app.distribution.recording import Decided
from app.distribution.replay.recorded import Moves, Part, Recorded, accrued, clawed_back
from app.distribution.replay.report import Report
from app.engines.results import Award
from app.engines.reversals import AwardNet, reverse
from app.ledger.transfers import Name

_NONE: Counter[tuple[Any, ...]] = Counter()


@dataclass(frozen=True, slots=True)
class Expected:
    """What was decided again of one part of an order."""

    share: Share
    decided: Decided

    @property
    def part(self) -> Part:
        """The order and the version."""
        return self.share.order_id, self.share.version_id


def compare_part(one: Expected, recorded: Recorded, report: Report) -> None:
    """Compare decision, awards, refusals, gifts and the ledger's entry of one part."""
    part, decisions = one.part, one.decided.decisions
    expected = one.decided.base_fen, decisions.total_fen
    report.counts["decisions"] += 1
    report.counts["awards"] += len(decisions.awards)
    report.compare("order_decisions", part, expected, recorded.decisions.get(part))
    awards = {
        (award.line_id, award.kind.value, award.beneficiary_id): (
            award.seat,
            award.base_fen,
            award.rate_bp,
            award.amount_fen,
            _reversed_fen(award, one.share, recorded.decided_refunds),
        )
        for award in decisions.awards
    }
    report.compare_all("awards", part, awards, recorded.awards.get(part, {}))
    refusals = Counter(
        (refusal.line_id, refusal.seat, refusal.beneficiary_id, refusal.reason.value)
        for refusal in decisions.refusals
    )
    report.compare_all("award_refusals", part, refusals, recorded.refusals.get(part, _NONE))
    gifts = {
        (gift.kind.value, gift.beneficiary_id): (gift.item, gift.amount) for gift in decisions.gifts
    }
    report.compare_all("gifts", part, gifts, recorded.gifts.get(part, {}))
    accruals = accruals_of((award.beneficiary_id, award.amount_fen) for award in decisions.awards)
    key = accrued(part)
    report.compare_all("ledger_entries", key, accruals, recorded.moves.get(key, {}))


def accruals_of(awards: Iterable[tuple[int, int]]) -> Moves:
    """Return what awards move in the ledger, given beneficiary and amount of each."""
    found: dict[tuple[str, int | None], int] = {}
    for beneficiary_id, amount_fen in awards:
        account = Name.COMMISSION_PENDING.value, beneficiary_id
        found[account] = found.get(account, 0) + amount_fen
    return found


def compare_refund(refund_id: int, recorded: Recorded, report: Report) -> None:
    """Compare what a refund took back of awards with what it took back in the ledger."""
    report.counts["refunds"] += 1
    moved: dict[int | None, int] = {}
    key = clawed_back(refund_id)
    for (_, member_id), amount in recorded.moves.get(key, {}).items():
        moved[member_id] = moved.get(member_id, 0) - amount
    report.compare_all("ledger_entries", key, recorded.reversals.get(refund_id, {}), moved)


def compare_absent(part: Part, recorded: Recorded, report: Report) -> None:
    """Note everything that is recorded of a part that leads to nothing."""
    report.compare("order_decisions", part, None, recorded.decisions.get(part))
    report.compare_all("awards", part, {}, recorded.awards.get(part, {}))
    report.compare_all("award_refusals", part, _NONE, recorded.refusals.get(part, _NONE))
    report.compare_all("gifts", part, {}, recorded.gifts.get(part, {}))


def _reversed_fen(award: Award, share: Share, decided_refunds: Collection[int]) -> int:
    """Return what refunds have taken back of an award, the last one that was worked off included.

    They are cumulative: one takes what all refunds of the line until its own success leave too
    much. What was refunded before the order counted is not in the award's base.
    """
    returned = share.returned.get(award.line_id, ())
    worked_off = [one for one in returned if one.refund_id in decided_refunds]
    if not worked_off:
        return 0
    last = max((one.ended_at, one.refund_id) for one in worked_off)
    net_fen = next(line.base_fen for line in share.lines if line.line_id == award.line_id)
    gone_fen = sum(one.amount_fen for one in returned if (one.ended_at, one.refund_id) <= last)
    refunded_fen = max(award.base_fen - (net_fen - gone_fen), 0)
    net = AwardNet(
        0, award.line_id, award.base_fen, award.rate_bp, award.amount_fen, award.amount_fen
    )
    return sum(one.delta_fen for one in reverse([net], {award.line_id: refunded_fen}))

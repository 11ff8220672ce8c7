"""The monthly pool of one store.

`pool_bp` of what was settled in the month, after what refunds took back of earlier months and what
was missing to zero before, with the fen that could not be divided last time. It is shared among
the holders eligible at the month's end, each part rounded down; the fen left over go on to the next
month. What nobody is entitled to stays with the store and is not carried: without an eligible
holder the whole pool, fen from before included; the part of a level without holders; what goes
beyond somebody's lifetime cap, unless the plan gives it to the others.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from app.engines.months import Earner, MonthAward, MonthBooks, MonthClose, MonthRefusal
from app.engines.obstacles import obstacle_of_standing
from app.engines.results import FACTS_SCHEMA, Facts, Outcome, Reason
from app.engines.shareholders.engine import AwardKind, HoldingReason
from app.engines.shareholders.rules import Excess, ShareholderLevel, ShareholderRules, Split
from app.kernel.money import share_of


class _Holder(NamedTuple):
    """An eligible holder: their level, what they weigh, and what their lifetime cap leaves."""

    earner: Earner
    level: ShareholderLevel
    weight: int
    room_fen: int | None


class _Share(NamedTuple):
    """What comes to a holder: of which pool, among which weights, before and after their cap."""

    holder: _Holder
    pool_fen: int
    weights: int
    uncapped_fen: int
    amount_fen: int


class _Split(NamedTuple):
    """A pool divided: the shares, the fen to carry, and what stays with the store."""

    shares: tuple[_Share, ...]
    carried_fen: int
    kept_fen: int


def close_month(rules: ShareholderRules, books: MonthBooks) -> MonthClose:
    """Return what a month's pool of one store brings to each holder, and to whom nothing and why.

    `books.people` are all who have or had a holding there, with its level and end.
    """
    base_fen = books.net_fen - books.deficit_fen
    own_fen = share_of(max(base_fen, 0), rules.pool_bp)
    pool_fen = own_fen + books.carried_fen
    verdicts = [(earner, _obstacle(rules, books, earner)) for earner in _in_order(books.people)]
    holders = [_holder(rules, earner) for earner, obstacle in verdicts if obstacle is None]
    split = _divide(rules, pool_fen, holders)
    of_month: Facts = {
        "schema": FACTS_SCHEMA,
        "model": rules.model,
        "kind": AwardKind.POOL.value,
        "month": books.month,
        "store": books.store_id,
        "net_fen": books.net_fen,
        "deficit_before_fen": books.deficit_fen,
        "base_fen": max(base_fen, 0),
        "pool_bp": rules.pool_bp,
        "carried_before_fen": books.carried_fen,
        "pool_fen": pool_fen,
    }
    refusals = [
        _refusal(earner, obstacle, of_month | _eligibility(rules, earner))
        for earner, obstacle in verdicts
        if obstacle is not None
    ]
    paid = [_settle(rules, pool_fen, share, of_month) for share in _by_member(split.shares)]
    awards = tuple(one for one in paid if isinstance(one, MonthAward))
    refusals += [one for one in paid if isinstance(one, MonthRefusal)]
    outcome: Facts = {
        "split": rules.split.value,
        "eligible": len(holders),
        "paid_fen": sum(award.amount_fen for award in awards),
        "kept_fen": split.kept_fen,
        "carried_fen": split.carried_fen,
        "deficit_fen": max(-base_fen, 0),
    }
    return MonthClose(
        awards=awards,
        refusals=tuple(refusals),
        pool_fen=pool_fen,
        carried_fen=split.carried_fen,
        deficit_fen=max(-base_fen, 0),
        facts=of_month | outcome,
    )


def _in_order(people: Iterable[Earner]) -> list[Earner]:
    return sorted(people, key=lambda earner: earner.member_id)


def _obstacle(rules: ShareholderRules, books: MonthBooks, earner: Earner) -> StrEnum | None:
    """Return what keeps somebody out of the month's pool, as things stand at its end."""
    bought_at = earner.own_settled_at
    assert bought_at is None or bought_at < books.ends_at, "bought after the month"
    standing = obstacle_of_standing(earner.standing)
    if standing is not None:
        return standing
    if earner.until_at is not None and earner.until_at < books.ends_at:
        return HoldingReason.EXPIRED
    if not earner.level:
        return HoldingReason.NO_SEAT
    if rules.level(earner.level) is None:
        return Reason.LEVEL_NOT_IN_PLAN
    if bought_at is None or bought_at < books.ends_at - timedelta(days=rules.active_days):
        return HoldingReason.INACTIVE
    return None


def _holder(rules: ShareholderRules, earner: Earner) -> _Holder:
    level = rules.level(earner.level)
    assert level is not None, "who has no level is not eligible"
    cap_fen = rules.cap_total_fen
    room_fen = None if cap_fen is None else max(cap_fen - earner.received_fen, 0)
    return _Holder(earner, level, level.weight, room_fen)


def _divide(rules: ShareholderRules, pool_fen: int, holders: Sequence[_Holder]) -> _Split:
    """Divide a pool as the plan says."""
    if rules.split is Split.BY_WEIGHT:
        return _fill(rules, pool_fen, holders)
    parts = list(_by_level(rules, pool_fen, holders))
    taken_fen = sum(part.pool_fen for part in parts)
    splits = [_fill(rules, part.pool_fen, part.holders) for part in parts]
    shares = tuple(share for split in splits for share in split.shares)
    carried_fen = sum(split.carried_fen for split in splits) + pool_fen - taken_fen
    kept_fen = sum(split.kept_fen for split in splits)
    if not shares:
        return _Split((), 0, pool_fen)
    return _Split(shares, carried_fen, kept_fen)


def _by_member(shares: Iterable[_Share]) -> list[_Share]:
    return sorted(shares, key=lambda share: share.holder.earner.member_id)


class _Part(NamedTuple):
    pool_fen: int
    holders: tuple[_Holder, ...]


def _by_level(
    rules: ShareholderRules, pool_fen: int, holders: Sequence[_Holder]
) -> Iterator[_Part]:
    """Yield the part of each level, and who shares it equally."""
    weights = sum(level.weight for level in rules.shareholder_levels)
    for level in rules.shareholder_levels:
        members = tuple(one._replace(weight=1) for one in holders if one.level == level)
        yield _Part(pool_fen * level.weight // weights, members)


def _fill(rules: ShareholderRules, pool_fen: int, holders: Sequence[_Holder]) -> _Split:
    """Divide a pool by weight under lifetime caps.

    Where the excess goes to the others, whoever reaches their cap is taken out with what is left of
    it, and the rest is divided anew among the others, until nobody exceeds theirs.
    """
    capped: list[_Share] = []
    open_to = list(holders)
    left_fen = pool_fen
    while rules.excess is Excess.REDISTRIBUTED:
        shares = _proportional(left_fen, open_to)
        full = [share for share in shares if share.amount_fen < share.uncapped_fen]
        if not full:
            break
        capped += full
        left_fen -= sum(share.amount_fen for share in full)
        open_to = [share.holder for share in shares if share.amount_fen == share.uncapped_fen]
    shares = _proportional(left_fen, open_to)
    if not shares:
        return _Split(tuple(capped), 0, left_fen)
    carried_fen = left_fen - sum(share.uncapped_fen for share in shares)
    kept_fen = sum(share.uncapped_fen - share.amount_fen for share in shares)
    return _Split((*capped, *shares), carried_fen, kept_fen)


def _proportional(pool_fen: int, holders: Sequence[_Holder]) -> list[_Share]:
    """Return everybody's part of a pool by weight, and what their cap leaves of it."""
    weights = sum(holder.weight for holder in holders)
    shares = []
    for holder in holders:
        part_fen = pool_fen * holder.weight // weights
        amount_fen = part_fen if holder.room_fen is None else min(part_fen, holder.room_fen)
        shares.append(_Share(holder, pool_fen, weights, part_fen, amount_fen))
    return shares


def _settle(
    rules: ShareholderRules, pool_fen: int, share: _Share, of_month: Facts
) -> MonthAward | MonthRefusal:
    """Turn a share into an award; what comes to nothing is refused."""
    holder = share.holder
    facts = of_month | {
        "beneficiary_id": holder.earner.member_id,
        "level": holder.earner.level,
        "level_code": holder.level.code,
        "split": rules.split.value,
        "shared_fen": share.pool_fen,
        "weight": holder.weight,
        "weights": share.weights,
        "uncapped_fen": share.uncapped_fen,
        "cap_total_fen": rules.cap_total_fen,
        "received_fen": holder.earner.received_fen,
    }
    if share.amount_fen == 0:
        return _refusal(holder.earner, _why_nothing(pool_fen, share), facts)
    facts |= {
        "outcome": Outcome.AWARD.value,
        "amount_fen": share.amount_fen,
        "withheld_fen": share.uncapped_fen - share.amount_fen,
        "excess": rules.excess.value,
    }
    return MonthAward(
        beneficiary_id=holder.earner.member_id,
        kind=AwardKind.POOL,
        base_fen=pool_fen,
        rate_bp=None,
        amount_fen=share.amount_fen,
        explanation=facts,
    )


def _why_nothing(pool_fen: int, share: _Share) -> StrEnum:
    if pool_fen == 0:
        return HoldingReason.EMPTY_POOL
    return Reason.CAPPED_OUT if share.uncapped_fen else Reason.ZERO_AMOUNT


def _eligibility(rules: ShareholderRules, earner: Earner) -> Facts:
    """Return what an explanation needs of somebody who is left out."""
    level = rules.level(earner.level)
    return {
        "beneficiary_id": earner.member_id,
        "level": earner.level,
        "level_code": level.code if level else None,
        "active_days": rules.active_days,
        "until": earner.until_at.isoformat() if earner.until_at else None,
        "own_settled": earner.own_settled_at.isoformat() if earner.own_settled_at else None,
    }


def _refusal(earner: Earner, reason: StrEnum, facts: Facts) -> MonthRefusal:
    return MonthRefusal(
        beneficiary_id=earner.member_id,
        kind=AwardKind.POOL,
        reason=reason,
        explanation=facts | {"outcome": Outcome.REFUSAL.value, "reason": reason.value},
    )

"""The worst case of the three-three matrix, and what it does in the words of the law."""

from app.engines.bound import BoundStep, PayoutBound
from app.engines.matrix.rules import MatrixRules, Placement
from app.engines.parameters import Entry
from app.engines.practices import Practices, fewest_recruits
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import BASIS_POINTS, percent

BOUND_JOIN = N_(
    "A join pays its sponsor %(sponsor)s and %(count)s layers above %(layers)s altogether: %(sum)s."
)
BOUND_COMPLETION = N_(
    "A join that completes a position also pays %(completion)s, which is up to %(share)s of a"
    " package for %(price)s: %(sum)s. One join completes one position at most, for only the lowest"
    " of its layers can be filled last."
)


def payout_bound(rules: MatrixRules) -> PayoutBound:
    """Derive the worst case of a plan from its parameters.

    Rates are shares of the line that takes the position; the completion bonus is dearest, as a
    share of it, where no more than the price of the package was paid. Other lines pay nothing.

    >>> bound = payout_bound(MatrixRules())
    >>> bound.bound_bp, bound.cap_bp, bound.within_cap
    (11800, 12000, True)
    """
    layers_bp = sum(rules.layers_bp)
    rates_bp = rules.sponsor_bp + layers_bp
    figures = {
        "sponsor": percent(rules.sponsor_bp),
        "count": len(rules.layers_bp),
        "layers": percent(layers_bp),
        "sum": percent(rates_bp),
    }
    steps = [BoundStep(Message(BOUND_JOIN, figures), rates_bp)]
    if rules.completion_fen:
        whole_bp = rates_bp + completion_share_bp(rules)
        figures = {
            "completion": yuan(rules.completion_fen),
            "share": percent(completion_share_bp(rules)),
            "price": yuan(rules.entry_price_fen),
            "sum": percent(whole_bp),
        }
        steps.append(BoundStep(Message(BOUND_COMPLETION, figures), whole_bp))
    return PayoutBound(steps[-1].sum_bp, rules.payout_cap_bp, tuple(steps))


def completion_share_bp(rules: MatrixRules) -> int:
    """Return the completion bonus as a share of the cheapest package, rounded up."""
    return -(-rules.completion_fen * BASIS_POINTS // rules.entry_price_fen)


def practices(rules: MatrixRules) -> Practices:
    """Describe a plan as the compliance check reads it.

    Only a position earns by layers and completion, and only the package buys one. Completion is
    paid for so many heads, whatever they bought.
    """
    paid_layers = [layer for layer, rate_bp in enumerate(rules.layers_bp, start=1) if rate_bp]
    depths = [*paid_layers, rules.completion_layers if rules.completion_fen else 0]
    return Practices(
        entry=Entry.BUY_PACKAGE,
        paid_depth=max([*depths, 1 if rules.sponsor_bp else 0]),
        pays_per_head=rules.completion_fen > 0,
        fixed_share_bp=completion_share_bp(rules),
        promotion_recruits=fewest_recruits(rules),
        has_spillover=True,
        has_queue=rules.placement is Placement.GLOBAL,
        promises_return=rules.conduct.promises_return,
        entry_spend_fen=rules.entry_price_fen,
    )

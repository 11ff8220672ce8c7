"""What somebody's place in chain 2+1 means to them."""

from collections.abc import Iterator

from app.engines.chain.rules import ChainRules, PromotionBy
from app.engines.chain.teams import ChainPlace
from app.kernel.i18n import N_, Message, yuan


def tell(rules: ChainRules, place: ChainPlace) -> Iterator[Message]:
    """Tell the role, and what is missing to the next."""
    if place.revoked:
        yield Message(
            N_("The order that brought you here was refunded, so the place counts no more.")
        )
    if place.is_boss:
        yield Message(N_("You are a boss and lead a team of your own."))
    else:
        yield Message(N_("You are an agent."))
        yield from _missing(rules, place)
    if place.direct_count:
        yield Message(N_("%(count)s people whom you brought count."), {"count": place.direct_count})


def _missing(rules: ChainRules, place: ChainPlace) -> Iterator[Message]:
    if rules.promotion_by is PromotionBy.OWN_SALES and rules.promote_sales_fen is not None:
        told = {"sold": yuan(place.sales_fen), "needed": yuan(rules.promote_sales_fen)}
        yield Message(
            N_("Settled sales to your own customers: %(sold)s of the %(needed)s that make a boss."),
            told,
        )
    elif rules.promote_count is not None:
        told = {"count": str(place.direct_count), "needed": str(rules.promote_count)}
        yield Message(N_("Recruits: %(count)s of the %(needed)s that make a boss."), told)

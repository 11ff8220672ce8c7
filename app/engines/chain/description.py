"""The rules of a chain 2+1 plan in sentences."""

from collections.abc import Iterator
from typing import Final

from app.engines.chain.rules import (
    ChainRules,
    LeaveScope,
    LeaveTo,
    Pay,
    PeerBase,
    PromotionBy,
    Repurchase,
    Reward,
    Role,
)
from app.engines.parameters import Entry, Moment
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

LEFT_TO: Final = {
    LeaveTo.NEAREST_BOSS: N_("They go to the boss of the old team."),
    LeaveTo.PARENT: N_("They go to whoever stood directly above the promoted."),
    LeaveTo.PLATFORM: N_("They go to nobody: each becomes the top of a team."),
}
PEER: Final = {
    PeerBase.TEAM: N_(
        "A boss whose team somebody left as a boss gets %(rate)s of that person's team rewards."
    ),
    PeerBase.ALL: N_(
        "A boss whose team somebody left as a boss gets %(rate)s of that person's direct and team"
        " rewards."
    ),
}


def describe(rules: ChainRules) -> Iterator[Message]:
    """Tell how people join, what is paid, who rises, and who stays behind."""
    yield from _joining(rules)
    yield from _paying(rules)
    yield from _rising(rules)
    yield from _leaving(rules)


def _joining(rules: ChainRules) -> Iterator[Message]:
    if rules.conduct.entry is Entry.FREE:
        yield Message(N_("Whoever is approved becomes an agent under who recommended them."))
    elif rules.entry_price_fen is not None:
        price = {"price": yuan(rules.entry_price_fen)}
        yield Message(N_("Whoever buys a package of at least %(price)s becomes an agent."), price)
    if rules.root_role is Role.BOSS:
        yield Message(N_("Whoever joins without a recommender joins as a boss."))


def _paying(rules: ChainRules) -> Iterator[Message]:
    yield _rewards(
        N_("Whoever brought the buyer gets %(agent)s as an agent, %(boss)s as a boss."),
        rules.direct,
    )
    yield _rewards(
        N_(
            "The boss of the team gets %(agent)s where an agent brought the buyer, %(boss)s where"
            " they did so themself."
        ),
        rules.team,
    )
    if rules.peer_bp:
        yield Message(PEER[rules.peer_base], {"rate": percent(rules.peer_bp)})
    if rules.max_depth is None:
        yield Message(N_("It does not matter how far above the buyer a boss stands."))
    else:
        yield Message(
            N_("Nobody further than %(steps)s steps above the buyer is paid."),
            {"steps": rules.max_depth},
        )
    if rules.repurchase is Repurchase.NOTHING:
        yield Message(N_("Nothing is paid when somebody who has a place buys again."))
    else:
        rates = {
            "first": percent(rules.repurchase_first_bp),
            "second": percent(rules.repurchase_second_bp),
        }
        yield Message(
            N_(
                "When somebody who has a place buys again, the two above get %(first)s and"
                " %(second)s."
            ),
            rates,
        )


def _rewards(text: str, pay: Pay) -> Message:
    return Message(text, {"agent": _reward(pay.agent), "boss": _reward(pay.boss)})


def _reward(reward: Reward) -> str:
    return percent(reward.rate_bp or 0) if reward.fixed_fen is None else yuan(reward.fixed_fen)


def _rising(rules: ChainRules) -> Iterator[Message]:
    if rules.promotion_by is PromotionBy.OWN_SALES:
        assert rules.promote_sales_fen is not None
        sales = {"sales": yuan(rules.promote_sales_fen)}
        yield Message(
            N_("Settled sales of %(sales)s to own customers make a boss of an agent."), sales
        )
        return
    count = {"count": rules.promote_count}
    yield (
        Message(N_("%(count)s recruits make a boss of an agent, as soon as they join."), count)
        if rules.promotion_effective is Moment.PAID
        else Message(
            N_("%(count)s recruits whose orders are settled make a boss of an agent."), count
        )
    )
    if rules.count_left_behind:
        yield Message(N_("People left behind to somebody count as theirs."))


def _leaving(rules: ChainRules) -> Iterator[Message]:
    if rules.leave_scope is LeaveScope.ALL:
        yield Message(N_("A new boss leaves the team alone; all who stood below stay behind."))
    else:
        yield Message(
            N_("A new boss leaves the team, and the first %(count)s who stood below stay behind."),
            {"count": rules.leave_count},
        )
    yield Message(LEFT_TO[rules.leave_to])
    if rules.root_keeps_children:
        yield Message(N_("Who was the top of a team already keeps everybody."))

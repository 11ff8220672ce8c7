"""The sentences that say why somebody gets, or does not get, a reward under chain 2+1."""

import pytest

from app.engines.chain.paying import AwardKind, ChainReason
from app.engines.chain.sentences import KINDS, REFUSED
from app.engines.explaining import explain
from app.engines.people import Line
from app.engines.results import Award, Decisions, Reason, Refusal
from app.kernel.i18n import translate
from tests.unit.engines.chain_world import (
    AGAIN,
    AGENT,
    BOSS,
    FAR,
    LONE_AGENT,
    MEMBER,
    NAMES,
    ORIGIN,
    PACKAGE,
    ZERO,
    load,
    original,
    sell,
)


def told(decisions: Decisions, kind: AwardKind) -> list[str]:
    every: list[Award | Refusal] = [*decisions.awards, *decisions.refusals]
    [one] = [one for one in every if one.kind is kind]
    return [translate(message, "en") for message in explain(one, names=NAMES)]


def test_every_reward_and_every_reason_has_its_words() -> None:
    unused = {Reason.NO_LEVEL, Reason.LEVEL_NOT_IN_PLAN}

    assert KINDS.keys() == set(AwardKind)
    assert REFUSED.keys() == {*Reason, *ChainReason} - unused


PAID_ON = (
    "¥259.99 was paid for this line, without shipping, coupons and points; commission is paid on"
    " that."
)
PAID_FOR_PACKAGE = PAID_ON.replace("259.99", "499.00")
CAP_30 = "The plan caps all commission on a line at 30%; that takes nothing away here."
CAP_100 = CAP_30.replace("30%", "100%")
BROUGHT = "The buyer belonged to member Li when the order was paid, so the direct reward is theirs."
BOSS_OF = (
    "Member Wang is the boss of the team of member Li, to whom the buyer belonged, so the team"
    " reward is theirs."
)


def test_a_rate_is_told_with_its_base_its_cap_and_its_rounding() -> None:
    assert told(sell(), AwardKind.DIRECT) == [
        PAID_ON,
        BROUGHT,
        "Where an agent brought the buyer, the plan pays 10% for this.",
        CAP_30,
        "10% of ¥259.99, rounded down to whole fen, is ¥25.99; the fraction stays with the brand.",
    ]
    assert told(sell(), AwardKind.TEAM)[1] == BOSS_OF


def test_a_boss_who_brought_the_buyer_is_told_so() -> None:
    assert told(sell(above=(BOSS,), lines=(Line(70, 5, 20_000),)), AwardKind.TEAM)[1:] == [
        "Member Wang, to whom the buyer belonged, is a boss, so the team reward is theirs too.",
        "Where a boss brought the buyer, the plan pays 5% for this.",
        CAP_30,
        "5% of ¥200.00 is ¥10.00.",
    ]


def test_a_capped_rate_tells_what_was_withheld() -> None:
    assert told(sell(load(payout_cap_bp=1_200)), AwardKind.TEAM)[3] == (
        "The plan caps all commission on a line at 12%, the first seat coming first. So 2% is paid,"
        " and ¥7.80 is withheld."
    )


def test_fixed_sums_are_told_whole_or_cut() -> None:
    whole = sell(original(), lines=(PACKAGE,))
    cut = sell(original(payout_cap_bp=4_000), lines=(PACKAGE,))

    assert told(whole, AwardKind.DIRECT) == [
        PAID_FOR_PACKAGE,
        BROUGHT,
        "The plan pays a fixed ¥100.00 for this.",
        CAP_100,
    ]
    assert told(cut, AwardKind.TEAM) == [
        PAID_FOR_PACKAGE,
        BOSS_OF,
        "The plan pays a fixed ¥200.00 for this; its cap of 40% on a line leaves ¥99.55 of that.",
    ]


def test_the_peer_reward_is_told_with_what_it_is_a_share_of() -> None:
    whole = sell(original(), lines=(PACKAGE,))
    cut = sell(original(payout_cap_bp=6_100), lines=(PACKAGE,))

    assert told(whole, AwardKind.PEER) == [
        PAID_FOR_PACKAGE,
        (
            "Member Wang, who got the team reward, left the team of member Zhao on becoming a boss,"
            " so the peer reward is theirs."
        ),
        "Member Wang got ¥200.00 for this line. 10% of that, rounded down to whole fen, is ¥20.00.",
        CAP_100,
    ]
    assert told(cut, AwardKind.PEER)[3] == (
        "The plan caps all commission on a line at 61%, and the peer reward comes last. That leaves"
        " ¥4.29."
    )


def test_repurchases_are_told_by_seat() -> None:
    decisions = sell(AGAIN, places=MEMBER, above=(AGENT, BOSS))

    assert told(decisions, AwardKind.REPURCHASE1)[1:3] == [
        (
            "The buyer has a place in this plan already and belonged to member Li, so the first"
            " seat is theirs."
        ),
        "When somebody buys again, the plan pays 9% in this seat.",
    ]
    assert told(decisions, AwardKind.REPURCHASE2)[1:3] == [
        (
            "The buyer has a place in this plan already. Member Wang brought member Li, to whom the"
            " buyer belonged, so the second seat is theirs."
        ),
        "When somebody buys again, the plan pays 3.5% in this seat.",
    ]


@pytest.mark.parametrize(
    ("decisions", "kind", "sentences"),
    [
        (sell(places=LONE_AGENT), "TEAM", ["There is no boss above member Li."]),
        (
            sell(load(peer_bp=1_000), above=(ORIGIN,)),
            "PEER",
            ["Member Zhao has left nobody's team."],
        ),
        (
            sell(places=FAR, above=(4,)),
            "TEAM",
            ["Member Wang stands 3 steps above the buyer, further than the plan pays."],
        ),
        (
            sell(load(payout_cap_bp=1_000)),
            "TEAM",
            [
                BOSS_OF,
                "Where an agent brought the buyer, the plan pays 5% for this.",
                "The plan caps all commission on a line at 10%, and that leaves nothing for this.",
            ],
        ),
        (
            sell(lines=(Line(70, 5, 10),)),
            "TEAM",
            [
                BOSS_OF,
                "Where an agent brought the buyer, the plan pays 5% for this.",
                "5% of ¥0.10 is less than one fen.",
            ],
        ),
        (
            sell(load(peer_bp=10, max_depth=3), lines=(Line(70, 5, 200),)),
            "PEER",
            [
                (
                    "Member Wang, who got the team reward, left the team of member Zhao on becoming"
                    " a boss, so the peer reward is theirs."
                ),
                "0.1% of the ¥0.10 that member Wang got is no fen.",
            ],
        ),
        (sell(load(team=ZERO)), "TEAM", [BOSS_OF, "The plan pays nothing for this."]),
    ],
)
def test_a_refusal_is_told(decisions: Decisions, kind: str, sentences: list[str]) -> None:
    assert told(decisions, AwardKind(kind)) == sentences

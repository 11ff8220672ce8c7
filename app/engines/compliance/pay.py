"""Rules on who is paid for what, and how far: C1 to C9, and the brand's own cap."""

from collections.abc import Iterator, Mapping
from typing import Final

from app.engines.compliance.dossier import Dossier
from app.engines.compliance.findings import Rule, Severity, Violation
from app.engines.parameters import Entry
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

DEPTH_BLOCKED: Final = 3
DEPTH_CONFIRMED: Final = 2
FIXED_SHARE_MAX_BP: Final = 2_000
"""Up to this share of its order a fixed amount still counts as pay on a sale [own choice]."""
PAYOUT_WARN_BP: Final = 3_000
PAYOUT_HIGH_BP: Final = 5_000
PAYOUT_BLOCK_BP: Final = 10_000

ENTRY_FOUND: Final[Mapping[Entry, str]] = {
    Entry.BUY_PACKAGE: N_("Nobody may earn without buying a package first."),
    Entry.FEE: N_("Nobody may earn without paying a fee first."),
    Entry.TOPUP: N_("Nobody may earn without a top-up first."),
}


def _entry(dossier: Dossier) -> Iterator[Violation]:
    demanded = dict.fromkeys((dossier.practices.entry, dossier.conduct.entry))
    found = [ENTRY_FOUND[entry] for entry in demanded if entry in ENTRY_FOUND]
    for text in found:
        yield Violation(Severity.BLOCK, Message(text))
    spend_fen = dossier.practices.entry_spend_fen
    if spend_fen and not found:
        text = N_("Earning begins with own purchases of %(spend)s.")
        yield Violation(Severity.WARN, Message(text, {"spend": yuan(spend_fen)}))


def _heads(dossier: Dossier) -> Iterator[Violation]:
    if dossier.practices.pays_per_head:
        text = N_("A reward is paid for somebody who joins, and not for a settled order.")
        yield Violation(Severity.BLOCK, Message(text))
    share_bp = dossier.practices.fixed_share_bp
    if share_bp > FIXED_SHARE_MAX_BP:
        text = N_(
            "A fixed reward makes up to %(share)s of the order that brings it; more than %(max)s"
            " counts as pay for a head."
        )
        told = {"share": percent(share_bp), "max": percent(FIXED_SHARE_MAX_BP)}
        yield Violation(Severity.BLOCK, Message(text, told))


def _depth(dossier: Dossier) -> Iterator[Violation]:
    depth = dossier.practices.paid_depth
    if depth is None:
        text = N_("People above a buyer are paid without any limit to how far they stand away.")
        yield Violation(Severity.BLOCK, Message(text))
    elif depth >= DEPTH_BLOCKED:
        text = N_("One order pays people up to %(depth)s levels above its buyer.")
        yield Violation(Severity.BLOCK, Message(text, {"depth": depth}))


def _second_level(dossier: Dossier) -> Iterator[Violation]:
    if dossier.practices.paid_depth == DEPTH_CONFIRMED:
        text = N_("One order pays two levels above its buyer; the second earns on another's sale.")
        yield Violation(Severity.HIGH, Message(text))


def _team(dossier: Dossier) -> Iterator[Violation]:
    if dossier.practices.has_unlimited_team_pay:
        text = N_("Team pay reaches down without a limit: the plan sets no greatest depth.")
        yield Violation(Severity.BLOCK, Message(text))


def _leavers(dossier: Dossier) -> Iterator[Violation]:
    if dossier.practices.pays_after_leaving:
        text = N_("A promoted member who has left the team still brings pay to whom they left.")
        yield Violation(Severity.BLOCK, Message(text))


def _recruits(dossier: Dossier) -> Iterator[Violation]:
    recruits = dossier.practices.promotion_recruits
    if recruits is None:
        return
    buys_in = any(one.severity is Severity.BLOCK for one in _entry(dossier))
    severity = Severity.BLOCK if recruits <= 1 or buys_in else Severity.HIGH
    if buys_in:
        text = N_("Bringing %(recruits)s recruits lifts a member, and recruits have to buy in.")
    else:
        text = N_("Bringing %(recruits)s recruits lifts a member to the next level or role.")
    yield Violation(severity, Message(text, {"recruits": recruits}))


def _spillover(dossier: Dossier) -> Iterator[Violation]:
    if dossier.practices.has_spillover:
        text = N_("Newcomers are placed below people who did not bring them, and pay them.")
        yield Violation(Severity.BLOCK, Message(text))
    if dossier.practices.has_queue:
        text = N_("People wait in a queue that only later buyers can pay; its end is never paid.")
        yield Violation(Severity.HIGH, Message(text))


def _payout(dossier: Dossier) -> Iterator[Violation]:
    total_bp = dossier.bound.total_bp
    grades = (
        (PAYOUT_BLOCK_BP, Severity.BLOCK),
        (PAYOUT_HIGH_BP, Severity.HIGH),
        (PAYOUT_WARN_BP, Severity.WARN),
    )
    for limit_bp, severity in grades:
        if total_bp > limit_bp:
            text = N_("At worst %(total)s of what is paid goes out again; the line is %(limit)s.")
            told = {"total": percent(total_bp), "limit": percent(limit_bp)}
            yield Violation(severity, Message(text, told))
            return


def _setting(dossier: Dossier) -> Iterator[Violation]:
    max_bp = dossier.outside.cap_max_bp
    if dossier.bound.cap_bp > max_bp:
        text = N_("The plan's cap is %(cap)s; the brand's settings allow %(max)s at most.")
        told = {"cap": percent(dossier.bound.cap_bp), "max": percent(max_bp)}
        yield Violation(Severity.BLOCK, Message(text, told))
    if dossier.bound.total_bp > max_bp:
        text = N_("At worst the plan pays %(total)s; the brand's settings allow %(max)s at most.")
        told = {"total": percent(dossier.bound.total_bp), "max": percent(max_bp)}
        yield Violation(Severity.BLOCK, Message(text, told))


PAY_RULES: Final = (
    Rule(
        code="C1",
        title=N_("No entry fee"),
        citation=N_(
            "禁止传销条例 (Regulation on the Prohibition of Pyramid Selling, State Council Decree"
            " 444 of 2005), article 7(2): a fee, or goods to be bought, as the condition of joining"
            " or recruiting."
        ),
        grades={
            Severity.BLOCK: N_("A package, a fee or a top-up gives the right to earn."),
            Severity.WARN: N_("Own purchases at ordinary prices open the right to earn."),
        },
        when=_entry,
    ),
    Rule(
        code="C2",
        title=N_("No pay by heads"),
        citation=N_(
            "禁止传销条例 (Regulation on the Prohibition of Pyramid Selling), article 7(1): pay by"
            " the number of people recruited, directly or indirectly (拉人头)."
        ),
        grades={
            Severity.BLOCK: N_(
                "A reward for a join, a registration or a claim; or a fixed amount that is more"
                " than a fifth of the order that brings it."
            )
        },
        when=_heads,
    ),
    Rule(
        code="C3",
        title=N_("No third level"),
        citation=N_(
            "禁止传销条例 (Regulation on the Prohibition of Pyramid Selling), article 7(3): pay to"
            " those above by the sales of those below (团队计酬); 刑法 (Criminal Law) article 224-1"
            " is prosecuted from 30 people in three levels; WeChat's notices of 2015 and 2016."
        ),
        grades={Severity.BLOCK: N_("Three levels or more are paid, all kinds of pay together.")},
        when=_depth,
    ),
    Rule(
        code="C4",
        title=N_("The second level is a risk to be taken knowingly"),
        citation=N_(
            "重庆宝月窖藏酒业 (Chongqing, 2022): a mini-program with two levels, five distributors,"
            " four sales and no illegal income was fined 5000 yuan as 团队计酬 (team pay)."
        ),
        grades={Severity.HIGH: N_("Two levels are paid.")},
        when=_second_level,
    ),
    Rule(
        code="C5",
        title=N_("No unlimited team pay"),
        citation=N_(
            "禁止传销条例 (Regulation on the Prohibition of Pyramid Selling), article 7(3): pay by"
            " the sales of the whole team (团队计酬); 凤凰 (Fenghuang) mini-program, fined 500 000"
            " yuan for team pay."
        ),
        grades={Severity.BLOCK: N_("Pay on team sales has no greatest depth.")},
        when=_team,
    ),
    Rule(
        code="C6",
        title=N_("No pay after leaving"),
        citation=N_(
            "刑法 (Criminal Law) article 224-1 with 公通字〔2013〕37号 (joint opinion of courts,"
            " prosecution and police): who formally leaves (脱离) and still draws pay keeps the"
            " levels and people below counted."
        ),
        grades={Severity.BLOCK: N_("Pay goes to the origin of somebody who has left the team.")},
        when=_leavers,
    ),
    Rule(
        code="C7",
        title=N_("No promotion by recruiting"),
        citation=N_(
            "禁止传销条例 (Regulation on the Prohibition of Pyramid Selling), article 7(1);"
            " WeChat's notices of 2015 and 2016 on inducing rolling recruitment."
        ),
        grades={
            Severity.HIGH: N_("A number of recruits lifts a member."),
            Severity.BLOCK: N_("A single recruit does, or recruits have to buy in."),
        },
        when=_recruits,
    ),
    Rule(
        code="C8",
        title=N_("No spillover, no matrix, no queue"),
        citation=N_(
            "禁止传销条例 (Regulation on the Prohibition of Pyramid Selling), article 7(1) and (2):"
            " 公排 (matrix placement) pays people for newcomers whom they neither brought nor"
            " served; a queue pays the first from the money of the last."
        ),
        grades={
            Severity.BLOCK: N_("Newcomers are placed in a matrix."),
            Severity.HIGH: N_("Buyers are refunded in turn from later purchases."),
        },
        when=_spillover,
    ),
    Rule(
        code="C9",
        title=N_("Share paid out"),
        citation=N_(
            "直销管理条例 (Regulation on Direct Selling): licensed direct sellers may be paid 30%"
            " of their own sales at most. It does not apply here, but its limit is a good measure."
        ),
        grades={
            Severity.WARN: N_("More than 30% of sales at worst."),
            Severity.HIGH: N_("More than 50% of sales at worst."),
            Severity.BLOCK: N_("More than all sales at worst."),
        },
        when=_payout,
    ),
)
SETTING_RULE: Final = Rule(
    code="S1",
    title=N_("Cap within the brand's settings"),
    citation=N_("The brand's own settings: the most that any plan may pay out."),
    grades={Severity.BLOCK: N_("The plan's cap or worst case goes beyond it.")},
    when=_setting,
)

"""Rules on what the brand asks, discloses and says, and how it pays: C16 to C23."""

from collections.abc import Iterator
from typing import Final

from app.engines.compliance.dossier import Dossier, TextFacts
from app.engines.compliance.findings import ActsAt, Rule, Severity, Violation
from app.engines.compliance.words import banned_in
from app.engines.parameters import SECONDS_PER_DAY
from app.kernel.i18n import N_, Message, yuan

INCOME_LOCK_MAX_DAYS: Final = 30
MONITOR_PERSONS: Final = 30
MONITOR_LEVELS: Final = 3
"""A tree of so many paid people in so many levels of recommendation, leavers counted, is an alert
of HIGH and takes no one in by default. The monitor that watches trees reads these."""


def _identity(dossier: Dossier) -> Iterator[Violation]:
    if not dossier.conduct.checks_adults:
        text = N_("Money is paid out without a real name and an age of 18.")
        yield Violation(Severity.BLOCK, Message(text))
    if not dossier.conduct.checks_professions:
        text = N_("Nobody asks for professions that may not take part.")
        yield Violation(Severity.WARN, Message(text))


def _tax(dossier: Dossier) -> Iterator[Violation]:
    if dossier.practices.pays_cash and dossier.conduct.tax_method is None:
        text = N_("The plan pays cash and says nothing of how tax is withheld.")
        yield Violation(Severity.BLOCK, Message(text))


def _disclosure(dossier: Dossier) -> Iterator[Violation]:
    if not dossier.conduct.agreement_version.strip():
        text = N_("There is no version of the distributor agreement.")
        yield Violation(Severity.BLOCK, Message(text))
    if not dossier.conduct.public_rules.strip():
        text = N_("There are no public rules.")
        yield Violation(Severity.BLOCK, Message(text))
    if not dossier.conduct.income_disclaimer:
        text = N_("The income disclaimer is missing.")
        yield Violation(Severity.BLOCK, Message(text))


def _wording(dossier: Dossier) -> Iterator[Violation]:
    rules = TextFacts("", dossier.conduct.public_rules)
    for one in (rules, *dossier.outside.texts):
        words = "、".join(banned_in(one.text))
        if words and one is rules:
            text = N_("The public rules say: %(words)s.")
            yield Violation(Severity.BLOCK, Message(text, {"words": words}))
        elif words:
            text = N_("A text says what none may (%(where)s): %(words)s.")
            told = {"where": one.where, "words": words}
            yield Violation(Severity.BLOCK, Message(text, told))


def _sharing(dossier: Dossier) -> Iterator[Violation]:
    if dossier.conduct.forces_sharing:
        text = N_("People have to share before they can go on.")
        yield Violation(Severity.BLOCK, Message(text))
    if dossier.conduct.rewards_sharing:
        text = N_("The act of sharing itself is rewarded.")
        yield Violation(Severity.BLOCK, Message(text))


def _lock(dossier: Dossier) -> Iterator[Violation]:
    lock_days = dossier.conduct.repurchase_lock_days
    if lock_days:
        text = N_("Earnings stay locked for %(days)s days unless people buy again.")
        yield Violation(Severity.HIGH, Message(text, {"days": lock_days}))
    if dossier.settle_seconds > INCOME_LOCK_MAX_DAYS * SECONDS_PER_DAY:
        days, rest = divmod(dossier.settle_seconds, SECONDS_PER_DAY)
        text = N_(
            "Commission matures only %(days)s days and %(seconds)s seconds after receipt; more"
            " than %(max)s days lock it up."
        )
        told = {"days": days, "seconds": rest, "max": INCOME_LOCK_MAX_DAYS}
        yield Violation(Severity.HIGH, Message(text, told))


def _payout(dossier: Dossier) -> Iterator[Violation]:
    if not dossier.practices.pays_cash:
        return
    payout = dossier.outside.payout
    if not payout.is_scene_set:
        text = N_("WeChat's transfer scene is not set: every withdrawal will be refused.")
        yield Violation(Severity.WARN, Message(text))
    least_fen = payout.single_min_fen or 0
    for most_fen in (payout.single_max_fen, payout.person_day_max_fen):
        if most_fen is not None and most_fen < least_fen:
            text = N_("No withdrawal can pass: the least transfer is %(least)s, the most %(most)s.")
            told = {"least": yuan(least_fen), "most": yuan(most_fen)}
            yield Violation(Severity.WARN, Message(text, told))
            return


def _monitor(_dossier: Dossier) -> Iterator[Violation]:
    """Find nothing: trees are watched while they grow."""
    yield from ()


PROMISE_RULES: Final = (
    Rule(
        code="C16",
        title=N_("Real names, adults, professions"),
        citation=N_(
            "直销管理条例 (Regulation on Direct Selling) keeps out minors, students, teachers,"
            " medical staff, civil servants and soldiers; 国务院令第810号 (State Council Decree 810"
            " of 2025) has platforms report who earns."
        ),
        grades={
            Severity.BLOCK: N_("Withdrawals need no real name or age."),
            Severity.WARN: N_("Excluded professions are not asked for."),
        },
        when=_identity,
    ),
    Rule(
        code="C17",
        title=N_("Tax withheld"),
        citation=N_(
            "个人所得税法 (Individual Income Tax Law): who pays withholds;"
            " 国家税务总局公告2018年第61号 (State Taxation Administration) for pay for services,"
            " cumulative withholding for platforms since October 2025."
        ),
        grades={Severity.BLOCK: N_("Cash is paid and no tax method is chosen.")},
        when=_tax,
    ),
    Rule(
        code="C18",
        title=N_("Disclosure"),
        citation=N_(
            "电子商务法 (E-Commerce Law), article 17: full and true information, in time. An"
            " agreement, public rules and an income disclaimer are what authorities ask for first."
        ),
        grades={Severity.BLOCK: N_("Agreement, public rules or income disclaimer are missing.")},
        when=_disclosure,
    ),
    Rule(
        code="C19",
        title=N_("Wording"),
        citation=N_(
            "广告法 (Advertising Law), articles 25 and 28: no promise of return without risk,"
            " nothing misleading."
        ),
        grades={Severity.BLOCK: N_("A text holds one of the words that none may.")},
        when=_wording,
    ),
    Rule(
        code="C20",
        title=N_("Free sharing"),
        citation=N_(
            "微信小程序平台运营规范 (WeChat's rules for mini-programs) on forced and induced"
            " sharing (诱导分享): three days to correct, then sharing is taken away."
        ),
        grades={Severity.BLOCK: N_("Sharing is forced, or rewarded as such.")},
        when=_sharing,
    ),
    Rule(
        code="C21",
        title=N_("No lock on earnings"),
        citation=N_(
            "禁止传销条例 (Regulation on the Prohibition of Pyramid Selling), article 7(2): having"
            " to buy again to get one's pay is a fee in instalments."
        ),
        grades={
            Severity.HIGH: N_(
                "Earnings are frozen for a repurchase, or locked for more than 30 days."
            )
        },
        when=_lock,
    ),
    Rule(
        code="C22",
        title=N_("WeChat payout"),
        citation=N_(
            "商家转账 (WeChat's merchant transfer, since 15 January 2025): a scene with its report,"
            " and limits of each merchant's own."
        ),
        grades={
            Severity.WARN: N_("When a plan is published: no withdrawal would pass."),
            Severity.BLOCK: N_("At a withdrawal: no scene, or an amount outside the limits."),
        },
        when=_payout,
        acts_at=ActsAt.WITHDRAWAL,
    ),
    Rule(
        code="C23",
        title=N_("Watch over growing trees"),
        citation=N_(
            "刑法 (Criminal Law) article 224-1: prosecution from 30 people in three levels, the"
            " organiser's own level and those who formally left included."
        ),
        grades={
            Severity.HIGH: N_(
                "At any time: a tree reaches 30 paid people in three levels; newcomers wait."
            )
        },
        when=_monitor,
        acts_at=ActsAt.RUNTIME,
    ),
)

"""Rules on settlement, goods and prepaid cards: C10 to C15, and C24."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from app.engines.compliance.dossier import Dossier, ProductFacts
from app.engines.compliance.findings import Rule, Severity, Violation
from app.engines.parameters import SECONDS_PER_DAY, Entry
from app.kernel.i18n import N_, Message, yuan
from app.kernel.money import percent

SETTLE_MIN_DAYS: Final = 7
POOL_MAX_BP: Final = 2_000
SHAREHOLDERS_MAX: Final = 200
REGISTERED_CARD_MAX_FEN: Final = 500_000
UNREGISTERED_CARD_MAX_FEN: Final = 100_000
PRICE_MAX: Final = Fraction(3, 2)
"""How many times its list price a product may cost within a plan."""


def _settlement(dossier: Dossier) -> Iterator[Violation]:
    seconds = dossier.settle_seconds
    if seconds < 0:
        text = N_("Commission matures before the order is received.")
        yield Violation(Severity.BLOCK, Message(text))
    elif seconds < SETTLE_MIN_DAYS * SECONDS_PER_DAY:
        days, rest = divmod(seconds, SECONDS_PER_DAY)
        text = N_(
            "Commission matures %(days)s days and %(seconds)s seconds after the order is received;"
            " %(min)s days are the least."
        )
        told = {"days": days, "seconds": rest, "min": SETTLE_MIN_DAYS}
        yield Violation(Severity.HIGH, Message(text, told))


def _refunds(dossier: Dossier) -> Iterator[Violation]:
    final = [one for one in dossier.outside.products if not one.is_refundable]
    if final:
        text = N_("%(count)s products of the plan cannot be returned, such as %(product_id)s.")
        yield Violation(Severity.BLOCK, _about(text, final))
    if not dossier.conduct.reverses_on_refund:
        text = N_("A refund does not take the commission back.")
        yield Violation(Severity.BLOCK, Message(text))


def _fixed_return(dossier: Dossier) -> Iterator[Violation]:
    if dossier.practices.promises_return or dossier.conduct.promises_return:
        text = N_("The plan promises a return, or the stake back.")
        yield Violation(Severity.BLOCK, Message(text))
    if dossier.practices.entry is Entry.TOPUP and dossier.practices.pool_bp:
        text = N_("A top-up entitles to %(pool)s of the store's sales: a dividend on a deposit.")
        told = {"pool": percent(dossier.practices.pool_bp)}
        yield Violation(Severity.BLOCK, Message(text, told))


def _pool(dossier: Dossier) -> Iterator[Violation]:
    pool_bp = dossier.practices.pool_bp
    if pool_bp > POOL_MAX_BP:
        text = N_("The pool takes %(pool)s of sales; more than %(max)s reads like a share.")
        told = {"pool": percent(pool_bp), "max": percent(POOL_MAX_BP)}
        yield Violation(Severity.HIGH, Message(text, told))
    people = dossier.shareholders_overall
    if people > SHAREHOLDERS_MAX:
        text = N_("%(people)s people may hold a share of a pool overall; the line is %(max)s.")
        told = {"people": str(people), "max": str(SHAREHOLDERS_MAX)}
        yield Violation(Severity.HIGH, Message(text, told))


def _prepaid(dossier: Dossier) -> Iterator[Violation]:
    conduct = dossier.conduct
    if conduct.topup_max_fen == 0:
        return
    if conduct.topup_is_registered:
        max_fen = REGISTERED_CARD_MAX_FEN
        text = N_("A card in somebody's name holds up to %(topup)s; the law allows %(max)s.")
    else:
        max_fen = UNREGISTERED_CARD_MAX_FEN
        text = N_("A card in nobody's name holds up to %(topup)s; the law allows %(max)s.")
    if conduct.topup_max_fen > max_fen:
        told = {"topup": yuan(conduct.topup_max_fen), "max": yuan(max_fen)}
        yield Violation(Severity.BLOCK, Message(text, told))
    if conduct.topup_is_registered and conduct.topup_expires:
        text = N_("A card in somebody's name expires.")
        yield Violation(Severity.BLOCK, Message(text))


def _price(dossier: Dossier) -> Iterator[Violation]:
    dear = [
        one
        for one in dossier.outside.products
        if one.list_price_fen is not None and one.price_fen > one.list_price_fen * PRICE_MAX
    ]
    if dear:
        worst = max(dear, key=lambda one: one.price_fen - (one.list_price_fen or 0))
        text = N_(
            "%(count)s products cost more than one and a half times their list price, such as"
            " %(product_id)s: %(price)s, on the list %(list)s."
        )
        told = {
            "count": len(dear),
            "product_id": worst.product_id,
            "price": yuan(worst.price_fen),
            "list": yuan(worst.list_price_fen or 0),
        }
        yield Violation(Severity.HIGH, Message(text, told))


def _medical(dossier: Dossier) -> Iterator[Violation]:
    medical = [one for one in dossier.outside.products if one.is_medical]
    if medical:
        text = N_("%(count)s products are medical aesthetics, such as %(product_id)s.")
        yield Violation(Severity.HIGH, _about(text, medical))


def _about(text: str, products: list[ProductFacts]) -> Message:
    return Message(text, {"count": len(products), "product_id": products[0].product_id})


GOODS_RULES: Final = (
    Rule(
        code="C10",
        title=N_("Wait before settlement"),
        citation=N_(
            "消费者权益保护法 (Consumer Protection Law), article 25: seven days to return;"
            " 法释〔2025〕4号 (Supreme People's Court, from 1 May 2025): seven days to take back a"
            " prepayment."
        ),
        grades={
            Severity.HIGH: N_("Less than seven days after receipt, or after verification."),
            Severity.BLOCK: N_("Before receipt, or at payment."),
        },
        when=_settlement,
    ),
    Rule(
        code="C11",
        title=N_("Refundable, and commission with it"),
        citation=N_(
            "消费者权益保护法 (Consumer Protection Law), articles 24 and 25; 直销管理条例"
            " (Regulation on Direct Selling) gives 30 days. Goods that cannot go back are how"
            " entry fees are hidden."
        ),
        grades={
            Severity.BLOCK: N_("A product cannot be returned, or its commission stays if it is.")
        },
        when=_refunds,
    ),
    Rule(
        code="C12",
        title=N_("No fixed return"),
        citation=N_(
            "防范和处置非法集资条例 (Regulation on Preventing and Handling Illegal Fundraising,"
            " State Council Decree 737 of 2021), article 2: money taken against the promise of"
            " principal or return."
        ),
        grades={
            Severity.BLOCK: N_(
                "A dividend is fixed or guaranteed, the stake promised back (回本, 保本), or a"
                " top-up entitles to a dividend."
            )
        },
        when=_fixed_return,
    ),
    Rule(
        code="C13",
        title=N_("A modest pool for few people"),
        citation=N_(
            "证券法 (Securities Law), article 9: an offer to more than 200 people altogether is"
            " public; a pool of profits or sales for many people looks like one."
        ),
        grades={Severity.HIGH: N_("A pool above 20% of sales, or more than 200 shareholders.")},
        when=_pool,
    ),
    Rule(
        code="C14",
        title=N_("Prepaid cards within their limits"),
        citation=N_(
            "单用途商业预付卡管理办法 (Measures for Single-Purpose Prepaid Cards, Ministry of"
            " Commerce Decree 9 of 2012): 5000 yuan on a card in a name, 1000 yuan on any other; a"
            " card in a name never expires."
        ),
        grades={Severity.BLOCK: N_("A card may hold more, or expires although it is in a name.")},
        when=_prepaid,
    ),
    Rule(
        code="C15",
        title=N_("Ordinary prices"),
        citation=N_(
            "禁止传销条例 (Regulation on the Prohibition of Pyramid Selling), article 7(2): goods"
            " bought at a price above their worth are an entry fee by another name."
        ),
        grades={Severity.HIGH: N_("A product costs over one and a half times its list price.")},
        when=_price,
    ),
)
MEDICAL_RULE: Final = Rule(
    code="C24",
    title=N_("No medical aesthetics without a thought"),
    citation=N_(
        "医疗美容服务管理办法 (Measures for Medical Aesthetic Services) and 医疗广告管理办法"
        " (Measures for Medical Advertising): advertising and referral of medical services are"
        " restricted."
    ),
    grades={Severity.HIGH: N_("A product is medical aesthetics (医美).")},
    when=_medical,
)

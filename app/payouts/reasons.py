"""Why a transfer was not made, in sentences a distributor understands. Pure.

WeChat adds reasons now and then, so an unknown one is named by its code.
"""

from collections.abc import Mapping
from typing import Final

from app.kernel.i18n import N_, Message

TEXTS: Final[Mapping[str, str]] = {
    "ACCOUNT_FROZEN": N_("The receiving WeChat account is frozen."),
    "ACCOUNT_NOT_EXIST": N_("The receiving WeChat account does not exist."),
    "NAME_NOT_CORRECT": N_("The real name does not match the WeChat account."),
    "NAME_REQUIRED": N_("WeChat asks for the real name with an amount like this."),
    "REAL_NAME_CHECK_FAIL": N_("The WeChat account has not been verified with a real name."),
    "OPENID_INVALID": N_("WeChat does not know the receiver."),
    "OVERDUE_CLOSE": N_("The transfer was not accepted in WeChat within 24 hours."),
    "MCH_CANCEL": N_("The transfer was taken back before it was accepted."),
    "PAYEE_ACCOUNT_ABNORMAL": N_("The receiving WeChat account cannot take transfers now."),
    "DAY_RECEIVED_COUNT_EXCEED": N_("The receiver has had too many transfers today."),
    "DAY_RECEIVED_QUOTA_EXCEED": N_("The receiver has reached WeChat's limit of the day."),
    "REALNAME_ACCOUNT_RECEIVED_QUOTA_EXCEED": N_(
        "The receiver has reached WeChat's limit for accounts of one person."
    ),
    "NOT_ENOUGH": N_("The brand is topping up its account; the transfer follows by itself."),
    "member_day_limit": N_("The limit of the day is reached; the transfer follows tomorrow."),
    "merchant_day_limit": N_("The limit of the day is reached; the transfer follows tomorrow."),
    "on_hold": N_("Withdrawals are on hold. Please contact the brand."),
}


def explain(reason: str | None) -> Message | None:
    """Return a sentence for why a transfer was not made; None where it was.

    >>> explain("OVERDUE_CLOSE")
    Message(text='The transfer was not accepted in WeChat within 24 hours.', parameters={})
    >>> explain("SOMETHING_NEW").parameters
    {'reason': 'SOMETHING_NEW'}
    """
    if reason is None:
        return None
    if reason in TEXTS:
        return Message(TEXTS[reason])
    return Message(N_("WeChat did not make the transfer (%(reason)s)."), {"reason": reason})


def explain_delay(reason: str | None) -> Message | None:
    """Return a sentence for why a transfer is not on its way yet.

    None for what passes by itself within minutes, such as an answer that did not come.
    """
    text = TEXTS.get(reason or "")
    return None if text is None else Message(text)

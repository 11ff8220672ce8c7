"""What a caller of this package must be ready to hear.

None of these says that money did or did not move; that is what the reports in `values` are for.
"""

from dataclasses import dataclass
from enum import StrEnum

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_


@dataclass(eq=False)
class WeChatUnavailable(DomainError):
    """WeChat did not give an answer that can be used; asking again later may help."""

    code = "wechat_unavailable"
    kind = ErrorKind.UNAVAILABLE
    text = N_("WeChat is not answering at the moment. Please try again.")


@dataclass(eq=False)
class WeChatBusy(DomainError):
    """WeChat limits how often this may be asked."""

    code = "wechat_busy"
    kind = ErrorKind.LIMITED
    text = N_("WeChat asks us to slow down. Please try again in %(retry_after_seconds)s seconds.")

    retry_after_seconds: int = 60


@dataclass(eq=False)
class SignInCodeInvalid(DomainError):
    """The code of `wx.login` is unknown, older than five minutes or was used before."""

    code = "sign_in_code_invalid"
    kind = ErrorKind.INVALID
    text = N_("The sign-in code is invalid, expired or already used.")


@dataclass(eq=False)
class SignInBlocked(DomainError):
    """WeChat regards this person's account as high-risk."""

    code = "sign_in_blocked"
    kind = ErrorKind.FORBIDDEN
    text = N_("WeChat does not allow this account to sign in.")


@dataclass(eq=False)
class PhoneCodeInvalid(DomainError):
    """The code of the phone button is unknown, older than five minutes or was used before."""

    code = "phone_code_invalid"
    kind = ErrorKind.INVALID
    text = N_("The phone number code is invalid, expired or already used.")


@dataclass(eq=False)
class SceneInvalid(DomainError):
    """A mini-program code cannot carry this scene: 1 to 32 characters of a fixed set."""

    code = "scene_invalid"
    kind = ErrorKind.INVALID
    text = N_("A mini-program code cannot carry this text.")


@dataclass(eq=False)
class WeChatRefused(DomainError):
    """WeChat understood the request and said no; `wechat_code` is its own code for why."""

    code = "wechat_refused"
    kind = ErrorKind.CONFLICT
    text = N_("WeChat refused the request (%(wechat_code)s).")

    wechat_code: str


@dataclass(eq=False)
class ContentRefused(DomainError):
    """WeChat says that a text must not be shown; nothing of it was kept."""

    code = "content_refused"
    kind = ErrorKind.INVALID
    text = N_("This text cannot be published. Please write it differently.")


@dataclass(eq=False)
class PrepayRefused(DomainError):
    """WeChat will not take a payment under this number, e.g. ORDERPAID or ORDER_CLOSED."""

    code = "prepay_refused"
    kind = ErrorKind.CONFLICT
    text = N_("WeChat Pay does not accept this order (%(wechat_code)s).")

    wechat_code: str


class NoticeFlaw(StrEnum):
    """Why a callback is not believed. For logs; the sender is told nothing."""

    TOO_LARGE = "too_large"
    HEADER_MISSING = "header_missing"
    SERIAL_UNKNOWN = "serial_unknown"
    SIGNATURE_TYPE = "signature_type"
    NOT_FRESH = "not_fresh"
    PROBE = "probe"
    SIGNATURE = "signature"
    NOT_JSON = "not_json"
    NOT_ENCRYPTED = "not_encrypted"
    NOT_FOR_US = "not_for_us"
    CONTENTS = "contents"


@dataclass(eq=False)
class NoticeRefused(DomainError):
    """A callback that is not proven to be WeChat's, fresh and meant for us."""

    code = "notice_refused"
    kind = ErrorKind.UNAUTHORIZED
    text = N_("The notice was not accepted.")

    flaw: NoticeFlaw

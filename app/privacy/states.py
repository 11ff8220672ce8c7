"""The life of a request about one's own data. Pure.

waiting ─▶ done                 a copy was made, or the data are erased
   │  └──▶ withdrawn            the member thought better of it, before it was done
   └─────  (stays waiting)      what stands in the way of an erasure is looked at again each day
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class RequestKind(StrEnum):
    """What a person may ask about their own data (PIPL art. 45 and 47)."""

    COPY = "copy"
    ERASURE = "erasure"


class RequestState(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class RequestEvent(StrEnum):
    """What can happen to a request."""

    FINISH = "finish"
    WITHDRAW = "withdraw"


TRANSITIONS: Final[Mapping[tuple[RequestState, RequestEvent], RequestState]] = {
    (RequestState.WAITING, RequestEvent.FINISH): RequestState.DONE,
    (RequestState.WAITING, RequestEvent.WITHDRAW): RequestState.WITHDRAWN,
}


def after_request(state: RequestState, event: RequestEvent) -> RequestState | None:
    """Return the state that an event leads to, or None where it cannot happen.

    >>> after_request(RequestState.WAITING, RequestEvent.WITHDRAW)
    <RequestState.WITHDRAWN: 'withdrawn'>
    >>> after_request(RequestState.DONE, RequestEvent.WITHDRAW) is None
    True
    """
    return TRANSITIONS.get((state, event))

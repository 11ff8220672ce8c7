"""What the mini-program reports when somebody arrives by a share code."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from flask import request
from pydantic import Field
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution import services
from app.attribution.guessing import counting_misses
from app.attribution.models import TouchOutcome, TouchSource
from app.attribution.rules import REASON_TEXTS, TouchReason
from app.attribution.touches import TouchResult
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.fields import Bilingual, Body, Text, View, example
from miniprogram_api.limits import Limit
from miniprogram_api.problems import both
from miniprogram_api.routing import Group

group = Group("touches", about="Arrivals by a share code.")


class ClaimedSource(StrEnum):
    """How the code reached the person, as far as their own client can know."""

    POSTER = "poster"
    LINK = "link"
    SEARCH = "search"


class TouchRequest(Body):
    """The code that the mini-program was opened with."""

    model_config = Body.model_config | example(
        {"code": "mC0vBqQ2Zt8rY1nKx7LsWd", "source": "poster", "device_id": "f0c1d7aa52"}
    )

    code: Text
    source: ClaimedSource = ClaimedSource.LINK
    device_id: Annotated[str | None, Field(pattern=r"^[0-9A-Za-z_.:\-]{4,64}$")] = None


class TouchView(View):
    """What the arrival did, why, and which page to show."""

    outcome: TouchOutcome
    reason: TouchReason
    message: Bilingual
    valid_until_at: datetime | None
    page: str
    product_id: int | None


@group.operation("POST", "/touches", limit=Limit.GUESS)
def record_touch(body: TouchRequest) -> TouchView:
    """Report an arrival by a share code; it may bind the caller to the code's owner.

    A touch that does not count is no error: `outcome` is `refused` and `reason` says why. Unknown
    codes are counted, and too many shut the caller out for a while.
    """
    now, who, ip = moment(), caller(), request.remote_addr or None

    def act(session: Session) -> TouchResult:
        return services.record_touch(
            session,
            code=body.code,
            member_id=who.member_id,
            source=TouchSource(body.source),
            device_id=body.device_id,
            ip=ip,
            settings=settings(),
            now=now,
        )

    with counting_misses(member_id=who.member_id, ip=ip, settings=settings(), now=now):
        result = at_once(act)
    return TouchView(
        outcome=result.outcome,
        reason=result.reason,
        message=Bilingual(**both(REASON_TEXTS[result.reason])),
        valid_until_at=result.valid_until_at,
        page=result.page,
        product_id=result.product_id,
    )

"""Links that friends were sent: looking one up counts as a guess where it does not exist."""

from contextlib import AbstractContextManager
from datetime import datetime

from flask import request

from app.access import settings
from app.attribution.guessing import Guess, counting_misses
from miniprogram_api.auth import caller


def counted(guess: Guess, *, now: datetime) -> AbstractContextManager[None]:
    """Guard what the caller looks up by a code. Take `now` from `moment()`: reading is over then.

    Raises what the kind of code has for too many misses.
    """
    return counting_misses(
        member_id=caller().member_id,
        ip=request.remote_addr or None,
        settings=settings(),
        now=now,
        guess=guess,
    )

"""Who is calling: a member with a bearer token, anyone, or WeChat.

Tokens come in the Authorization header only, never in a URL, which ends up in logs and histories.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from flask import g, request

from app.kernel.audit import Actor
from app.kernel.db import db
from app.kernel.ids import digest
from app.members import queries as members
from app.members.errors import SessionInvalid
from miniprogram_api.tracing import request_id

SCHEME: Final = "member"
_BEARER = re.compile(r"Bearer +([0-9A-Za-z_\-]{20,128})", re.ASCII | re.IGNORECASE)


class Who(StrEnum):
    """Who may call an endpoint. Each endpoint says one; a test asks all of them."""

    MEMBER = "member"
    ANYONE = "open"
    WECHAT = "wechat"
    """Nobody signs in, but the body must be signed by WeChat Pay."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The member behind this request, and the signed-in device they use."""

    member_id: int
    session_id: int
    signed_in_at: datetime
    """When they last proved their presence to WeChat; payouts want it fresh."""


def authenticate() -> None:
    """Find out which member is calling, with one SELECT, or raise `SessionInvalid`."""
    found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        raise SessionInvalid
    row = members.session_by_token(db.session(), digest(found[1]))
    if row is None:
        raise SessionInvalid
    g.caller = Caller(row.member_id, row.session_id, row.signed_in_at)
    g.member_id = row.member_id


def caller() -> Caller:
    """Return the member that `authenticate` let through."""
    found: Caller = g.caller
    return found


def actor() -> Actor:
    """Return the caller as the audit trail names them."""
    return Actor("member", caller().member_id, request_id())

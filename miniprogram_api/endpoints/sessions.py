"""Signing in and out, and the devices that are signed in."""

from datetime import datetime, timedelta
from typing import Annotated, Self

from flask import request
from pydantic import Field

from app.access import settings
from app.kernel.clock import utc_now
from app.kernel.db import db
from app.members import queries, services
from app.members.models import MemberSession
from miniprogram_api.acting import moment
from miniprogram_api.auth import Who, caller
from miniprogram_api.fields import Body, ConsentVersion, Text, View, WeChatCode, example
from miniprogram_api.limits import Limit
from miniprogram_api.routing import Group

group = Group("sessions", about="Signing in with WeChat, and signed-in devices.")


class SignInRequest(Body):
    """The code of `wx.login`, and what the person agreed to where they are new."""

    model_config = Body.model_config | example(
        {
            "code": "0a3Xk1ll2QpHzZ4a5bll2Y9qXk4Xk1lN",
            "consent_version": "2026-11",
            "device_id": "f0c1d7aa52",
            "device_name": "iPhone 15",
        }
    )

    code: WeChatCode
    consent_version: ConsentVersion | None = None
    device_id: Annotated[str | None, Field(pattern=r"^[0-9A-Za-z_.:\-]{4,64}$")] = None
    device_name: Text = ""


class SessionView(View):
    """What a device keeps: its token, and until when it is good. The token is shown only here."""

    token: str
    member_id: int
    is_new: bool
    expires_at: datetime


class RefreshRequest(Body):
    """A new code of `wx.login`: the same person is still there."""

    model_config = Body.model_config | example({"code": "0a3Xk1ll2QpHzZ4a5bll2Y9qXk4Xk1lN"})

    code: WeChatCode


class FreshnessView(View):
    """Until when this session may do what needs a fresh sign-in."""

    fresh_until_at: datetime


class DeviceView(View):
    """A signed-in device."""

    id: int
    device_name: str
    signed_in_at: datetime
    expires_at: datetime
    is_current: bool

    @classmethod
    def of(cls, row: MemberSession, *, current_id: int) -> Self:
        """Show a device, and whether it is the one that asks."""
        return cls(
            id=row.id,
            device_name=row.device_name,
            signed_in_at=row.signed_in_at,
            expires_at=row.expires_at,
            is_current=row.id == current_id,
        )


class DevicesView(View):
    """The devices that are signed in at present, at most twenty."""

    items: list[DeviceView]


@group.operation("POST", "/session", Who.ANYONE, limit=Limit.SIGN_IN)
def sign_in(body: SignInRequest) -> SessionView:
    """Exchange the code of wx.login for a token.

    The first time, `consent_version` must be the version of the terms in force; the refusal
    `consent_required` names it.
    """
    signed_in = services.sign_in(
        code=body.code,
        consent_version=body.consent_version,
        device_id=body.device_id,
        device_name=body.device_name,
        ip=request.remote_addr or "",
        settings=settings(),
        now=moment(),
    )
    return SessionView(
        token=signed_in.token,
        member_id=signed_in.member_id,
        is_new=signed_in.is_new,
        expires_at=signed_in.expires_at,
    )


@group.operation("DELETE", "/session")
def sign_out() -> None:
    """Sign this device out. Its token is worth nothing from now on."""
    services.sign_out(caller().session_id, now=moment())


@group.operation("POST", "/session/refresh", limit=Limit.SIGN_IN)
def refresh_session(body: RefreshRequest) -> FreshnessView:
    """Prove presence again, as withdrawals ask for. The token stays and lives no longer by it."""
    now = moment()
    services.refresh_sign_in(caller().session_id, code=body.code, settings=settings(), now=now)
    return FreshnessView(fresh_until_at=now + timedelta(seconds=settings().fresh_sign_in_seconds))


@group.operation("GET", "/sessions")
def list_sessions() -> DevicesView:
    """List the caller's signed-in devices."""
    rows = queries.devices(db.session(), caller().member_id, at=utc_now())
    return DevicesView(items=[DeviceView.of(row, current_id=caller().session_id) for row in rows])


@group.operation("DELETE", "/sessions")
def sign_out_everywhere() -> None:
    """Sign every device out, this one too."""
    services.sign_out_everywhere(caller().member_id, now=moment())


@group.operation("DELETE", "/sessions/<id:session_id>")
def sign_out_device(session_id: int) -> None:
    """Sign one of the caller's devices out."""
    services.revoke_device(caller().member_id, session_id=session_id, now=moment())

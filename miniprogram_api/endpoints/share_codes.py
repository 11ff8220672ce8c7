"""A distributor's share codes, and their pictures."""

from datetime import datetime
from typing import Annotated, Self

from flask import Response
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from app.access import settings
from app.attribution import queries, services
from app.attribution.errors import CodeRevoked, CodeUnknown
from app.attribution.models import ChannelKind, ShareCode
from app.attribution.services import ChannelChoice
from app.kernel.db import db, end_reading
from app.posters import qr
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import actor, caller
from miniprogram_api.cursors import PageQuery, cut
from miniprogram_api.fields import Body, RowId, Text, View, example
from miniprogram_api.limits import Limit
from miniprogram_api.routing import Group

group = Group("share-codes", about="Share codes of the caller, as links and pictures.")

PICTURE_KEPT = "private, max-age=86400"
"""A code never changes its picture; a revoked one is refused where it is used."""


class ChannelWish(Body):
    """A channel by name; it is opened where the caller has none of that name."""

    name: Annotated[Text, Field(min_length=1, max_length=40)]
    kind: ChannelKind = ChannelKind.PERSONAL


class CodeRequest(Body):
    """What the code stands for: a channel, and the page of the mini-program that it opens."""

    model_config = Body.model_config | example(
        {"channel": {"name": "闺蜜群", "kind": "group"}, "page": "pages/index/index"}
    )

    channel: ChannelWish | None = None
    channel_id: RowId | None = None
    page: Annotated[str, Field(pattern=r"^[0-9A-Za-z_\-]+(/[0-9A-Za-z_\-]+)*$", max_length=128)] = (
        "pages/index/index"
    )
    product_id: RowId | None = None

    def choice(self) -> ChannelChoice | int:
        """Return the channel as attribution wants it."""
        if self.channel is not None:
            return ChannelChoice(self.channel.name, self.channel.kind)
        assert self.channel_id is not None, "one of the two is given"
        return self.channel_id

    @model_validator(mode="after")
    def _one_channel(self) -> Self:
        """Refuse a channel that is given twice, or not at all."""
        if (self.channel is None) == (self.channel_id is None):
            raise PydanticCustomError("one_of_two", "either channel or channel_id")
        return self


class ChannelView(View):
    """Where customers come from."""

    id: int
    name: str
    kind: ChannelKind


class ShareCodeView(View):
    """A share code; `link` is the public page, which is also what the QR says."""

    model_config = View.model_config | example(
        {
            "id": 3,
            "code": "mC0vBqQ2Zt8rY1nKx7LsWd",
            "link": "https://example.com/s/mC0vBqQ2Zt8rY1nKx7LsWd",
            "channel": {"id": 5, "name": "闺蜜群", "kind": "group"},
            "page": "pages/index/index",
            "product_id": None,
            "created_at": "2026-03-01T12:00:00Z",
            "revoked_at": None,
        }
    )

    id: int
    code: str
    link: str
    channel: ChannelView
    page: str
    product_id: int | None
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, code: ShareCode) -> Self:
        """Show a code whose channel is loaded."""
        return cls(
            id=code.id,
            code=code.code,
            link=qr.link_of(code.code, settings()),
            channel=ChannelView(id=code.channel.id, name=code.channel.name, kind=code.channel.kind),
            page=code.page,
            product_id=code.product_id,
            created_at=code.created_at,
            revoked_at=code.revoked_at,
        )


class ShareCodesView(View):
    """A page of share codes, the newest first."""

    items: list[ShareCodeView]
    next_cursor: str | None


@group.operation("GET", "/share-codes")
def list_share_codes(query: PageQuery) -> ShareCodesView:
    """List the caller's share codes, revoked ones too, the newest first."""
    rows = queries.codes_page(
        db.session(), caller().member_id, after_id=query.after, limit=query.one_more
    )
    shown, next_cursor = cut(query, rows, lambda row: row.id)
    return ShareCodesView(items=[ShareCodeView.of(row) for row in shown], next_cursor=next_cursor)


@group.operation("POST", "/share-codes", status=201)
def issue_share_code(body: CodeRequest) -> ShareCodeView:
    """Issue a share code for a channel and a page, or return the live one that there is."""
    now, who = moment(), caller()

    def act(session: Session) -> ShareCodeView:
        code = services.issue_code(
            session,
            distributor_id=who.member_id,
            channel=body.choice(),
            page=body.page,
            product_id=body.product_id,
            now=now,
        )
        return ShareCodeView.of(code)

    return at_once(act)


@group.operation("DELETE", "/share-codes/<code:code>")
def revoke_share_code(code: str) -> None:
    """Revoke a code: links and posters that carry it stop working. Doing it twice is no error."""
    now, who = moment(), caller()

    def act(session: Session) -> None:
        found = _mine(session, code)
        services.revoke_code(session, found.id, owner_id=who.member_id, actor=actor(), now=now)

    at_once(act)


@group.operation("POST", "/share-codes/<code:code>/regenerate", status=201)
def regenerate_share_code(code: str) -> ShareCodeView:
    """Revoke a code and issue a new one for the same channel and page."""
    now, who = moment(), caller()

    def act(session: Session) -> ShareCodeView:
        found = _mine(session, code)
        fresh = services.regenerate_code(
            session, found.id, owner_id=who.member_id, actor=actor(), now=now
        )
        return ShareCodeView.of(fresh)

    return at_once(act)


@group.operation("GET", "/share-codes/<code:code>/qr.png", produces="image/png")
def draw_qr(code: str) -> Response:
    """Draw the QR code of a share code's public page."""
    found = mine_and_live(db.session(), code)
    return _picture(qr.qr_png(qr.link_of(found.code, settings())))


@group.operation(
    "GET", "/share-codes/<code:code>/wxacode", limit=Limit.PICTURE, produces="image/jpeg"
)
def draw_wxacode(code: str) -> Response:
    """Return WeChat's own round code, which opens the mini-program when it is scanned."""
    found = mine_and_live(db.session(), code)
    text, page = found.code, found.page
    end_reading()
    return _picture(qr.wxacode(text, page, settings()))


def _mine(session: Session, code: str) -> ShareCode:
    """Return the caller's own code; another's is the same as none."""
    found = queries.code_by_text(session, code)
    if found is None or found.distributor_id != caller().member_id:
        raise CodeUnknown
    return found


def mine_and_live(session: Session, code: str) -> ShareCode:
    """Return the caller's own code; nobody should print one that was revoked."""
    found = _mine(session, code)
    if found.revoked_at is not None:
        raise CodeRevoked
    return found


def _picture(image: bytes) -> Response:
    response = Response(image, mimetype=qr.media_type(image))
    response.headers["Cache-Control"] = PICTURE_KEPT
    return response

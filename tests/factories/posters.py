"""Poster templates for tests."""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from PIL import Image
from sqlalchemy.orm import Session

from app.kernel.audit import SYSTEM
from app.posters import services
from app.posters.models import PosterTemplate
from app.posters.services import PosterSpec
from app.posters.states import PosterKind

LAYOUT: Final[Mapping[str, Any]] = {
    "headline": {"left": 50, "top": 50, "width": 900, "height": 80, "size": 60, "zh": "好礼"},
    "product": {"left": 50, "top": 200, "width": 900, "height": 60, "size": 40},
    "price": {"left": 50, "top": 280, "width": 900, "height": 60, "size": 40},
    "avatar": {"left": 60, "top": 740, "side": 100},
    "nickname": {
        "left": 200,
        "top": 740,
        "width": 360,
        "height": 50,
        "size": 36,
        "zh": "{name} 邀请您",
        "en": "{name} invites you",
    },
    "code": {"left": 620, "top": 720, "side": 300},
    "shared": {"title_zh": "好友的礼物", "title_en": "A gift", "text_zh": "点开看看"},
}
NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def background(size: tuple[int, int] = (750, 1334), colour: str = "#ffd9e0") -> bytes:
    """A picture as staff hand it in."""
    drawn = io.BytesIO()
    Image.new("RGB", size, colour).save(drawn, "PNG")
    return drawn.getvalue()


def make_template(
    session: Session,
    *,
    name: str = "Spring",
    kind: PosterKind = PosterKind.PERSONAL,
    store_ids: Sequence[int] | None = None,
    page: str = "",
    layout: Mapping[str, Any] = LAYOUT,
    is_published: bool = True,
) -> PosterTemplate:
    """A template, offered to distributors unless said otherwise."""
    spec = PosterSpec(name=name, kind=kind, layout=layout, store_ids=store_ids, page=page)
    picture = services.redraw_background(background())
    row = services.create_template(session, spec, picture, within=None, actor=SYSTEM, now=NOON)
    if is_published:
        services.publish(session, row.id, within=None, actor=SYSTEM, now=NOON)
    return row

"""Posters of share codes: drawn on first use, kept by everything that they show.

Whatever changes a poster (another nickname, a new version, a new price) gives it another key, so
nothing kept is ever wrong; what is no longer asked for makes room and goes after a week.
"""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import sqlalchemy as sa
import structlog
from PIL import Image
from sqlalchemy.orm import Session

from app.attribution.models import ShareCode
from app.kernel.db import db
from app.kernel.keeping import Shelf
from app.members.avatar_models import MemberAvatar
from app.posters import layout as layouts
from app.posters import queries
from app.posters.drawing import Facts, Ground, draw
from app.posters.layout import WIDTH, Layout
from app.posters.models import PosterVersion
from app.posters.qr import link_of, qr_image, wxacode
from app.posters.states import CodeStyle, PosterLanguage
from app.settings import Settings
from app.wechat.errors import SceneInvalid, WeChatBusy, WeChatRefused, WeChatUnavailable

KEPT_PER_FOLDER_MAX: Final = 40
"""With 256 folders about 10,000 posters, or 1 GB at most."""
KEPT_SECONDS: Final = 7 * 86_400
DRAWN_BY: Final = "1"
"""Part of every key; another number makes all posters be drawn anew."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wish:
    """Which poster of a code is wanted; None is the most fitting template."""

    template_id: int | None = None
    language: PosterLanguage = PosterLanguage.ZH
    style: CodeStyle = CodeStyle.LINK


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a poster shows, before it is drawn; it reads no more rows than it must."""

    code: str
    page: str
    style: CodeStyle
    version_id: int
    layout: Layout
    ground_sha256: str
    member_id: int | None
    avatar_sha256: str | None
    language: PosterLanguage
    nickname: str
    product: str
    price_fen: int | None

    @property
    def key(self) -> str:
        """Return a digest of all that the poster shows."""
        facts = (DRAWN_BY, self.code, self.style, self.version_id, self.language)
        shown = (self.nickname, self.avatar_sha256, self.product, self.price_fen)
        return hashlib.sha256("\x00".join(map(str, (*facts, *shown))).encode()).hexdigest()


def plan(session: Session, code: ShareCode, wish: Wish) -> Plan:
    """Say what the poster of a code shows. Raises `PosterNotFound`."""
    sharer = queries.sharer_of(session, code)
    found = queries.offer(session, code, sharer, wish.template_id)
    product = queries.product_of(session, code)
    title = ""
    if product is not None:
        is_english = wish.language is PosterLanguage.EN
        title = (product.title_en if is_english else "") or product.title
    return Plan(
        code=code.code,
        page=code.page,
        style=wish.style,
        version_id=found.version.id,
        layout=layouts.read(found.version.layout),
        ground_sha256=found.version.picture_sha256,
        member_id=sharer.member_id,
        avatar_sha256=sharer.avatar_sha256,
        language=wish.language,
        nickname=sharer.name,
        product=title,
        price_fen=product.price_fen if product is not None else None,
    )


def kept(wanted: Plan, settings: Settings) -> bytes | None:
    """Return a poster that was drawn before."""
    return _shelf(settings).read(_place(wanted, settings))


def render(wanted: Plan, settings: Settings) -> bytes:
    """Return a poster as JPEG, drawn now where it is not kept. Call it outside a transaction.

    Where WeChat does not give its code, the poster carries the QR of the public page instead; such
    a one is not kept.
    """
    found = kept(wanted, settings)
    if found is not None:
        return found
    side = wanted.layout.code.side * WIDTH // 1000
    code = _code_of(wanted, settings)
    avatar = _avatar(wanted)
    is_as_wanted = (code is not None or wanted.style is CodeStyle.LINK) and (
        avatar is not None or wanted.avatar_sha256 is None
    )
    facts = Facts(
        language=wanted.language,
        nickname=wanted.nickname,
        product=wanted.product,
        price_fen=wanted.price_fen,
        avatar=avatar,
    )
    ground = Ground(wanted.ground_sha256, lambda: _picture(wanted.version_id))
    scanned = code or qr_image(link_of(wanted.code, settings), side)
    drawn = draw(wanted.layout, ground, facts, scanned)
    if is_as_wanted:
        _shelf(settings).keep(_place(wanted, settings), drawn)
    return drawn


def forget_old(settings: Settings) -> int:
    """Remove posters that were drawn more than a week ago; return how many."""
    return _shelf(settings).forget(older_than_seconds=KEPT_SECONDS)


def _shelf(settings: Settings) -> Shelf:
    return Shelf(Path(settings.state_dir) / "posters", KEPT_PER_FOLDER_MAX)


def _place(wanted: Plan, settings: Settings) -> Path:
    """Return where a poster is kept; its code says an address, which is part of what it shows."""
    facts = (wanted.key, settings.public_base_url, settings.wechat_env_version)
    return _shelf(settings).place_of(*facts)


def _code_of(wanted: Plan, settings: Settings) -> Image.Image | None:
    """Return WeChat's code where it is wanted and to be had."""
    if wanted.style is CodeStyle.LINK:
        return None
    try:
        drawn = wxacode(wanted.code, wanted.page, settings)
    except (WeChatUnavailable, WeChatBusy, WeChatRefused, SceneInvalid) as error:
        log.warning("poster_without_wxacode", error=error.code)
        return None
    with Image.open(BytesIO(drawn), formats=("JPEG", "PNG")) as image:
        return image.convert("L") if image.mode == "1" else image.convert("RGB")


def _picture(version_id: int) -> bytes:
    return (
        db.session()
        .scalars(sa.select(PosterVersion.picture).where(PosterVersion.id == version_id))
        .one()
    )


def _avatar(wanted: Plan) -> bytes | None:
    """Return the picture of the person, if it is still the one that the key was made of."""
    if wanted.avatar_sha256 is None:
        return None
    return db.session().scalar(
        sa.select(MemberAvatar.content).where(
            MemberAvatar.member_id == wanted.member_id,
            MemberAvatar.sha256 == wanted.avatar_sha256,
        )
    )

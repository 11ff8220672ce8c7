"""The public page behind a share code: what a shared link or QR shows outside the mini-program.

Nobody signs in here and nothing is recorded: the touch is counted in the mini-program, where it is
known who came. The page says that the person who shared it may earn by it. Chats read its head to
show title, text and poster beside the link.
"""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import structlog
from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from app.access import redis, settings
from app.attribution import queries as attribution
from app.attribution.models import ShareCode
from app.kernel.db import db, end_reading
from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_, yuan
from app.kernel.ids import digest
from app.kernel.pictures import MEDIA_TYPE
from app.posters import queries as posters
from app.posters import rendering, sharing
from app.posters.errors import PosterNotFound
from app.posters.queries import Sharer
from app.posters.rendering import Wish
from app.posters.sharing import Preview
from app.wechat.access import mini_program
from miniprogram_api import limits
from miniprogram_api.limits import Limit
from miniprogram_api.problems import STATUS_OF, both

LINK_KEPT_SECONDS: Final = 7 * 86_400
"""WeChat's links live for thirty days; one that is kept for seven is never about to end."""
CODE: Final = re.compile(r"[0-9A-Za-z]{22}", re.ASCII)
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none';"
    " frame-ancestors 'none'; base-uri 'none'"
)
KEPT: Final = "public, max-age=60"
"""A code that was revoked is gone from what others keep within a minute."""
POSTER_KEPT: Final = "public, max-age=300"
TEXTS: Final = {
    "title": N_("A friend invites you"),
    "invites": N_("invites you"),
    "open": N_("Open the mini-program"),
    "hold": N_("Or press and hold the code on the poster in WeChat."),
    "poster": N_("Poster with a code to scan"),
    "disclosure": N_("The person who shared this page may earn a commission when you buy."),
    "unknown_title": N_("This link does not exist"),
    "unknown": N_("Check the address, or ask the person who sent it for a new one."),
    "revoked_title": N_("This link is no longer valid"),
    "revoked": N_("It was replaced. Ask the person who sent it for the new one."),
    "expired_title": N_("This invitation has ended"),
    "expired": N_("The person who sent it does not share links any more. You are still welcome."),
    "busy_title": N_("WeChat cannot be reached at the moment"),
    "busy": N_("Please try again in a moment, or scan the code on the poster with WeChat."),
    "later_title": N_("Too many people are looking at the moment"),
    "later": N_("Please try again in a minute."),
}
GONE: Final = {
    "unknown": HTTPStatus.NOT_FOUND,
    "revoked": HTTPStatus.GONE,
    "expired": HTTPStatus.GONE,
}

LATER_SECONDS: Final = 30
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

blueprint = Blueprint(
    "landing",
    __name__,
    template_folder="templates",
    static_folder="static/landing",
    static_url_path="/s/static",
)
log = structlog.get_logger()


@blueprint.get("/s/<code>")
def landing_page(code: str) -> ResponseReturnValue:
    """Show the page of a share code, or a friendly one where it is unknown or ended."""
    found = _find(code)
    if found.trouble:
        return _page(found.trouble, GONE[found.trouble])
    assert found.code is not None, "a code without trouble is there"
    preview = sharing.preview(db.session(), found.code, settings(), sharer=found.sharer)
    opening = url_for("landing.open_mini_program", code=code)
    return _page("", HTTPStatus.OK, preview=preview, opening=opening)


@blueprint.get("/s/<code>/poster.jpg")
def poster_picture(code: str) -> ResponseReturnValue:
    """Send the poster of a share code; the address stays while what it shows may change.

    Only drawing is counted: what was drawn before costs little, and whole shops share an address.
    """
    found = _find(code)
    if found.trouble:
        return _nothing(GONE[found.trouble])
    assert found.code is not None, "a code without trouble is there"
    try:
        wanted = rendering.plan(db.session(), found.code, Wish())
    except PosterNotFound:
        return _nothing(HTTPStatus.NOT_FOUND)
    end_reading()
    if rendering.kept(wanted, settings()) is None:
        limits.check(Limit.LANDING)
    response = Response(rendering.render(wanted, settings()), mimetype=MEDIA_TYPE)
    response.headers.update(HEADERS)
    response.headers["Cache-Control"] = POSTER_KEPT
    response.set_etag(wanted.key)
    return response.make_conditional(request)


@blueprint.get("/s/<code>/open")
def open_mini_program(code: str) -> ResponseReturnValue:
    """Send the visitor on into the mini-program, to the page that the code stands for."""
    limits.check(Limit.LANDING)
    found = _find(code)
    if found.trouble or found.code is None:
        return redirect(url_for("landing.landing_page", code=code))
    page = found.code.page
    end_reading()
    return redirect(_link(code, page))


@blueprint.errorhandler(DomainError)
def not_now(error: DomainError) -> ResponseReturnValue:
    """Say that WeChat, or we, cannot do it at the moment."""
    is_limited = error.kind is ErrorKind.LIMITED
    response = _page("later" if is_limited else "busy", STATUS_OF[error.kind])
    response.headers["Retry-After"] = str(getattr(error, "retry_after_seconds", LATER_SECONDS))
    return response


@blueprint.errorhandler(OperationalError)
def no_database(error: OperationalError) -> ResponseReturnValue:
    """Say the same where the database does not answer."""
    log.warning("dependency_unavailable", error=type(error).__name__)
    return _page("busy", HTTPStatus.SERVICE_UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Found:
    """A share code, who shares it, and why its page does not show it where it does not."""

    trouble: str
    code: ShareCode | None = None
    sharer: Sharer | None = None


def _find(code: str) -> Found:
    """Find a share code; what cannot be one is not looked up."""
    session = db.session()
    found = attribution.code_by_text(session, code) if CODE.fullmatch(code) else None
    if found is None:
        return Found("unknown")
    if found.revoked_at is not None:
        return Found("revoked", found)
    sharer = posters.sharer_of(session, found)
    return Found("" if sharer.is_active else "expired", found, sharer)


def _link(code: str, page: str) -> str:
    """Return WeChat's link to a page with a code, kept in Redis because WeChat counts them."""
    key = f"url-link:{settings().wechat_env_version}:{digest(f'{page}?{code}')[:32]}"
    try:
        kept = redis().get(key)
        if isinstance(kept, bytes):
            return kept.decode()
    except RedisError as error:
        log.warning("link_not_kept", error=type(error).__name__)
    link = mini_program().url_link(path=page, query=f"scene={code}")
    try:
        redis().set(key, link, ex=LINK_KEPT_SECONDS)
    except RedisError as error:
        log.warning("link_not_kept", error=type(error).__name__)
    return link


def _page(
    trouble: str, status: HTTPStatus, *, preview: Preview | None = None, opening: str = ""
) -> Response:
    product = preview.product if preview is not None else None
    text = render_template(
        "landing/page.html",
        trouble=trouble,
        texts={name: both(text) for name, text in TEXTS.items()},
        preview=preview,
        product=product,
        price=yuan(product.price_fen) if product else "",
        opening=opening,
    )
    response = Response(text, status, HEADERS, mimetype="text/html")
    response.headers["Cache-Control"] = KEPT if status is HTTPStatus.OK else "no-store"
    return response


def _nothing(status: HTTPStatus) -> Response:
    """Answer where a picture was asked for and there is none."""
    response = Response(status=status, headers=HEADERS, mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    return response

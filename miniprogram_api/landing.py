"""The public page behind a share code: what a shared link or QR shows outside the mini-program.

Nobody signs in here and nothing is recorded: the touch is counted in the mini-program, where it is
known who came. The page says that the person who shared it may earn by it.
"""

import re
from http import HTTPStatus
from typing import Final

import structlog
from flask import Blueprint, Response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from app.access import redis, settings
from app.attribution import queries as attribution
from app.attribution.models import ShareCode
from app.catalog import queries as catalog
from app.catalog.models import Product
from app.kernel.db import db, end_reading
from app.kernel.errors import DomainError
from app.kernel.i18n import N_, yuan
from app.kernel.ids import digest
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
TEXTS: Final = {
    "title": N_("A friend invites you"),
    "welcome": N_("Book a visit, claim an offer or shop, right in WeChat."),
    "open": N_("Open the mini-program"),
    "disclosure": N_("The person who shared this page may earn a commission when you buy."),
    "unknown_title": N_("This link does not exist"),
    "unknown": N_("Check the address, or ask the person who sent it for a new one."),
    "revoked_title": N_("This link is no longer valid"),
    "revoked": N_("It was replaced. Ask the person who sent it for the new one."),
    "busy_title": N_("WeChat cannot be reached at the moment"),
    "busy": N_("Please try again in a moment, or scan the code on the poster with WeChat."),
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
    """Show the page of a share code, or a friendly one where it is unknown or was revoked."""
    found = _find(code)
    if found is None:
        return _page("unknown", HTTPStatus.NOT_FOUND)
    if found.revoked_at is not None:
        return _page("revoked", HTTPStatus.GONE)
    opening = url_for("landing.open_mini_program", code=code)
    return _page("", HTTPStatus.OK, product=_product(found), opening=opening)


@blueprint.get("/s/<code>/open")
def open_mini_program(code: str) -> ResponseReturnValue:
    """Send the visitor on into the mini-program, to the page that the code stands for."""
    limits.check(Limit.LANDING)
    found = _find(code)
    if found is None or found.revoked_at is not None:
        return redirect(url_for("landing.landing_page", code=code))
    page = found.page
    end_reading()
    return redirect(_link(code, page))


@blueprint.errorhandler(DomainError)
def not_now(error: DomainError) -> ResponseReturnValue:
    """Say that WeChat, or we, cannot do it at the moment."""
    return _page("busy", STATUS_OF[error.kind])


@blueprint.errorhandler(OperationalError)
def no_database(error: OperationalError) -> ResponseReturnValue:
    """Say the same where the database does not answer."""
    log.warning("dependency_unavailable", error=type(error).__name__)
    return _page("busy", HTTPStatus.SERVICE_UNAVAILABLE)


def _find(code: str) -> ShareCode | None:
    """Return a share code; what cannot be one is not looked up."""
    return attribution.code_by_text(db.session(), code) if CODE.fullmatch(code) else None


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


def _product(code: ShareCode) -> Product | None:
    if code.product_id is None:
        return None
    product = catalog.by_ids(db.session(), [code.product_id]).get(code.product_id)
    return product if product is not None and product.is_published else None


def _page(
    trouble: str, status: HTTPStatus, *, product: Product | None = None, opening: str = ""
) -> Response:
    text = render_template(
        "landing/page.html",
        trouble=trouble,
        texts={name: both(text) for name, text in TEXTS.items()},
        product=product,
        price=yuan(product.price_fen) if product else "",
        opening=opening,
    )
    headers = {
        "Content-Security-Policy": POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "Cache-Control": "no-store",
    }
    return Response(text, status, headers, mimetype="text/html")

"""What the public page behind a share code says, to people and to the previews of links."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from app.attribution.models import ShareCode
from app.catalog.models import Product
from app.kernel.i18n import CHINESE, ENGLISH, N_, translate
from app.posters import layout as layouts
from app.posters import queries
from app.posters.layout import Shared
from app.posters.lettering import drawable
from app.posters.qr import link_of
from app.posters.queries import Offer, Sharer
from app.settings import Settings

INVITES: Final = N_("A friend invites you")
WELCOME: Final = N_("Book a visit, claim an offer or shop, right in WeChat.")
NAME_LENGTH_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A shared link as a chat shows it, and what the page shows besides."""

    link: str
    title: Said
    text: Said
    picture: str | None
    """The poster's public address; None where no template fits."""
    picture_height: int
    name: str
    """Who shares it; empty where nobody may see it."""
    product: Product | None


def preview(
    session: Session, code: ShareCode, settings: Settings, *, sharer: Sharer | None = None
) -> Preview:
    """Return what the link of a live code shows."""
    who = sharer or queries.sharer_of(session, code)
    found = next(iter(queries.offers(session, code, who)), None)
    product = queries.product_of(session, code)
    shared = layouts.read(found.version.layout).shared if found is not None else Shared()
    link = link_of(code.code, settings)
    return Preview(
        link=link,
        title=_title(shared, product),
        text=_either(shared.text_zh, shared.text_en, WELCOME),
        picture=f"{link}/poster.jpg" if found is not None else None,
        picture_height=_height(found),
        name=drawable(who.name)[:NAME_LENGTH_MAX],
        product=product,
    )


def _title(shared: Shared, product: Product | None) -> Said:
    """A product speaks for itself; else the template's words, or ours."""
    if product is not None:
        return Said(product.title, product.title_en or product.title)
    return _either(shared.title_zh, shared.title_en, INVITES)


def _either(zh: str, en: str, usual: str) -> Said:
    """Take what a template says in a language, or in the other one, or what is always true."""
    if not (zh or en):
        return Said(translate(usual, CHINESE), translate(usual, ENGLISH))
    return Said(zh or en, en or zh)


def _height(found: Offer | None) -> int:
    return found.version.height if found is not None else 0

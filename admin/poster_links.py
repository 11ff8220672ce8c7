"""The posters of a distributor's share codes, with their links, on the page about them."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from flask import current_app, url_for
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import joinedload

from admin import staff
from admin.details import Section
from app.access import settings
from app.attribution.models import ShareCode
from app.kernel.db import db
from app.posters import queries
from app.posters.qr import link_of
from app.stores.permissions import Permission

CODES_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class PosterLink:
    """One share code as the page shows it; no picture where no template fits."""

    link: str
    channel: str
    picture: str


def posters_section(member_id: int) -> Section | None:
    """Return the newest live codes with poster and link, for those who may see both."""
    if not (staff.may(Permission.POSTERS_VIEW) and staff.may(Permission.SHARE_CODES_VIEW)):
        return None
    view: Any = current_app.extensions["backoffice"]["share_codes"]
    codes = db.session.scalars(
        view.get_query()
        .options(joinedload(ShareCode.channel))
        .where(ShareCode.distributor_id == member_id, ShareCode.revoked_at.is_(None))
        .order_by(sa.desc(ShareCode.id))
        .limit(CODES_SHOWN)
    ).all()
    if not codes:
        return None
    sharer = queries.sharer_of(db.session(), codes[0])
    links = [_shown(one, sharer) for one in codes]
    return Section(_("Posters"), "links", facts=links, template="backoffice/poster_links.html")


def _shown(code: ShareCode, sharer: queries.Sharer) -> PosterLink:
    fits = queries.offers(db.session(), code, sharer)
    picture = url_for("poster_templates.of_code_view", id=code.id) if fits else ""
    return PosterLink(link_of(code.code, settings()), str(code.channel), picture)

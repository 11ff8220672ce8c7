"""Posters of the caller's own share codes, and what a link to one shows in a chat."""

from typing import Annotated, Final, Self

from flask import Response, request
from pydantic import Field

from app.access import settings
from app.kernel.db import db, end_reading
from app.kernel.pictures import MEDIA_TYPE
from app.posters import queries, rendering, sharing
from app.posters.layout import WIDTH
from app.posters.queries import Offer
from app.posters.rendering import Wish
from app.posters.states import CodeStyle, PosterKind, PosterLanguage
from miniprogram_api.endpoints.share_codes import mine_and_live
from miniprogram_api.fields import Bilingual, Query, View, example
from miniprogram_api.limits import Limit
from miniprogram_api.routing import Group

group = Group("posters", about="Posters of the caller's share codes.")

KEPT: Final = "private, no-cache"


class PosterView(View):
    """A template that fits a share code."""

    id: int
    name: str
    kind: PosterKind
    version: int
    width: int
    height: int

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """Show what can be drawn."""
        return cls(
            id=offer.template.id,
            name=offer.template.name,
            kind=offer.template.kind,
            version=offer.version.version,
            width=WIDTH,
            height=offer.version.height,
        )


class PostersView(View):
    """The templates for one share code, the most fitting first, and what its link shows."""

    model_config = View.model_config | example(
        {
            "link": "https://example.com/s/mC0vBqQ2Zt8rY1nKx7LsWd",
            "title": {"zh": "好友邀请您体验专属护理", "en": "A friend invites you"},
            "text": {"zh": "点开预约，到店即享新客礼遇。", "en": "Book a visit."},
            "picture": "https://example.com/s/mC0vBqQ2Zt8rY1nKx7LsWd/poster.jpg",
            "items": [
                {
                    "id": 1,
                    "name": "晨光邀请",
                    "kind": "personal",
                    "version": 1,
                    "width": 750,
                    "height": 1334,
                }
            ],
        }
    )

    link: str
    title: Bilingual
    text: Bilingual
    picture: Annotated[str | None, Field(description="The poster at its public address")]
    items: list[PosterView]


class PosterQuery(Query):
    """How a poster is wanted."""

    language: PosterLanguage = PosterLanguage.ZH
    style: CodeStyle = CodeStyle.LINK


@group.operation("GET", "/share-codes/<code:code>/posters")
def list_posters(code: str) -> PostersView:
    """List the posters that fit one of the caller's share codes, and what its link shows."""
    session = db.session()
    found = mine_and_live(session, code)
    preview = sharing.preview(session, found, settings())
    offered = queries.offers(session, found, queries.sharer_of(session, found))
    return PostersView(
        link=preview.link,
        title=Bilingual(zh=preview.title.zh, en=preview.title.en),
        text=Bilingual(zh=preview.text.zh, en=preview.text.en),
        picture=preview.picture,
        items=[PosterView.of(one) for one in offered],
    )


@group.operation(
    "GET",
    "/share-codes/<code:code>/posters/<id:poster_id>",
    limit=Limit.PICTURE,
    produces=MEDIA_TYPE,
)
def draw_poster(code: str, poster_id: int, query: PosterQuery) -> Response:
    """Draw a poster with the caller's nickname, picture and code.

    Where WeChat does not give its code at the moment, the poster carries the QR of the link.
    """
    session = db.session()
    found = mine_and_live(session, code)
    wish = Wish(template_id=poster_id, language=query.language, style=query.style)
    wanted = rendering.plan(session, found, wish)
    end_reading()
    response = Response(rendering.render(wanted, settings()), mimetype=MEDIA_TYPE)
    response.headers["Cache-Control"] = KEPT
    response.set_etag(wanted.key)
    response.make_conditional(request)
    return response

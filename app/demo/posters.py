"""Two posters that distributors can share at once, and pictures of a few people."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.demo import poster_art
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now
from app.posters import services
from app.posters.services import PosterSpec
from app.posters.states import PosterKind

HINT: Final = {
    "left": 104,
    "top": 885,
    "width": 460,
    "height": 34,
    "size": 30,
    "colour": "#8a7378",
    "zh": "长按识别二维码，领取到店礼遇",
    "en": "Press and hold the code to open",
}
INVITATION: Final[Mapping[str, Any]] = {
    "headline": {
        "left": 72,
        "top": 366,
        "width": 860,
        "height": 130,
        "size": 88,
        "colour": "#7c2b40",
        "is_bold": True,
        "lines": 2,
        "zh": "把好气色\n分享给你",
        "en": "A glow worth\nsharing",
    },
    "body": {
        "left": 76,
        "top": 512,
        "width": 760,
        "height": 130,
        "size": 36,
        "colour": "#8c4453",
        "lines": 3,
        "zh": "专属面部护理体验\n由好友为您预留，到店即可享用",
        "en": "A facial treatment, kept for you\nby a friend. Just come in.",
    },
    "avatar": {"left": 104, "top": 776, "side": 116, "ring": "#f3b8b5"},
    "nickname": {
        "left": 240,
        "top": 781,
        "width": 330,
        "height": 60,
        "size": 38,
        "colour": "#3b2a2e",
        "is_bold": True,
        "lines": 2,
        "zh": "{name}\n邀请您一起变美",
        "en": "{name}\ninvites you",
    },
    "hint": HINT | {"top": 868},
    "code": {"left": 602, "top": 748, "side": 300},
    "shared": {
        "title_zh": "好友邀请您体验专属护理",
        "title_en": "A friend invites you to a treatment",
        "text_zh": "点开预约，到店即享新客礼遇。",
        "text_en": "Book a visit and enjoy a welcome offer.",
    },
}
PRODUCT: Final[Mapping[str, Any]] = {
    "headline": {
        "left": 90,
        "top": 62,
        "width": 820,
        "height": 70,
        "size": 72,
        "colour": "#f3e3bf",
        "align": "center",
        "is_bold": True,
        "zh": "本月好物 限时分享",
        "en": "This month's favourite",
    },
    "body": {
        "left": 90,
        "top": 136,
        "width": 820,
        "height": 40,
        "size": 34,
        "colour": "#cfe6da",
        "align": "center",
        "zh": "好友为您挑选，门店专业护理",
        "en": "Picked by a friend, done by experts",
    },
    "product": {
        "left": 96,
        "top": 614,
        "width": 808,
        "height": 52,
        "size": 50,
        "colour": "#ffffff",
        "align": "center",
        "is_bold": True,
        "lines": 1,
    },
    "price": {
        "left": 96,
        "top": 662,
        "width": 808,
        "height": 52,
        "size": 62,
        "colour": "#f0c879",
        "align": "center",
        "is_bold": True,
    },
    "avatar": {"left": 104, "top": 786, "side": 110, "ring": "#d9b878"},
    "nickname": {
        "left": 236,
        "top": 790,
        "width": 330,
        "height": 60,
        "size": 36,
        "colour": "#1d3a35",
        "is_bold": True,
        "lines": 2,
        "zh": "{name}\n推荐给您",
        "en": "{name}\nrecommends it",
    },
    "hint": HINT | {"top": 874, "colour": "#6d7d78"},
    "code": {"left": 618, "top": 763, "side": 280},
    "shared": {
        "title_zh": "好友推荐：本月好物",
        "title_en": "A friend recommends this",
        "text_zh": "门店专业护理，线上下单到店使用。",
        "text_en": "Order here, enjoy it in the shop.",
    },
}
TEMPLATES: Final = (
    ("晨光邀请", PosterKind.PERSONAL, poster_art.rose, INVITATION),
    ("翡翠好物", PosterKind.PRODUCT, poster_art.jade, PRODUCT),
)


def load_posters() -> Iterator[str]:
    """Make the templates and offer them to every distributor."""
    for name, kind, paint, layout in TEMPLATES:
        picture = services.redraw_background(paint())
        spec = PosterSpec(name=name, kind=kind, layout=layout)
        now = database_now()
        with atomic() as session:
            row = services.create_template(
                session, spec, picture, within=None, actor=SYSTEM, now=now
            )
            services.publish(session, row.id, within=None, actor=SYSTEM, now=now)
    yield f"posters: {len(TEMPLATES)} templates"

"""Where everything on a poster goes, checked so that it can be drawn and its code be read.

Places are per mille: from the left and wide of the poster's width, from the top and high of its
height; squares and letters are measured by the width alone. What is valid here can be drawn with
any name, product and price.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from app.members.profiles import has_controls
from app.posters.errors import PosterInvalid
from app.posters.states import PosterLanguage

WIDTH: Final = 750
"""Pixels; what WeChat shows full-screen without enlarging it."""
HEIGHT_MIN: Final = 375
HEIGHT_MAX: Final = 1500
WHOLE: Final = 1000
CODE_SIDE_MIN: Final = 220
"""165 pixels: the QR of a link has about 40 modules with its border, so each gets four pixels."""
NAME: Final = "{name}"
COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}", re.ASCII)

PerMille = Annotated[int, Field(ge=0, le=WHOLE)]
Extent = Annotated[int, Field(ge=20, le=WHOLE)]
Side = Annotated[int, Field(ge=60, le=600)]
CodeSide = Annotated[int, Field(ge=CODE_SIDE_MIN, le=600)]
Words = Annotated[str, Field(max_length=160)]
Align = Literal["left", "center", "right"]


def _said(text: str) -> str:
    """Refuse characters that only change how text shows."""
    if has_controls(text.replace("\n", "")):
        raise ValueError("control characters")
    return text


class Strict(BaseModel):
    """Frozen, and nothing in it that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class TextBox(Strict):
    """A box with text that comes from elsewhere, such as a product's title."""

    left: PerMille
    top: PerMille
    width: Extent
    height: Extent
    size: Annotated[int, Field(ge=20, le=160)]
    """Of the letters, per mille of the poster's width."""
    colour: str = "#1f1a1c"
    align: Align = "left"
    is_bold: bool = False
    lines: Annotated[int, Field(ge=1, le=6)] = 1

    @field_validator("colour")
    @classmethod
    def _is_colour(cls, value: str) -> str:
        if not COLOUR.fullmatch(value):
            raise ValueError("a colour is #rrggbb")
        return value

    def edges(self, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in pixels."""
        return _edges(self.left, self.top, self.width * WIDTH, self.height * height, height)


class SaidBox(TextBox):
    """A box with words of its own; `{name}` in them is the distributor's nickname."""

    zh: Words = ""
    en: Words = ""

    @field_validator("zh", "en")
    @classmethod
    def _is_clean(cls, value: str) -> str:
        return _said(value)

    def said(self, language: PosterLanguage) -> str:
        """Return the words in a language, or in the other where there are none."""
        first, second = (self.zh, self.en) if language is PosterLanguage.ZH else (self.en, self.zh)
        return first or second


class Square(Strict):
    """A square with its upper left corner and its side."""

    left: PerMille
    top: PerMille
    side: Side

    def edges(self, height: int) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in pixels."""
        return _edges(self.left, self.top, self.side * WIDTH, self.side * WIDTH, height)


class AvatarBox(Square):
    """A round picture of the distributor; where they have none the circle shows their initial."""

    ring: str = "#ffffff"

    @field_validator("ring")
    @classmethod
    def _is_colour(cls, value: str) -> str:
        if not COLOUR.fullmatch(value):
            raise ValueError("a colour is #rrggbb")
        return value


class CodeBox(Square):
    """The code, always dark on white, with its border inside the square."""

    side: CodeSide


class Shared(Strict):
    """What a link to the poster's page shows in a chat."""

    title_zh: Words = ""
    title_en: Words = ""
    text_zh: Words = ""
    text_en: Words = ""

    @field_validator("title_zh", "title_en", "text_zh", "text_en")
    @classmethod
    def _is_clean(cls, value: str) -> str:
        return _said(value)


class Layout(Strict):
    """Everything on a poster but its picture. Only the code has to be there."""

    headline: SaidBox | None = None
    body: SaidBox | None = None
    product: TextBox | None = None
    price: TextBox | None = None
    avatar: AvatarBox | None = None
    nickname: SaidBox | None = None
    hint: SaidBox | None = None
    code: CodeBox
    shared: Shared = Shared()

    @model_validator(mode="after")
    def _something_is_said(self) -> Self:
        """Refuse a nickname box that does not say the name in either language."""
        if self.nickname and NAME not in self.nickname.zh + self.nickname.en:
            raise ValueError(f"nickname: the words hold {NAME}")
        return self

    def boxes(self) -> Iterator[tuple[str, TextBox | Square]]:
        """Yield the boxes that are there, by name, in the order they are drawn."""
        for name in BOXES:
            box = getattr(self, name)
            if box is not None:
                yield name, box


BOXES: Final = ("headline", "body", "product", "price", "avatar", "nickname", "hint", "code")


def checked(values: Mapping[str, Any], *, height: int) -> Layout:
    """Return a layout that fits a poster of that height in pixels, or raise `PosterInvalid`."""
    try:
        layout = Layout.model_validate(dict(values))
    except ValidationError as error:
        found = error.errors(include_input=False)[0]
        field = ".".join(str(part) for part in found["loc"]) or "nickname"
        raise PosterInvalid(field, "value") from None
    for name, box in layout.boxes():
        left, top, right, bottom = box.edges(height)
        if right > WIDTH or bottom > height:
            raise PosterInvalid(name, "outside")
        if box is not layout.code and _meet((left, top, right, bottom), layout.code.edges(height)):
            raise PosterInvalid(name, "over_code")
    return layout


def read(values: Mapping[str, Any]) -> Layout:
    """Return a layout that was checked before it was stored."""
    return Layout.model_validate(dict(values))


def _edges(left: int, top: int, wide: int, high: int, height: int) -> tuple[int, int, int, int]:
    x, y = left * WIDTH // WHOLE, top * height // WHOLE
    return x, y, x + wide // WHOLE, y + high // WHOLE


def _meet(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]

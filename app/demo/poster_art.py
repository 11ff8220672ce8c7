"""Backgrounds of the demo's posters, drawn by code: gradients, petals, leaves and a white card."""

import math
from io import BytesIO
from typing import Final

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

SIZE: Final = (750, 1334)
SMOOTH: Final = 2
Point = tuple[float, float]


def rose() -> bytes:
    """Draw the invitation: dawn colours, petals, and a card for the code."""
    canvas = _gradient("#fff4ee", "#f3b8b5", "#c9667a")
    _glow(canvas, (610, 170), 420, "#ffffff", 150)
    _glow(canvas, (90, 760), 360, "#ffd9c7", 130)
    for angle in range(0, 360, 45):
        _petal(canvas, (600, 300), angle, 250, 92, "#ffffff", 46)
    for angle in range(22, 382, 45):
        _petal(canvas, (600, 300), angle, 170, 66, "#e2798a", 40)
    _ring(canvas, (600, 300), 60, "#ffffff", 90)
    for centre, size in (
        ((640, 700), 74),
        ((560, 800), 36),
        ((680, 850), 46),
        ((90, 180), 54),
        ((190, 96), 28),
    ):
        for angle in range(0, 360, 72):
            _petal(canvas, centre, angle, size, size * 0.42, "#ffffff", 60)
    _card(canvas, (48, 936, 702, 1286), 36)
    return _png(canvas)


def jade() -> bytes:
    """Draw the product's poster: deep green, leaves of gold, a pale window, a card for the code."""
    canvas = _gradient("#0f3b36", "#1d5a50", "#0d2f2c")
    _glow(canvas, (375, 420), 520, "#7fc4a8", 90)
    for side, lean in ((0, 1), (750, -1)):
        for step in range(7):
            place = (side + lean * (10 + step * 6), 120 + step * 112)
            _petal(canvas, place, 90 - lean * (62 - step * 6), 190, 46, "#d9b878", 70)
            _petal(canvas, place, 90 - lean * (18 + step * 4), 150, 34, "#8fd0b5", 44)
    _card(canvas, (70, 300, 680, 800), 305, fill="#f7f1e6")
    _card(canvas, (70, 560, 680, 800), 28, fill="#f7f1e6", shadow=0)
    _bottle(canvas)
    _card(canvas, (48, 960, 702, 1286), 36)
    return _png(canvas)


def _gradient(*colours: str) -> Image.Image:
    """Return a canvas that goes through colours from top to bottom."""
    stops = [ImageColor.getrgb(one)[:3] for one in colours]
    column = Image.new("RGB", (1, SIZE[1]))
    last = len(stops) - 1
    for y in range(SIZE[1]):
        place = y * last / (SIZE[1] - 1)
        below = min(int(place), last - 1)
        share = place - below
        pair = zip(stops[below], stops[below + 1], strict=True)
        column.putpixel((0, y), tuple(round(a + (b - a) * share) for a, b in pair))
    return column.resize(SIZE)


def _glow(canvas: Image.Image, centre: Point, radius: int, colour: str, strength: int) -> None:
    mask = ImageChops.invert(Image.radial_gradient("L")).point(
        lambda value: max(0, value * 2 - 255) * strength // 255
    )
    mask = mask.resize((radius * 2, radius * 2), Image.Resampling.BICUBIC)
    corner = (round(centre[0]) - radius, round(centre[1]) - radius)
    canvas.paste(Image.new("RGB", mask.size, colour), corner, mask)


def _petal(  # noqa: PLR0913 - one shape
    canvas: Image.Image,
    root: Point,
    angle: float,
    length: float,
    width: float,
    colour: str,
    strength: int,
) -> None:
    """Draw a leaf that grows from `root` in a direction, in degrees."""
    turn = math.radians(angle)
    across, along = (-math.sin(turn), math.cos(turn)), (math.cos(turn), math.sin(turn))
    outline = []
    for step in range(41):
        share = step / 20 if step <= 20 else (40 - step) / 20  # noqa: PLR2004 - there and back
        bulge = math.sin(math.pi * share**0.8) * width / 2 * (1 if step <= 20 else -1)  # noqa: PLR2004
        outline.append(
            (
                (root[0] + along[0] * length * share + across[0] * bulge) * SMOOTH,
                (root[1] + along[1] * length * share + across[1] * bulge) * SMOOTH,
            )
        )
    mask = Image.new("L", (SIZE[0] * SMOOTH, SIZE[1] * SMOOTH), 0)
    ImageDraw.Draw(mask).polygon(outline, fill=strength)
    canvas.paste(ImageColor.getrgb(colour), mask=mask.resize(SIZE, Image.Resampling.BOX))


def _ring(canvas: Image.Image, centre: Point, radius: int, colour: str, strength: int) -> None:
    mask = Image.new("L", (SIZE[0] * SMOOTH, SIZE[1] * SMOOTH), 0)
    box = [(side + way * radius) * SMOOTH for way in (-1, 1) for side in centre]
    ImageDraw.Draw(mask).ellipse(box, outline=strength, width=3 * SMOOTH)
    canvas.paste(ImageColor.getrgb(colour), mask=mask.resize(SIZE, Image.Resampling.BOX))


def _card(
    canvas: Image.Image,
    box: tuple[int, int, int, int],
    radius: int,
    *,
    fill: str = "#ffffff",
    shadow: int = 60,
) -> None:
    """Draw a plate with round corners and a soft shadow below it."""
    mask = Image.new("L", (SIZE[0] * SMOOTH, SIZE[1] * SMOOTH), 0)
    large = [side * SMOOTH for side in box]
    ImageDraw.Draw(mask).rounded_rectangle(large, radius=radius * SMOOTH, fill=255)
    mask = mask.resize(SIZE, Image.Resampling.BOX)
    if shadow:
        dark = ImageChops.offset(mask, 0, 14).filter(ImageFilter.GaussianBlur(22))
        canvas.paste((60, 20, 30), mask=dark.point(lambda value: value * shadow // 255))
    canvas.paste(ImageColor.getrgb(fill), mask=mask)


def _bottle(canvas: Image.Image) -> None:
    """Draw a bottle with a drop, in the window."""
    large = Image.new("RGB", (SIZE[0] * SMOOTH, SIZE[1] * SMOOTH))
    mask = Image.new("L", large.size, 0)
    paint, cut = ImageDraw.Draw(large), ImageDraw.Draw(mask)
    parts = (
        ((345, 400, 405, 452), 16, "#0f3b36"),
        ((330, 446, 420, 478), 10, "#d9b878"),
        ((290, 470, 460, 730), 48, "#2f7a69"),
        ((312, 560, 438, 676), 12, "#f7f1e6"),
    )
    for box, radius, colour in parts:
        scaled = [side * SMOOTH for side in box]
        paint.rounded_rectangle(scaled, radius=radius * SMOOTH, fill=colour)
        cut.rounded_rectangle(scaled, radius=radius * SMOOTH, fill=255)
    for angle, colour in ((-60, "#d9b878"), (-90, "#2f7a69"), (-120, "#d9b878")):
        turn = math.radians(angle)
        tip = (375 + 44 * math.cos(turn), 650 + 62 * math.sin(turn))
        paint.line(
            [(375 * SMOOTH, 655 * SMOOTH), (tip[0] * SMOOTH, tip[1] * SMOOTH)],
            fill=colour,
            width=7 * SMOOTH,
        )
    canvas.paste(large.resize(SIZE, Image.Resampling.BOX), mask=mask.resize(SIZE))


def _png(canvas: Image.Image) -> bytes:
    drawn = BytesIO()
    canvas.save(drawn, "PNG", compress_level=1)
    return drawn.getvalue()

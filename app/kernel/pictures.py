"""Pictures that people hand in: read with suspicion and drawn anew.

What is stored is never what was handed in. A picture is decoded and drawn again as a plain JPEG of
bounded size, so that a script behind a picture's head, a second file behind its end, hidden places
and thumbnails, and whatever a viewer could stumble over are gone. Its size is looked at before a
single pixel is decoded: a file of a few kilobytes can claim gigabytes.
"""

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar, Final

from PIL import Image, ImageOps

from app.kernel.errors import DomainError, ErrorKind
from app.kernel.i18n import N_

FORMATS: Final = ("JPEG", "PNG", "WEBP")
QUALITY: Final = 85
MEDIA_TYPE: Final = "image/jpeg"
MEGA: Final = 1_000_000
MEGABYTE: Final = 1024 * 1024
WHITE: Final = (255, 255, 255)
ORIENTATION: Final = 0x0112
"""The EXIF tag that says how the camera was held."""


@dataclass(eq=False)
class PictureTooLarge(DomainError):
    """A picture has too many bytes."""

    code: ClassVar[str] = "picture_too_large"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A picture may have at most %(limit_mb)s MB.")

    limit_mb: int


@dataclass(eq=False)
class PictureTooManyPixels(DomainError):
    """A picture is too large to be decoded safely."""

    code: ClassVar[str] = "picture_too_many_pixels"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("A picture may have at most %(limit_megapixels)s megapixels.")

    limit_megapixels: int


@dataclass(eq=False)
class PictureUnreadable(DomainError):
    """A file is no picture of a kind that is taken, whatever its name says."""

    code: ClassVar[str] = "picture_unreadable"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID
    text: ClassVar[str] = N_("Only JPEG, PNG and WebP pictures that are whole can be used.")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture drawn anew, ready to be stored."""

    content: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Return the digest of the content in hex."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Bounds:
    """What may be handed in, and how large the drawn picture is at most, in pixels."""

    bytes_max: int
    pixels_max: int
    side_max: int


def redraw(handed_in: bytes, bounds: Bounds) -> Picture:
    """Decode a JPEG, PNG or WebP and draw it anew, upright, without anything but its pixels.

    Takes up to a second; call it outside a transaction. Raises `PictureTooLarge`,
    `PictureTooManyPixels`, and `PictureUnreadable` for whatever is no whole picture of these
    kinds, judged by its content alone.
    """
    return encoded(opened(handed_in, bounds))


def square(handed_in: bytes, bounds: Bounds) -> Picture:
    """Do the same and keep the middle of the picture, as a square of `side_max` pixels."""
    side = (bounds.side_max, bounds.side_max)
    return encoded(ImageOps.fit(opened(handed_in, bounds), side))


def opened(handed_in: bytes, bounds: Bounds) -> Image.Image:
    """Return a picture's pixels on white, upright and within bounds; raises as `redraw` does."""
    if len(handed_in) > bounds.bytes_max:
        raise PictureTooLarge(bounds.bytes_max // MEGABYTE)
    try:
        with Image.open(BytesIO(handed_in), formats=FORMATS) as image:
            if image.width * image.height > bounds.pixels_max:
                raise PictureTooManyPixels(bounds.pixels_max // MEGA)
            return _plain(image, bounds.side_max)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooManyPixels(bounds.pixels_max // MEGA) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise PictureUnreadable from error


def encoded(image: Image.Image, quality: int = QUALITY) -> Picture:
    """Return pixels as a JPEG that holds nothing else."""
    drawn = BytesIO()
    image.save(drawn, "JPEG", quality=quality)
    return Picture(drawn.getvalue(), image.width, image.height)


def _plain(image: Image.Image, side_max: int) -> Image.Image:
    """Return the first frame on white, no larger than it needs to be, as the camera meant it."""
    image.draft("RGB", (side_max, side_max))
    if image.has_transparency_data:
        plain = _fitted(image, side_max).convert("RGBA")
    else:
        plain = image if image.mode == "RGB" else image.convert("RGB")
    plain.thumbnail((side_max, side_max))
    plain.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    upright = ImageOps.exif_transpose(plain)
    canvas = Image.new("RGB", upright.size, WHITE)
    canvas.paste(upright, mask=upright.getchannel("A") if upright.mode == "RGBA" else None)
    return canvas


def _fitted(image: Image.Image, side_max: int) -> Image.Image:
    """Return a large picture with holes smaller, by the only way that makes no copies of it."""
    share = side_max / max(image.size)
    if share >= 1:
        return image
    width, height = (max(1, round(side * share)) for side in image.size)
    return image.resize((width, height), Image.Resampling.NEAREST)

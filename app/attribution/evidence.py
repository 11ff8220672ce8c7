"""Pictures brought to a dispute: read with suspicion, drawn anew, kept with their digest.

What is stored is never what was handed in. A picture is decoded and drawn again as a plain JPEG of
bounded size, so that a script behind a picture's head, a second file behind its end, hidden places
and thumbnails, and whatever a viewer could stumble over are gone. Its size is looked at before a
single pixel is decoded: a file of a few kilobytes can claim gigabytes.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Final

import sqlalchemy as sa
from PIL import Image, ImageOps
from sqlalchemy.orm import Session, undefer

from app.attribution import disputes
from app.attribution.dispute_errors import (
    DisputeNotFound,
    EvidenceRepeated,
    EvidenceTooLarge,
    EvidenceTooManyPixels,
    EvidenceUnreadable,
    TooMuchEvidence,
)
from app.attribution.dispute_models import (
    EVIDENCE_BYTES_MAX,
    EVIDENCE_MAX,
    EvidenceFile,
    OwnershipDispute,
)
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject

FORMATS: Final = ("JPEG", "PNG", "WEBP")
PIXELS_MAX: Final = 50_000_000
SIDE_MAX: Final = 2_560
"""Enough to read a photographed receipt, whatever camera took it."""
QUALITY: Final = 85
MEDIA_TYPE: Final = "image/jpeg"
MEGA: Final = 1_000_000
WHITE: Final = (255, 255, 255)


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


def redraw(handed_in: bytes) -> Picture:
    """Decode a JPEG, PNG or WebP and draw it anew, upright, without anything but its pixels.

    Takes up to a second; call it outside a transaction. Raises `EvidenceTooLarge`,
    `EvidenceTooManyPixels`, and `EvidenceUnreadable` for whatever is no whole picture of these
    kinds, judged by its content alone.
    """
    if len(handed_in) > EVIDENCE_BYTES_MAX:
        raise EvidenceTooLarge(EVIDENCE_BYTES_MAX // (1024 * 1024))
    try:
        with Image.open(BytesIO(handed_in), formats=FORMATS) as image:
            if image.width * image.height > PIXELS_MAX:
                raise EvidenceTooManyPixels(PIXELS_MAX // MEGA)
            return _drawn(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise EvidenceTooManyPixels(PIXELS_MAX // MEGA) from error
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise EvidenceUnreadable from error


def _drawn(image: Image.Image) -> Picture:
    """Draw the first frame on white, no larger than it needs to be, turned as the camera meant."""
    image.draft("RGB", (SIDE_MAX, SIDE_MAX))
    if image.has_transparency_data:
        plain = _fitted(image).convert("RGBA")
    else:
        plain = image if image.mode == "RGB" else image.convert("RGB")
    plain.thumbnail((SIDE_MAX, SIDE_MAX))
    plain.getexif()[ORIENTATION] = image.getexif().get(ORIENTATION, 1)
    upright = ImageOps.exif_transpose(plain)
    canvas = Image.new("RGB", upright.size, WHITE)
    canvas.paste(upright, mask=upright.getchannel("A") if upright.mode == "RGBA" else None)
    drawn = BytesIO()
    canvas.save(drawn, "JPEG", quality=QUALITY)
    return Picture(drawn.getvalue(), canvas.width, canvas.height)


def _fitted(image: Image.Image) -> Image.Image:
    """Return a large picture with holes smaller, by the only way that makes no copies of it."""
    share = SIDE_MAX / max(image.size)
    if share >= 1:
        return image
    width, height = (max(1, round(side * share)) for side in image.size)
    return image.resize((width, height), Image.Resampling.NEAREST)


ORIENTATION: Final = 0x0112
"""The EXIF tag that says how the camera was held."""


def add_evidence(
    session: Session, dispute_id: int, picture: Picture, *, actor: Actor, now: datetime
) -> EvidenceFile:
    """Add a picture to an open dispute.

    Raises `DisputeNotFound`, `DisputeNotInState`, `TooMuchEvidence`, `EvidenceRepeated`.
    """
    dispute = disputes.locked_dispute(session, dispute_id)
    disputes.require_open(dispute)
    earlier = disputes.evidence_of(session, dispute_id)
    if any(one.sha256 == picture.sha256 for one in earlier):
        raise EvidenceRepeated
    if len(earlier) >= EVIDENCE_MAX:
        raise TooMuchEvidence(EVIDENCE_MAX)
    row = EvidenceFile(
        dispute_id=dispute_id,
        place=len(earlier) + 1,
        media_type=MEDIA_TYPE,
        width=picture.width,
        height=picture.height,
        sha256=picture.sha256,
        content=picture.content,
        added_by=str(actor),
        added_at=now,
    )
    session.add(row)
    session.flush()
    _record(session, dispute, row, actor=actor, now=now)
    return row


def _record(
    session: Session, dispute: OwnershipDispute, row: EvidenceFile, *, actor: Actor, now: datetime
) -> None:
    store_id = disputes.store_of(session, dispute.customer_id)
    subject = Subject(disputes.SUBJECT_TYPE, dispute.id, store_id)
    after = {"evidence_id": row.id, "place": row.place, "sha256": row.sha256}
    audit.record(session, actor, "evidence_added", subject, Change({}, after), now=now)


def evidence_file(session: Session, dispute_id: int, evidence_id: int) -> EvidenceFile:
    """Return a picture of a dispute with its content; raises `DisputeNotFound` for another's."""
    row = session.scalar(
        sa.select(EvidenceFile)
        .options(undefer(EvidenceFile.content))
        .where(EvidenceFile.id == evidence_id, EvidenceFile.dispute_id == dispute_id)
    )
    if row is None:
        raise DisputeNotFound
    return row

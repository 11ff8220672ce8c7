"""Pictures brought to a dispute: drawn anew as `kernel.pictures` does, kept with their digest."""

from datetime import datetime
from typing import Final

import sqlalchemy as sa
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
from app.kernel import audit, pictures
from app.kernel.audit import Actor, Change, Subject
from app.kernel.pictures import (
    MEDIA_TYPE,
    Bounds,
    Picture,
    PictureTooLarge,
    PictureTooManyPixels,
    PictureUnreadable,
)

PIXELS_MAX: Final = 50_000_000
SIDE_MAX: Final = 2_560
"""Enough to read a photographed receipt, whatever camera took it."""
BOUNDS: Final = Bounds(EVIDENCE_BYTES_MAX, PIXELS_MAX, SIDE_MAX)


def redraw(handed_in: bytes) -> Picture:
    """Decode a JPEG, PNG or WebP and draw it anew, upright, without anything but its pixels.

    Takes up to a second; call it outside a transaction. Raises `EvidenceTooLarge`,
    `EvidenceTooManyPixels`, and `EvidenceUnreadable` for whatever is no whole picture of these
    kinds, judged by its content alone.
    """
    try:
        return pictures.redraw(handed_in, BOUNDS)
    except PictureTooLarge as error:
        raise EvidenceTooLarge(error.limit_mb) from error
    except PictureTooManyPixels as error:
        raise EvidenceTooManyPixels(error.limit_megapixels) from error
    except PictureUnreadable as error:
        raise EvidenceUnreadable from error


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

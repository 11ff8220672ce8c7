"""Pictures are drawn anew, however they were meant; what is none is refused."""

import struct
import zlib
from datetime import datetime
from io import BytesIO

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.attribution import disputes, evidence
from app.attribution.dispute_errors import (
    DisputeNotFound,
    DisputeNotInState,
    EvidenceRepeated,
    EvidenceTooLarge,
    EvidenceTooManyPixels,
    EvidenceUnreadable,
    TooMuchEvidence,
)
from app.attribution.dispute_models import EVIDENCE_BYTES_MAX, EvidenceFile, OwnershipDispute
from app.kernel.audit import AuditRecord
from tests.factories.approvals import Case, as_actor, make_case, open_dispute, picture

COLOURS = ("red", "green", "blue", "black", "white", "yellow")


@pytest.fixture
def case(session: Session) -> Case:
    return make_case(session)


@pytest.fixture
def dispute(session: Session, case: Case, now: datetime) -> OwnershipDispute:
    return open_dispute(session, case, now=now)


def add(session: Session, case: Case, dispute_id: int, raw: bytes, now: datetime) -> EvidenceFile:
    drawn = evidence.redraw(raw)
    return evidence.add_evidence(session, dispute_id, drawn, actor=as_actor(case.maker), now=now)


def places(session: Session) -> list[int]:
    return list(session.scalars(sa.select(EvidenceFile.place).order_by(EvidenceFile.id)))


def png_head(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunk = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 1_000) + b"IDAT" + b"x" * 10


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_each_kind_that_is_taken_becomes_a_plain_jpeg(kind: str) -> None:
    drawn = evidence.redraw(picture(kind=kind))

    with Image.open(BytesIO(drawn.content)) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (40, 30), "RGB")
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<html><script>alert(1)</script></html>",
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00!\xf9\x04\x00\x00\x00\x00\x00",
        b"%PDF-1.7 no picture at all",
        b"PK\x03\x04 a zip",
        b"\xff\xd8\xff\xe0 the head of a JPEG and nothing behind it",
        picture(size=(400, 300), kind="JPEG")[:700],
        picture()[:60],
        png_head(40, 30),
    ],
    ids=["none", "svg", "html", "gif", "pdf", "zip", "jpeg-head", "cut-jpeg", "cut-png", "no-data"],
)
def test_what_is_no_whole_picture_is_refused_whatever_it_is_called(raw: bytes) -> None:
    with pytest.raises(EvidenceUnreadable):
        evidence.redraw(raw)


@pytest.mark.parametrize("size", [(50_001, 1_000), (7_072, 7_072), (20_000, 20_000)], ids=str)
def test_a_bomb_is_refused_before_a_pixel_is_decoded(size: tuple[int, int]) -> None:
    with pytest.raises(EvidenceTooManyPixels):
        evidence.redraw(png_head(*size))


def test_a_file_of_more_than_five_megabytes_is_not_even_looked_at() -> None:
    with pytest.raises(EvidenceTooLarge):
        evidence.redraw(picture() + bytes(EVIDENCE_BYTES_MAX))


def test_nothing_behind_or_beside_the_pixels_survives() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at her home"
    file = BytesIO()
    Image.new("RGB", (30, 10), "red").save(file, "JPEG", exif=exif, comment=b"<script>")
    raw = file.getvalue() + b"<html><script>alert(1)</script>"

    drawn = evidence.redraw(raw)

    assert b"her home" in raw
    for trace in (b"her home", b"Exif", b"script", b"html"):
        assert trace not in drawn.content


def test_a_photo_held_upright_is_stored_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = BytesIO()
    Image.new("RGB", (30, 10), "red").save(file, "JPEG", exif=exif)

    drawn = evidence.redraw(file.getvalue())

    assert (drawn.width, drawn.height) == (10, 30)


def test_a_large_picture_is_made_smaller_and_holes_become_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (4_000, 1_000), (255, 0, 0, 0)).save(file, "PNG")

    drawn = evidence.redraw(file.getvalue())

    assert (drawn.width, drawn.height) == (2_560, 640)
    with Image.open(BytesIO(drawn.content)) as image:
        assert image.getpixel((5, 5)) == (255, 255, 255)


def test_a_dispute_holds_five_pictures_and_no_sixth(
    session: Session, case: Case, dispute: OwnershipDispute, now: datetime
) -> None:
    for colour in COLOURS[:5]:
        add(session, case, dispute.id, picture(colour), now)

    with pytest.raises(TooMuchEvidence):
        add(session, case, dispute.id, picture(COLOURS[5]), now)

    assert places(session) == [1, 2, 3, 4, 5]
    record = session.scalars(
        sa.select(AuditRecord)
        .where(AuditRecord.action == "evidence_added")
        .order_by(AuditRecord.id)
        .limit(1)
    ).one()
    assert record.after["sha256"] == evidence.redraw(picture("red")).sha256


def test_the_same_picture_is_kept_once(
    session: Session, case: Case, dispute: OwnershipDispute, now: datetime
) -> None:
    add(session, case, dispute.id, picture(), now)

    with pytest.raises(EvidenceRepeated):
        add(session, case, dispute.id, picture() + b"behind its end", now)

    assert places(session) == [1]


def test_a_decided_dispute_takes_no_pictures(
    session: Session, case: Case, dispute: OwnershipDispute, now: datetime
) -> None:
    disputes.dismiss_dispute(
        session, dispute.id, actor=as_actor(case.maker), reason="no proof", now=now
    )

    with pytest.raises(DisputeNotInState):
        add(session, case, dispute.id, picture(), now)

    assert places(session) == []


def test_a_picture_is_found_through_its_own_dispute_only(
    session: Session, case: Case, dispute: OwnershipDispute, now: datetime
) -> None:
    other = open_dispute(session, make_case(session), now=now)
    row = add(session, case, dispute.id, picture(), now)

    assert evidence.evidence_file(session, dispute.id, row.id).content.startswith(b"\xff\xd8")
    with pytest.raises(DisputeNotFound):
        evidence.evidence_file(session, other.id, row.id)


@pytest.mark.parametrize(
    "change", ["UPDATE evidence_files SET place = 2", "DELETE FROM evidence_files"]
)
def test_the_database_keeps_pictures_as_they_are(
    session: Session, case: Case, dispute: OwnershipDispute, now: datetime, change: str
) -> None:
    add(session, case, dispute.id, picture(), now)

    with pytest.raises(IntegrityError, match="rows of evidence_files are never changed"):
        session.execute(sa.text(change))

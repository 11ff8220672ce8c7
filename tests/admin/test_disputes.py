"""Disputes in the back office: opened with pictures, read by both sides' facts, decided by two."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from app.approvals.models import Approval
from app.attribution.dispute_models import DisputeState, EvidenceFile, OwnershipDispute
from app.attribution.models import Binding
from app.kernel.audit import AuditRecord
from tests.admin.conftest import Desk
from tests.factories.approvals import CLAIM, Case, make_case, open_dispute, picture
from tests.factories.orders import make_order
from tests.factories.people import make_store

TODAY = datetime.now(UTC)
COLOURS = ("red", "green", "blue", "black", "white", "pink")
BIG = 3 * 1024 * 1024


@pytest.fixture
def case(session: Session) -> Case:
    return make_case(session, name="Contested customer")


@pytest.fixture
def desk(case: Case, sit_down: Callable[..., Desk]) -> Desk:
    return sit_down(staff=case.maker)


def files(*raws: bytes, name: str = "proof.png") -> list[FileStorage]:
    return [FileStorage(BytesIO(raw), name) for raw in raws]


def send(desk: Desk, path: str, fields: dict[str, Any], **query: Any) -> TestResponse:
    """Send a form with files from memory; the client itself would leave large ones open on disk."""
    boundary, body = encode_multipart({"csrf_token": desk.token(), **fields})
    return desk.client.post(
        f"/admin{path}",
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Accept-Language": "en"},
        query_string=query,
    )


def claim_fields(case: Case, **changes: Any) -> dict[str, Any]:
    return {
        "customer_id": str(case.customer.id),
        "claimant_id": str(case.claimant.member_id),
        "claimant_store_id": "",
        "about_at": "2026-03-01T20:00",
        "claim": CLAIM,
    } | changes


def claim(desk: Desk, case: Case, **changes: Any) -> TestResponse:
    return send(desk, "/disputes/form/open/", claim_fields(case, **changes))


def the_dispute(session: Session) -> OwnershipDispute:
    session.expire_all()
    return session.scalars(sa.select(OwnershipDispute)).one()


def pictures(session: Session) -> list[EvidenceFile]:
    return list(session.scalars(sa.select(EvidenceFile).order_by(EvidenceFile.id)))


def count(session: Session, model: type) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


def test_a_dispute_is_opened_with_its_pictures(session: Session, case: Case, desk: Desk) -> None:
    answer = claim(desk, case, pictures=files(picture("red"), picture("blue")))

    row = the_dispute(session)
    assert answer.headers["Location"] == f"/admin/disputes/details/?id={row.id}"
    assert (row.customer_id, row.claimant_id) == (case.customer.id, case.claimant.member_id)
    assert row.about_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert row.opened_by == f"staff:{case.maker.id}"
    assert [one.place for one in pictures(session)] == [1, 2]


def test_the_form_begins_with_the_customer_whose_page_led_here(case: Case, desk: Desk) -> None:
    page = desk.get("/disputes/form/open/", customer=case.customer.id).get_data(as_text=True)

    assert 'data-text="Contested customer' in page


def test_the_page_of_a_customer_leads_to_their_disputes_and_to_a_new_one(
    session: Session, case: Case, desk: Desk, sit_down: Callable[..., Desk]
) -> None:
    begun = f"/admin/disputes/form/open/?customer={case.customer.id}"
    before = desk.get("/members/details/", id=case.customer.id).get_data(as_text=True)
    row = open_dispute(session, case, now=TODAY)
    seen = sit_down("auditor").get("/members/details/", id=case.customer.id).get_data(as_text=True)

    assert begun in before
    assert "Nobody contests who owns this customer." in before
    assert f"/admin/disputes/details/?id={row.id}" in seen
    assert begun not in seen


def test_the_page_tells_claim_owner_touches_orders_and_pictures(
    session: Session, case: Case, desk: Desk
) -> None:
    order = make_order(session, member=case.customer, binding=case.binding)
    claim(desk, case, pictures=files(picture()))
    row = the_dispute(session)

    page = desk.get("/disputes/details/", id=row.id).get_data(as_text=True)

    assert CLAIM in page
    assert "On 2026-03-01 20:00 Contested customer belonged to" in page
    assert "A touch binds for 30 days." in page
    assert order.number in page
    assert f"/admin/disputes/evidence/?id={row.id}&amp;file={pictures(session)[0].id}" in page
    assert "Touches of both sides, newest first" in page


def test_a_picture_is_sent_as_a_file_that_no_browser_runs(
    session: Session, case: Case, desk: Desk
) -> None:
    claim(desk, case, pictures=files(picture() + b"<script>alert(1)</script>", name="x.html"))
    row, one = the_dispute(session), pictures(session)[0]

    answer = desk.get("/disputes/evidence/", id=row.id, file=one.id)

    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="dispute-{row.id}-1.jpg"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_data().startswith(b"\xff\xd8\xff")
    assert b"script" not in answer.get_data()


def test_a_picture_is_sent_to_those_who_see_its_dispute_only(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    case = make_case(session, store=there)
    claim(sit_down("owner"), case, pictures=files(picture()))
    row, one = the_dispute(session), pictures(session)[0]
    mine = open_dispute(session, make_case(session, store=here), now=TODAY)
    foreign = sit_down("store_manager", here)

    answers = [
        foreign.get("/disputes/evidence/", id=row.id, file=one.id),
        foreign.get("/disputes/evidence/", id=mine.id, file=one.id),
        foreign.get("/disputes/evidence/", id=mine.id, file="1 OR 1"),
        sit_down("front_desk", there).get("/disputes/evidence/", id=row.id, file=one.id),
    ]

    assert [one.status_code for one in answers] == [404, 404, 404, 403]


@pytest.mark.parametrize(
    ("raws", "told"),
    [
        ([b"<svg xmlns='http://www.w3.org/2000/svg'/>"], "Only JPEG, PNG and WebP"),
        ([b"<html><script>alert(1)</script>"], "Only JPEG, PNG and WebP"),
        ([picture() + bytes(5 * 1024 * 1024)], "A picture may have at most 5 MB."),
        ([picture(one) for one in COLOURS], "at most 5 pictures"),
        ([picture(), picture()], "This picture has been added already."),
    ],
    ids=["svg", "html", "large", "six", "twice"],
)
def test_bad_evidence_is_told_beside_the_field_and_nothing_is_lost(
    session: Session, case: Case, desk: Desk, raws: list[bytes], told: str
) -> None:
    answer = claim(desk, case, pictures=files(*raws))

    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert 'id="pictures-errors"' in page
    assert told in page
    assert CLAIM in page
    assert (count(session, OwnershipDispute), count(session, EvidenceFile)) == (0, 0)


def test_a_body_beyond_all_pictures_is_refused_unread(
    session: Session, case: Case, desk: Desk
) -> None:
    answer = claim(desk, case, pictures=files(*[bytes(BIG)] * 10))

    assert answer.status_code == 413
    assert count(session, OwnershipDispute) == 0


def test_other_forms_and_other_people_send_no_large_bodies(
    session: Session, case: Case, desk: Desk, sit_down: Callable[..., Desk]
) -> None:
    fields = claim_fields(case, pictures=files(bytes(BIG)))
    elsewhere = send(desk, "/share_codes/form/issue/", {"file": files(bytes(BIG))})
    stranger = send(sit_down("finance"), "/disputes/form/open/", fields)

    assert [elsewhere.status_code, stranger.status_code] == [413, 413]
    assert count(session, OwnershipDispute) == 0


def test_pictures_can_be_added_while_the_dispute_is_open(
    session: Session, case: Case, desk: Desk
) -> None:
    row = open_dispute(session, case, now=TODAY)
    path = "/disputes/form/evidence/"

    none = send(desk, path, {}, id=row.id).get_data(as_text=True)
    send(desk, path, {"pictures": files(picture())}, id=row.id)
    desk.decide("disputes", "dismiss", row.id, reason="no proof")
    send(desk, path, {"pictures": files(picture("blue"))}, id=row.id)

    assert "Please choose a picture." in none
    assert len(pictures(session)) == 1
    assert the_dispute(session).state is DisputeState.DISMISSED


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"claim": "mine"}, "claim"),
        ({"about_at": "2999-01-01T00:00"}, "about_at"),
        ({"claimant_id": ""}, "claimant_id"),
        ({"customer_id": "999999"}, "customer_id"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_claim_that_is_wrong_says_where(
    session: Session, case: Case, desk: Desk, changes: dict[str, str], field: str
) -> None:
    page = claim(desk, case, **changes).get_data(as_text=True)

    assert f'id="{field}-errors"' in page
    assert count(session, OwnershipDispute) == 0


def test_a_dispute_is_upheld_by_a_colleague_at_another_desk(
    session: Session, case: Case, desk: Desk, sit_down: Callable[..., Desk]
) -> None:
    row = open_dispute(session, case, now=TODAY)
    before = make_order(session, member=case.customer, binding=case.binding)
    desk.post(
        "/disputes/form/uphold/",
        {"way": "ask", "reason": "the scan was hers"},
        query_string={"id": row.id},
    )
    request = session.scalars(sa.select(Approval)).one()
    colleague = sit_down(staff=case.checker)
    page = colleague.get("/approvals/details/", id=request.id).get_data(as_text=True)

    colleague.decide("approvals", "approve", request.id)

    assert CLAIM in page
    assert the_dispute(session).state is DisputeState.UPHELD
    owners = session.scalars(
        sa.select(Binding.owner_id)
        .where(Binding.customer_id == case.customer.id)
        .order_by(Binding.id)
    ).all()
    assert owners == [case.owner.member_id, case.claimant.member_id]
    session.refresh(before)
    assert before.owner_id == case.owner.member_id
    actions = set(session.scalars(sa.select(AuditRecord.action)))
    assert {"dispute_upheld", "binding_transferred", "approval_approved"} <= actions


def test_a_store_manager_opens_and_withdraws_but_decides_nothing(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    store = make_store(session)
    case = make_case(session, store=store)
    manager = sit_down("store_manager", store)

    claim(manager, case)
    row = the_dispute(session)
    dismissed = manager.decide("disputes", "dismiss", row.id, reason="mine anyway")
    upheld = manager.get("/disputes/form/uphold/", id=row.id)
    manager.decide("disputes", "withdraw", row.id, reason="found out more")

    assert [dismissed.status_code, upheld.status_code] == [403, 403]
    assert the_dispute(session).state is DisputeState.WITHDRAWN


def test_markup_in_a_claim_is_shown_as_text(session: Session, case: Case, desk: Desk) -> None:
    claim(desk, case, claim="<script>alert(1)</script> is what she said")
    row = the_dispute(session)

    for path in ("/disputes/details/", "/disputes/"):
        page = desk.get(path, id=row.id).get_data(as_text=True)
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)" in page

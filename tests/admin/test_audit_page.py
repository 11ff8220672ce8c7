"""The audit trail can be searched by people, read by people, and proven whole."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel import audit, audit_checks
from app.kernel.audit import Actor, AuditRecord, Change, Subject
from app.kernel.audit_checks import AuditCheck
from app.kernel.db import atomic
from tests.admin.conftest import Desk
from tests.admin.pages import text_of
from tests.factories.people import make_distributor, make_member, make_staff, make_store


def write(
    session: Session, now: datetime, reason: str, *, action: str = "product_put", **facts: Any
) -> AuditRecord:
    """Write one row; `actor`, `subject`, `before` and `after` may be said."""
    change = Change(facts.get("before", {}), facts.get("after", {}), reason)
    subject = facts.get("subject", Subject("product", 1))
    actor = facts.get("actor", Actor("system"))
    audit.record(session, actor, action, subject, change, now=now)
    session.commit()
    newest = sa.select(AuditRecord).order_by(AuditRecord.id.desc()).limit(1)
    return session.scalars(newest).one()


def page_of(desk: Desk, **query: Any) -> str:
    return text_of(desk.get("/audit/", **query))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"staff": "WHO"}, {"by somebody"}),
        ({"staff": "system"}, {"by the machine", "about a store"}),
        ({"staff": "member"}, {"by a customer"}),
        ({"staff": "999999999"}, set()),
        ({"action": "payout.approved"}, {"by somebody"}),
        ({"action": "no.such.action"}, set()),
        ({"type": "store"}, {"about a store"}),
        ({"type": "store", "subject": "77"}, {"about a store"}),
        ({"type": "store", "subject": "78"}, set()),
        ({"store": "STORE"}, {"about a store"}),
        ({"at_from": "2026-03-02"}, {"by a customer"}),
        ({"at_to": "2026-03-01"}, {"by somebody", "by the machine", "about a store"}),
        ({"search": "somebody"}, {"by somebody"}),
        ({"search": "by_"}, set()),
        ({"search": "BY", "staff": "system"}, {"by the machine"}),
    ],
)
def test_the_trail_is_narrowed_by_person_action_thing_store_day_and_words(
    session: Session, now: datetime, owner: Desk, query: dict[str, str], shown: set[str]
) -> None:
    somebody, store = make_staff(session, "finance", name="Somebody"), make_store(session)
    about = Subject("store", 77, store.id)
    write(session, now, "by somebody", action="payout.approved", actor=Actor("staff", somebody.id))
    write(session, now, "by the machine")
    write(session, now, "about a store", action="store_created", subject=about)
    write(session, now + timedelta(days=1), "by a customer", actor=Actor("member", somebody.id))
    named = {"WHO": str(somebody.id), "STORE": str(store.id)}

    page = page_of(owner, **{name: named.get(text, text) for name, text in query.items()})

    all_of_them = {"by somebody", "by the machine", "about a store", "by a customer"}
    rows = page.partition("<tbody>")[2]
    assert {one for one in all_of_them if one in rows} == shown


def test_actions_and_things_are_offered_in_words(session: Session, owner: Desk) -> None:
    page = page_of(owner)

    assert '<option value="payout.approved" >Payout approved</option>' in page
    assert '<option value="plan_version" >Plan version</option>' in page


def test_what_changed_is_read_value_by_value_with_names_units_and_links(
    session: Session, now: datetime, owner: Desk
) -> None:
    seller = make_distributor(session, make_member(session, nickname="Wang Xiaoming"))
    row = write(
        session,
        now,
        "why",
        action="order_completed",
        subject=Subject("order", 1),
        before={"state": "created", "amount_fen": 1_250, "owner_id": seller.member_id, "odd": None},
        after={
            "state": "paid",
            "amount_fen": 129_900,
            "rate_bp": 1_250,
            "effective_at": "2026-03-02T04:00:00+00:00",
            "binding_soft_seconds": 86_400,
            "odd": {"unheard of": [1, 2]},
            "second_by": "system",
            "told": "<b>bold</b>",
        },
    )

    page = owner.get("/audit/details/", id=row.id).get_data(as_text=True)

    for text in (
        "Waiting for payment",
        "¥12.50",
        "¥1,299.00",
        "12.5%",
        "2026-03-02 12:00",
        "How long a touch binds",
        "1 day",
        "unheard of",
        "1, 2",
        "&lt;b&gt;bold&lt;/b&gt;",
        f'href="/admin/distributors/details/?id={seller.member_id}">Wang Xiaoming',
    ):
        assert text in page, text
    assert "<b>bold" not in page


def test_the_page_of_a_row_leads_to_its_own_trail(
    session: Session, now: datetime, owner: Desk, sit_down: Callable[..., Desk]
) -> None:
    member = make_member(session)
    write(session, now, "about her", action="phone_revealed", subject=Subject("member", member.id))
    link = f"/admin/audit/?type=member&subject={member.id}"

    assert link in text_of(owner.get("/members/details/", id=member.id))
    assert "about her" in page_of(owner, type="member", subject=member.id)
    desk = sit_down("operations")
    assert "/admin/audit/" not in text_of(desk.get("/members/details/", id=member.id))


def test_the_trail_is_paged_by_its_place(session: Session, now: datetime, owner: Desk) -> None:
    for number in range(30):
        write(session, now, f"reason {number:02}")

    first = page_of(owner)
    last_shown = session.scalars(
        sa.select(AuditRecord.id).where(AuditRecord.reason == "reason 05")
    ).one()
    second = page_of(owner, after=last_shown)

    assert "reason 29" in first
    assert "reason 05" in first
    assert "reason 04" not in first
    assert "reason 04" in second
    assert "reason 05" not in second


def test_somebody_asks_whether_the_trail_is_whole_and_reads_the_answer(
    session: Session, now: datetime, owner: Desk
) -> None:
    write(session, now, "one")
    write(session, now, "two")

    answer = owner.post("/audit_checks/form/new/")

    check = session.scalars(sa.select(AuditCheck)).one()
    assert answer.headers["Location"].endswith(f"/audit_checks/details/?id={check.id}")
    assert "Looking" in text_of(owner.get("/audit_checks/details/", id=check.id))
    asked = owner.get("/audit_checks/status/", id=check.id).get_json()
    assert asked == {"progress_bp": 0, "is_open": True}
    with atomic() as inner:
        audit_checks.advance(inner, now=now)
    page = text_of(owner.get("/audit_checks/details/", id=check.id))
    assert "Whole" in page
    session.refresh(check)
    assert (check.asked_by, check.seen_count, check.broken_count) == (
        f"staff:{owner.staff_id}",
        2,
        0,
    )
    assert check.seen_hash in page


def test_staff_of_one_store_do_not_look_over_the_whole_trail(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    desk = sit_down("auditor", make_store(session))

    assert "Is the trail whole?" not in page_of(desk)
    assert desk.get("/audit_checks/status/", id=1).status_code == 404
    assert desk.post("/audit_checks/form/new/").status_code == 403
    assert session.scalars(sa.select(AuditCheck)).all() == []

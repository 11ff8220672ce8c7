"""Decisions about many rows: each told of by itself, each request checked, nothing done twice."""

import re
from collections.abc import Callable
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from admin import decisions
from app.members.models import Distributor, Standing
from app.stores.models import Staff
from tests.admin.conftest import Desk
from tests.factories.people import make_distributor, make_store

ROW: Final = re.compile(r'name="rowid" value="(\d+)"')
RESULT: Final = re.compile(r'<span class="badge (good|bad|calm)">')


def applicants(session: Session, count: int, **more: Any) -> list[int]:
    """Return the ids of distributors who wait for a decision, newest first."""
    rows = [make_distributor(session, standing=Standing.APPLIED, **more) for _ in range(count)]
    session.commit()
    return [row.member_id for row in reversed(rows)]


def standings(session: Session, ids: list[int]) -> list[Standing]:
    session.expire_all()
    return [session.get_one(Distributor, key).standing for key in ids]


def chunk(desk: Desk, name: str, *ids: int, **fields: Any) -> Any:
    return desk.decide("distributors", name, *ids, chunk="1", **fields)


def test_without_scripts_a_decision_ends_on_a_page_with_a_line_for_each_row(
    session: Session, owner: Desk
) -> None:
    ids = applicants(session, 3)
    owner.decide("distributors", "approve", ids[0])

    answer = owner.decide("distributors", "approve", *ids, 999_999_999)

    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert sorted(RESULT.findall(text)) == ["bad", "calm", "good", "good"]
    assert "Done: 2 · Refused: 1 · Not found: 1" in text
    assert standings(session, ids) == [Standing.ACTIVE] * 3


def test_a_chunk_answers_with_what_came_of_each_row(session: Session, owner: Desk) -> None:
    done, refused = applicants(session, 2)
    owner.decide("distributors", "approve", refused)

    answer = chunk(owner, "approve", done, refused, 999_999_999)

    rows = {row["id"]: row for row in answer.get_json()["rows"]}
    assert [rows[str(key)]["outcome"] for key in (done, refused, 999_999_999)] == [
        "done",
        "refused",
        "missing",
    ]
    assert rows[str(done)]["url"] == f"/admin/distributors/details/?id={done}"
    assert rows[str(refused)]["why"]
    assert standings(session, [done, refused]) == [Standing.ACTIVE, Standing.ACTIVE]


def test_a_row_that_was_done_says_so_the_second_time_and_stays(
    session: Session, owner: Desk
) -> None:
    [key] = applicants(session, 1)
    chunk(owner, "approve", key)

    [row] = chunk(owner, "approve", key).get_json()["rows"]

    assert row["outcome"] == "refused"
    assert standings(session, [key]) == [Standing.ACTIVE]


def test_a_chunk_without_the_reason_that_is_due_does_nothing_and_says_what_is_missing(
    session: Session, owner: Desk
) -> None:
    ids = applicants(session, 2)

    answer = chunk(owner, "refuse", *ids)

    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["Reason"]
    assert standings(session, ids) == [Standing.APPLIED] * 2


def test_every_chunk_asks_anew_whether_the_person_may(session: Session, owner: Desk) -> None:
    first, second = applicants(session, 2)
    assert chunk(owner, "approve", first).status_code == 200
    session.execute(sa.update(Staff).where(Staff.id == owner.staff_id).values(active=False))
    session.commit()

    answer = chunk(owner, "approve", second)

    assert answer.status_code in {302, 400, 403}
    assert standings(session, [first, second]) == [Standing.ACTIVE, Standing.APPLIED]


def test_a_chunk_without_the_permission_is_refused(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    [key] = applicants(session, 1)

    assert chunk(sit_down("auditor"), "approve", key).status_code == 403
    assert standings(session, [key]) == [Standing.APPLIED]


def test_a_chunk_without_the_token_is_refused(session: Session, owner: Desk) -> None:
    [key] = applicants(session, 1)

    answer = owner.client.post(
        "/admin/distributors/action/",
        data={"action": "approve", "confirmed": "1", "chunk": "1", "rowid": key},
    )

    assert answer.status_code == 400
    assert standings(session, [key]) == [Standing.APPLIED]


def test_rows_of_another_store_are_not_found_in_a_chunk(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    [mine] = applicants(session, 1, store_id=here.id)
    [foreign] = applicants(session, 1, store_id=there.id)
    desk = sit_down("operations", here)

    rows = chunk(desk, "approve", mine, foreign).get_json()["rows"]

    assert [(row["id"], row["outcome"]) for row in rows] == [
        (str(mine), "done"),
        (str(foreign), "missing"),
    ]
    assert rows[1]["title"] == f"#{foreign}"
    assert standings(session, [mine, foreign]) == [Standing.ACTIVE, Standing.APPLIED]


@pytest.mark.parametrize(
    ("more", "most"), [({"chunk": "1"}, decisions.CHUNK), ({}, decisions.AT_ONCE_MAX)]
)
def test_a_request_takes_only_so_many_rows(
    session: Session, owner: Desk, more: dict[str, str], most: int
) -> None:
    answer = owner.decide("distributors", "approve", *range(1, most + 2), **more)

    assert answer.status_code == 413


def test_all_rows_that_match_are_those_of_the_filters_in_the_address(
    session: Session, owner: Desk
) -> None:
    waiting = applicants(session, 3)
    make_distributor(session, standing=Standing.FROZEN)
    session.commit()

    page = owner.post(
        "/distributors/action/?standing=applied", {"action": "approve", "all": "1"}
    ).get_data(as_text=True)

    assert [int(key) for key in ROW.findall(page)] == sorted(waiting)
    assert standings(session, waiting) == [Standing.APPLIED] * 3


def test_all_rows_that_match_are_within_the_stores_of_the_person(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    mine = applicants(session, 2, store_id=here.id)
    applicants(session, 2, store_id=there.id)
    desk = sit_down("operations", here)

    page = desk.post("/distributors/action/", {"action": "approve", "all": "1"})

    assert [int(key) for key in ROW.findall(page.get_data(as_text=True))] == sorted(mine)


def test_more_rows_than_can_be_decided_together_are_the_newest_and_the_page_says_so(
    session: Session, owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = applicants(session, 4)
    monkeypatch.setattr(decisions, "ROWS_MAX", 3)

    page = owner.post("/distributors/action/", {"action": "approve", "all": "1"}).get_data(
        as_text=True
    )

    assert [int(key) for key in ROW.findall(page)] == sorted(waiting[:3])
    assert "these are the newest 3." in page


def test_what_was_confirmed_is_done_and_not_what_matches_by_then(
    session: Session, owner: Desk
) -> None:
    confirmed = applicants(session, 2)
    later = applicants(session, 1)

    owner.decide("distributors", "approve", *confirmed, all="1")

    assert standings(session, [*confirmed, *later]) == [
        Standing.ACTIVE,
        Standing.ACTIVE,
        Standing.APPLIED,
    ]


def test_a_long_selection_shows_its_first_rows_and_how_many_follow(
    session: Session, owner: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = applicants(session, 5)
    monkeypatch.setattr(decisions, "ROWS_SHOWN", 2)

    page = owner.post("/distributors/action/", {"action": "approve", "rowid": ids}).get_data(
        as_text=True
    )

    assert len(ROW.findall(page)) == 5
    assert "and 3 more rows" in page
    assert f'data-chunk="{decisions.CHUNK}"' in page

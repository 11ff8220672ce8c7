"""Poster templates in the back office: what staff can make, see and publish."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from admin.poster_forms import begin
from app.kernel.audit import AuditRecord
from app.members.avatar_models import DoubtfulNickname
from app.members.models import Member
from app.posters import services
from app.posters.models import PosterTemplate, PosterVersion
from app.posters.states import PosterState
from tests.admin.conftest import Desk
from tests.factories.people import make_member, make_store
from tests.factories.posters import NOON, background, make_template

NEW = "/poster_templates/form/new/"


def filled(template: PosterTemplate, session: Session, **more: Any) -> dict[str, Any]:
    """Return what the form of a template holds, as a browser sends it."""
    version = services.version_of(session, template.id, template.version)
    values = begin(template, version) | more
    sent = {name: value for name, value in values.items() if value not in (None, False, [])}
    return {name: "y" if value is True else value for name, value in sent.items()}


def post(desk: Desk, path: str, data: dict[str, Any], picture: bytes | None = None) -> Any:
    """Send a form with a picture."""
    files = {"picture": FileStorage(io.BytesIO(picture), "x.png")} if picture is not None else {}
    boundary, body = encode_multipart({"csrf_token": desk.token()} | data | files)
    kind = f"multipart/form-data; boundary={boundary}"
    return desk.client.post(f"/admin{path}", data=body, content_type=kind)


def test_a_poster_is_set_up_as_a_draft(session: Session, owner: Desk) -> None:
    pattern = make_template(session)
    data = filled(pattern, session, name="夏日") | {"based_on": ""}

    answer = post(owner, NEW, data, background())

    made = session.scalars(sa.select(PosterTemplate).where(PosterTemplate.name == "夏日")).one()
    assert answer.status_code == 302
    assert (made.state, made.version, made.published_version) == (PosterState.DRAFT, 1, None)
    assert (
        services.version_of(session, made.id, 1).layout
        == services.version_of(session, pattern.id, 1).layout
    )


def test_another_look_is_another_version_and_the_same_is_none(
    session: Session, owner: Desk
) -> None:
    row = make_template(session)
    path = f"/poster_templates/form/edit/?id={row.id}"

    post(owner, path, filled(row, session, name="Renamed"))
    session.expire_all()
    renamed = (row.name, row.version)
    post(owner, path, filled(row, session, headline_zh="新的"))
    session.expire_all()

    assert renamed == ("Renamed", 1)
    assert (row.version, row.published_version) == (2, 1)
    assert services.version_of(session, row.id, 2).layout["headline"]["zh"] == "新的"


def test_who_edited_an_older_version_overwrites_nothing(session: Session, owner: Desk) -> None:
    row = make_template(session)
    path = f"/poster_templates/form/edit/?id={row.id}"
    opened = filled(row, session, headline_zh="晚")
    post(owner, path, filled(row, session, headline_zh="早"))

    late = post(owner, path, opened)
    session.expire_all()

    assert late.status_code == 200
    assert row.version == 2
    assert services.version_of(session, row.id, 2).layout["headline"]["zh"] == "早"


@pytest.mark.parametrize(
    ("more", "picture"),
    [
        ({"headline_left": 990}, background()),
        ({"headline_colour": "red"}, background()),
        ({"code_side": 100}, background()),
        ({"kind": "guest_card"}, background()),
        ({"name": " "}, background()),
        ({}, None),
        ({}, b"<svg onload='x()'/>"),
        ({}, background((600, 200))),
    ],
    ids=["outside", "colour", "small-code", "no-page", "no-name", "none", "svg", "wide"],
)
def test_what_cannot_be_drawn_is_not_kept(
    session: Session, owner: Desk, more: dict[str, Any], picture: bytes | None
) -> None:
    data = filled(make_template(session), session) | {"based_on": ""} | more

    answer = post(owner, NEW, data, picture)

    assert answer.status_code == 200
    assert session.scalar(sa.select(sa.func.count()).select_from(PosterTemplate)) == 1
    assert session.scalar(sa.select(sa.func.count()).select_from(PosterVersion)) == 1


def test_the_preview_is_drawn_from_the_form_and_keeps_nothing(
    session: Session, owner: Desk
) -> None:
    row = make_template(session)
    path = f"/poster_templates/preview/?id={row.id}"

    drawn = post(owner, path, filled(row, session, headline_zh="新")).get_json()
    wrong = post(owner, path, filled(row, session, headline_left=990)).get_json()

    assert drawn["picture"].startswith("data:image/jpeg;base64,")
    assert set(wrong) == {"problem"}
    session.expire_all()
    assert row.version == 1


def test_a_poster_is_published_retired_and_brought_back(session: Session, owner: Desk) -> None:
    row = make_template(session, is_published=False)
    states = []

    for action in ("publish", "retire", "publish"):
        owner.decide("poster_templates", action, row.id)
        session.expire_all()
        states.append(row.state.value)

    actions = session.scalars(
        sa.select(AuditRecord.action).order_by(AuditRecord.id.desc()).limit(3)
    ).all()
    assert states == ["published", "retired", "published"]
    assert actions == ["poster_published", "poster_retired", "poster_published"]


def test_staff_of_a_store_see_what_is_drawn_there(
    session: Session, sit_down: Callable[..., Desk]
) -> None:
    here, there = make_store(session), make_store(session)
    ours = make_template(session, name="Ours", store_ids=[here.id, there.id])
    make_template(session, name="Brand")
    make_template(session, name="Theirs", store_ids=[there.id])
    manager = sit_down("store_manager", here)

    page = manager.get("/poster_templates/").get_data(as_text=True)
    picture = manager.get(f"/poster_templates/picture/?id={ours.id}")

    assert ("Ours" in page, "Brand" in page, "Theirs" in page) == (True, True, False)
    assert Image.open(io.BytesIO(picture.data)).size == (750, 1334)


def test_staff_let_a_doubtful_nickname_be_shown_or_take_it_away(
    session: Session, owner: Desk
) -> None:
    fine, rude = (make_member(session, nickname=name) for name in ("Fine", "Rude"))
    for member in (fine, rude):
        session.add(DoubtfulNickname(member_id=member.id, found_at=NOON))
    session.flush()

    for action, member in (("clear", fine), ("erase", rude)):
        owner.decide("nicknames", action, member.id)
    session.expire_all()

    assert session.scalars(sa.select(DoubtfulNickname.member_id)).all() == []
    names = session.scalars(sa.select(Member.nickname).where(Member.id.in_([fine.id, rude.id])))
    assert set(names) == {"Fine", ""}

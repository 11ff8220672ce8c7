"""What the caller may ask about their own data: a copy, and its erasure (PIPL art. 45, 47)."""

from datetime import datetime
from typing import Self

from flask import Response
from sqlalchemy.orm import Session

from app.access import settings
from app.kernel.db import db
from app.members import services as members
from app.privacy import queries, services
from app.privacy.models import PrivacyRequest
from app.privacy.states import RequestKind, RequestState
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import actor, caller
from miniprogram_api.fields import Body, View, example
from miniprogram_api.keyed import Kept, once
from miniprogram_api.routing import Group

group = Group("data-requests", about="A copy of the caller's own data, and its erasure.")

ZIP = "application/zip"


class DataRequestBody(Body):
    """What is asked for."""

    model_config = Body.model_config | example({"kind": "copy"})

    kind: RequestKind


class DataRequestView(View):
    """One request. An erasure is carried out at `due_at` and can be withdrawn until then.

    `obstacles` are codes of what has to be settled first; it is tried again each day.
    """

    model_config = View.model_config | example(
        {
            "id": 3,
            "kind": "erasure",
            "state": "waiting",
            "requested_at": "2026-11-22T12:00:00Z",
            "due_at": "2026-11-29T12:00:00Z",
            "ended_at": None,
            "obstacles": [],
            "copy_until_at": None,
        }
    )

    id: int
    kind: RequestKind
    state: RequestState
    requested_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    obstacles: list[str]
    copy_until_at: datetime | None

    @classmethod
    def of(cls, row: PrivacyRequest, *, copy_until_at: datetime | None = None) -> Self:
        """Show a request."""
        return cls(
            id=row.id,
            kind=row.kind,
            state=row.state,
            requested_at=row.requested_at,
            due_at=row.due_at,
            ended_at=row.ended_at,
            obstacles=list(row.obstacles),
            copy_until_at=copy_until_at,
        )


class DataRequestsView(View):
    """The caller's requests, the newest first."""

    items: list[DataRequestView]


@group.operation("GET", "/me/data-requests")
def list_data_requests() -> DataRequestsView:
    """List what the caller asked about their own data, the newest first."""
    found = queries.requests_of(db.session(), caller().member_id)
    return DataRequestsView(
        items=[DataRequestView.of(row, copy_until_at=until_at) for row, until_at in found]
    )


@group.operation("POST", "/me/data-requests", status=201)
def ask_about_data(body: DataRequestBody) -> Kept[DataRequestView]:
    """Ask for a copy of one's own data, or for its erasure. Needs a fresh sign-in.

    An erasure is refused while an order, a refund, commission, money or a dispute is open, and
    waits for a week in which it can be withdrawn. Whoever bought or had a guest card is recognised
    by keyed hashes for a time that the brand sets, so that nothing for new customers is had twice;
    tell the customer so before they ask for it.
    """
    now, who = moment(), caller()

    def act(session: Session) -> DataRequestView:
        members.require_fresh(who.signed_in_at, settings=settings(), now=now)
        wish = services.Wish(who.member_id, body.kind)
        row = services.ask(session, wish, actor=actor(), settings=settings(), now=now)
        return DataRequestView.of(row)

    return once(act, body, now=now)


@group.operation("DELETE", "/me/data-requests/<id:data_request_id>")
def withdraw_data_request(data_request_id: int) -> None:
    """Take a request back that was not carried out yet."""
    now, who, by = moment(), caller(), actor()
    at_once(
        lambda session: services.withdraw(
            session, data_request_id, actor=by, now=now, member_id=who.member_id
        )
    )


@group.operation("POST", "/me/data-requests/<id:data_request_id>/copy", produces=ZIP)
def fetch_data_copy(data_request_id: int) -> Response:
    """Fetch the copy made for a request, as a ZIP archive. Needs a fresh sign-in; is recorded."""
    now, who, by = moment(), caller(), actor()

    def act(session: Session) -> bytes:
        members.require_fresh(who.signed_in_at, settings=settings(), now=now)
        return services.take_copy(
            session, data_request_id, actor=by, now=now, member_id=who.member_id
        )

    response = Response(at_once(act), mimetype=ZIP)
    response.headers["Content-Disposition"] = (
        f'attachment; filename="my-data-{data_request_id}.zip"'
    )
    response.headers["Cache-Control"] = "no-store"
    return response

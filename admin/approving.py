"""Asking a colleague at another desk, from any form that takes two people."""

from collections.abc import Callable
from typing import Any

from flask import current_app, flash, redirect, url_for
from werkzeug.wrappers import Response

from admin.actions import joined
from admin.decisions import Act
from admin.i18n import gettext
from app.approvals import services
from app.approvals.contract import Topic
from app.approvals.errors import Overtaken
from app.approvals.models import Approval, ApprovalState

Run = Callable[[Any, Act], str | None]


def or_ask(
    run: Run, topic: Callable[[Any, Any], Topic] | None = None
) -> Callable[[Any, Act], str | Response | None]:
    """Let the form of `run` (a `SecondPersonForm` with a kind) also be sent to a colleague.

    `topic` makes the subject and what is asked for from row and form; where it is left out, the
    subject is the row itself and the form says the payload.
    """

    def act_or_ask(row: Any, act: Act) -> str | Response | None:
        if not act.form.asks_colleague:
            return run(row, act)
        about = topic(row, act.form) if topic else topic_of_row(row, act.form)
        asked = joined(
            services.ask,
            act.form.kind,
            about,
            actor=act.actor,
            reason=act.form.reason.data.strip(),
            now=act.now,
        )
        return on_its_way(asked.id)

    return act_or_ask


def topic_of_row(row: Any, form: Any) -> Topic:
    """Return a row with an id of its own as the subject of what a form asks for."""
    return Topic(row.id, form.payload(row))


def topic_of_member(row: Any, form: Any) -> Topic:
    """Return a row that is known by its member's id as the subject of what a form asks for."""
    return Topic(row.member_id, form.payload(row))


def on_its_way(approval_id: int) -> Response:
    """Tell that nothing happened yet, and show the request."""
    flash(
        gettext("Nothing has changed yet: the request waits until a colleague decides it."),
        "warning",
    )
    view = current_app.extensions["backoffice"]["approvals"]
    if not view.is_accessible():
        return redirect(url_for("admin.index"))
    return redirect(url_for("approvals.details_view", id=approval_id))


def approve(key: int, act: Act) -> None:
    """Agree to a request; raise `Overtaken` where it ended without anything being done."""
    ended: Approval = joined(
        services.approve, key, actor=act.actor, reason=act.form.note.data or "", now=act.now
    )
    if ended.state is ApprovalState.EXPIRED:
        raise Overtaken("expired")
    if ended.state is ApprovalState.VOID:
        raise Overtaken("asker" if ended.facts_found is None else "changed")

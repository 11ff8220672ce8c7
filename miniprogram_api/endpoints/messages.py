"""Messages to the caller: which they allow, and which of a campaign they opened."""

from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from app.interactions import campaigns, messages
from app.interactions.occasions import OCCASIONS
from app.kernel.db import db
from miniprogram_api.acting import at_once, moment
from miniprogram_api.auth import caller
from miniprogram_api.fields import Body, RowId, View, example
from miniprogram_api.keyed import Kept, once
from miniprogram_api.routing import Group

group = Group("messages", about="Subscribe messages: permissions and clicks.")

TemplateId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_\-]{20,64}$")]
ASKED_MAX = 3
"""WeChat asks for three templates at a time."""


class SubscriptionView(View):
    """An occasion, WeChat's template to ask permission for, and what is left of it."""

    occasion: str
    template_id: str
    left: int


class SubscriptionsView(View):
    """What the mini-program can ask permission for."""

    model_config = View.model_config | example(
        {"items": [{"occasion": "order_paid", "template_id": "a" * 43, "left": 1}]}
    )

    items: list[SubscriptionView]


class TapsBody(Body):
    """What `wx.requestSubscribeMessage` answered for each template."""

    model_config = Body.model_config | example({"answers": {"a" * 43: "accept"}})

    answers: Annotated[
        dict[TemplateId, Literal["accept", "reject", "ban", "filter"]],
        Field(min_length=1, max_length=ASKED_MAX),
    ]


class ClickBody(Body):
    """The campaign that a message carried in its page (`cm`)."""

    model_config = Body.model_config | example({"campaign_id": 5})

    campaign_id: RowId


@group.operation("GET", "/me/subscriptions")
def list_subscriptions() -> SubscriptionsView:
    """List what the caller can be written about, and how many messages they still allow."""
    return _show(db.session(), caller().member_id)


@group.operation("POST", "/me/subscriptions")
def note_subscriptions(body: TapsBody) -> Kept[SubscriptionsView]:
    """Report the answer to one question for permission; each "accept" allows one message."""
    now, who = moment(), caller()
    answers = {one: answer == "accept" for one, answer in body.answers.items()}

    def act(session: Session) -> SubscriptionsView:
        messages.note_answers(session, who.member_id, answers, now=now)
        return _show(session, who.member_id)

    return once(act, body, now=now)


@group.operation("POST", "/me/campaign-clicks")
def note_campaign_click(body: ClickBody) -> None:
    """Report that the caller came by a campaign's message. Again, or of another, does nothing."""
    now, who = moment(), caller()
    at_once(lambda session: campaigns.note_click(session, body.campaign_id, who.member_id, now=now))


def _show(session: Session, member_id: int) -> SubscriptionsView:
    found = messages.asked_for(session, list(OCCASIONS))
    left = messages.left_of(session, member_id)
    return SubscriptionsView(
        items=[
            SubscriptionView(occasion=key, template_id=one, left=left.get(one, 0))
            for key, one in sorted(found.items())
        ]
    )

"""Reviews, questionnaires and permissions for messages, by phone."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from app.interactions import questionnaires
from app.interactions.audience_models import CampaignRecipient
from app.interactions.message_models import MessagePermission
from app.interactions.questionnaires import QuestionnaireDraft
from app.interactions.review_models import Review
from app.interactions.states import ReviewState
from app.kernel.clock import utc_now
from app.orders.states import OrderState
from scripts.sandbox.client import SandboxClient
from tests.api.conftest import Phone, assert_problem, new_key, nothing_moves
from tests.factories.interactions import (
    actor_of,
    make_campaign,
    make_review,
    make_template,
    wechat_id,
)
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_staff


@pytest.fixture
def buyer(
    session: Session, sandbox: SandboxClient, phone_of: Callable[..., Phone]
) -> tuple[Phone, int, int]:
    """Somebody who just received something: their phone, the order line, the product."""
    member = make_member(session, openid=sandbox.user(), nickname="小红")
    order = make_order(session, member=member, state=OrderState.COMPLETED, now=utc_now())
    line = order.lines[0]
    found = line.id, line.product_id
    phone = phone_of(member)
    session.commit()
    return phone, *found


def picture() -> io.BytesIO:
    drawn = io.BytesIO()
    Image.new("RGB", (30, 20), (200, 30, 60)).save(drawn, "PNG")
    drawn.seek(0)
    return drawn


def test_a_review_is_written_shown_edited_once_and_rated(
    buyer: tuple[Phone, int, int], phone: Phone
) -> None:
    own, line_id, product_id = buyer
    body = {"order_line_id": line_id, "stars": 4, "text": "安静"}

    written = own.post("/me/reviews", body)
    read = phone.get(f"/products/{product_id}/reviews").get_json()

    assert (written.status_code, written.get_json()["state"]) == (201, "shown")
    assert (read["count"], read["mean_hundredths"]) == (1, 400)
    assert (read["items"][0]["author"], read["items"][0]["text"]) == ("小***", "安静")
    assert_problem(own.post("/me/reviews", body), 409, "review_exists")
    path = f"/me/reviews/{written.get_json()['id']}"
    changed = own.put(path, {"stars": 2, "text": "", "name": "left_out"}).get_json()
    assert (changed["stars"], changed["is_anonymous"], changed["can_edit"]) == (2, True, False)
    assert_problem(own.put(path, {"stars": 5}), 409, "review_edited")
    assert phone.get(f"/products/{product_id}/reviews").get_json()["items"][0]["author"] is None


@pytest.mark.parametrize("stars", [0, 6, -1, 10**20, "5", 4.0, None, True])
def test_stars_are_one_to_five(session: Session, buyer: tuple[Phone, int, int], stars: Any) -> None:
    own, line_id, _ = buyer

    with nothing_moves(session):
        answer = own.post("/me/reviews", {"order_line_id": line_id, "stars": stars})

    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_request")


def test_a_text_that_must_not_be_published_is_refused(
    session: Session, buyer: tuple[Phone, int, int]
) -> None:
    own, line_id, _ = buyer

    answer = own.post("/me/reviews", {"order_line_id": line_id, "stars": 1, "text": "gambling"})

    assert_problem(answer, 422, "content_refused")
    assert session.scalars(sa.select(Review)).all() == []


def test_a_picture_waits_and_is_seen_by_its_author_only(
    buyer: tuple[Phone, int, int], phone: Phone
) -> None:
    own, line_id, product_id = buyer
    review_id = own.post("/me/reviews", {"order_line_id": line_id, "stars": 5}).get_json()["id"]

    added = own.post(
        f"/me/reviews/{review_id}/pictures",
        data={"picture": (picture(), "x.png")},
        content_type="multipart/form-data",
    )

    assert (added.status_code, added.get_json()) == (201, {"position": 1})
    mine = own.get("/me/reviews").get_json()["items"][0]
    assert mine["state"] == "waiting"
    path = f"/review-pictures/{mine['pictures'][0]}"
    assert own.get(path).mimetype == "image/jpeg"
    assert_problem(phone.get(path), 404, "interaction_not_found")
    assert phone.get(f"/products/{product_id}/reviews").get_json()["items"] == []


def test_reviews_that_wait_or_are_hidden_are_shown_to_nobody_else(
    session: Session, phone: Phone
) -> None:
    order = make_order(session, state=OrderState.COMPLETED)
    make_review(session, order, state=ReviewState.HIDDEN)
    product_id = order.lines[0].product_id
    session.commit()

    read = phone.get(f"/products/{product_id}/reviews").get_json()

    assert (read["count"], read["mean_hundredths"], read["items"]) == (0, None, [])


def test_a_questionnaire_is_read_and_answered_once(
    session: Session, sandbox: SandboxClient, phone_of: Callable[..., Phone]
) -> None:
    phone = phone_of(make_member(session, openid=sandbox.user()))
    questions = [{"kind": "scale", "title": "How was it?", "is_required": True}]
    draft = QuestionnaireDraft(title="Visit", questions=questions)
    actor = actor_of(make_staff(session))
    row = questionnaires.create(session, draft, actor=actor, now=NOON)
    questionnaires.publish(session, row.id, actor=actor, now=NOON)
    path = f"/questionnaires/{row.code}"
    session.commit()

    asked = phone.get(path).get_json()
    wrong = phone.post(f"{path}/answers", {"version": 1, "answers": {"1": 9}})
    right = phone.post(f"{path}/answers", {"version": 1, "answers": {"1": 5}})

    assert (asked["version"], asked["is_answered"]) == (1, False)
    assert asked["questions"][0]["title"] == "How was it?"
    assert_problem(wrong, 422, "questionnaire_answer_invalid")
    assert right.status_code == 204
    assert phone.get(path).get_json()["is_answered"] is True
    again = phone.post(f"{path}/answers", {"version": 1, "answers": {"1": 5}})
    assert_problem(again, 409, "questionnaire_answered")


def test_taps_are_reported_once_for_one_key(session: Session, phone: Phone) -> None:
    make_template(session, "order_paid")
    session.commit()
    template_id, key = wechat_id("order_paid"), new_key()
    body = {"answers": {template_id: "accept", "x" * 43: "accept"}}

    answers = [phone.post("/me/subscriptions", body, key=key) for _ in range(2)]

    assert [one.status_code for one in answers] == [201, 201]
    item = {"occasion": "order_paid", "template_id": template_id, "left": 1}
    assert answers[1].get_json()["items"] == [item]
    assert phone.get("/me/subscriptions").get_json()["items"] == [item]
    refused = phone.post("/me/subscriptions", {"answers": {template_id: "reject"}}, key=new_key())
    assert refused.get_json()["items"][0]["left"] == 0
    assert session.scalars(sa.select(MessagePermission.left)).all() == [0]


@pytest.mark.parametrize(
    "answers",
    [{}, {"short": "accept"}, {"x" * 43: "yes"}, {"x" * 43: True}, [], {"a" * 43 + "'": "accept"}],
)
def test_answers_that_wechat_does_not_give_are_refused(
    session: Session, phone: Phone, answers: Any
) -> None:
    with nothing_moves(session):
        answer = phone.post("/me/subscriptions", {"answers": answers}, key=new_key())

    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_request")


def test_a_click_is_noted_of_who_was_written_to(session: Session, phone: Phone) -> None:
    campaign = make_campaign(session)
    session.add(
        CampaignRecipient(
            campaign_id=campaign.id, member_id=phone.member_id, is_control=False, taken_at=NOON
        )
    )
    session.commit()

    for campaign_id in (campaign.id, campaign.id, 999_999):
        assert phone.post("/me/campaign-clicks", {"campaign_id": campaign_id}).status_code == 204

    session.expire_all()
    assert session.scalars(sa.select(CampaignRecipient)).one().clicked_at is not None

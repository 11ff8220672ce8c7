"""What a store of the world says to its customers, and what they say."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions import care, messages, questionnaires
from app.interactions.campaigns import CampaignDraft, create_campaign
from app.interactions.care import CareDraft
from app.interactions.message_models import Message
from app.interactions.questionnaire_models import QuestionnaireAnswer
from app.interactions.questionnaires import QuestionnaireDraft
from app.interactions.states import CareKind
from app.kernel.audit import Actor
from app.orders.states import OrderState
from tests.admin.place import Place
from tests.factories.interactions import (
    actor_of,
    make_picture,
    make_review,
    make_segment,
    make_template,
)
from tests.factories.orders import make_order
from tests.factories.people import NOON, make_member, make_staff

QUESTIONS: Final = [{"kind": "text", "title": "How was it?", "options": []}]


def put_interactions(session: Session, place: Place, name: str) -> None:
    """A review, a segment, a campaign, a rule of care, a questionnaire and a message of a store."""
    customer = make_member(session, nickname=f"{name} reader", origin_store_id=place.store.id)
    staff = make_staff(session, stores=[place.store])
    actor = actor_of(staff)
    order = make_order(session, member=customer, store=place.store, state=OrderState.COMPLETED)
    review = make_review(session, order, text=f"{name} opinion")
    place.put("reviews", review.id, f"{name} opinion")
    place.parts["review_picture"] = make_picture(session, review).id
    segment = make_segment(session, store=place.store, staff=staff, name=f"{name} segment")
    place.put("segments", segment.id, segment.name)
    if messages.template_of(session, "campaign") is None:
        make_template(session, name="Words of the brand")
    draft = CampaignDraft(
        name=f"{name} campaign", segment_id=segment.id, says={"title": f"{name} spring"}
    )
    campaign = create_campaign(session, draft, actor=actor, now=NOON)
    place.put("campaigns", campaign.id, campaign.name)
    caring = CareDraft(
        name=f"{name} care",
        kind=CareKind.BIRTHDAY,
        days=3,
        message="Happy birthday",
        store_id=place.store.id,
    )
    rule = care.save_rule(session, caring, actor=actor, now=NOON)
    place.put("care_rules", rule.id, rule.name)
    _put_questionnaire(session, place, name, customer.id, staff.id)
    template = messages.template_of(session, "campaign")
    assert template is not None
    said = {"title": f"{name} said", "text": "x"}
    messages.put(session, template, {customer.id: f"world:{name}"}, said, now=NOON)
    sent = session.scalars(sa.select(Message).where(Message.key == f"world:{name}")).one()
    place.put("messages", sent.id, f"{name} reader")


def put_occasion(session: Session, place: Place) -> None:
    """How the brand writes about campaigns."""
    template = messages.template_of(session, "campaign")
    assert template is not None
    place.put("message_templates", template.id, template.name)


def _put_questionnaire(
    session: Session, place: Place, name: str, member_id: int, staff_id: int
) -> None:
    actor = Actor("staff", staff_id)
    draft = QuestionnaireDraft(
        title=f"{name} questions", questions=QUESTIONS, store_id=place.store.id
    )
    row = questionnaires.create(session, draft, actor=actor, now=NOON)
    questionnaires.publish(session, row.id, actor=actor, now=NOON)
    place.put("questionnaires", row.id, row.title)
    answer = QuestionnaireAnswer(
        questionnaire_id=row.id,
        version_id=questionnaires.version_of(session, row.id, 1).id,
        member_id=member_id,
        answers={"1": f"{name} answer"},
        answered_at=NOON,
    )
    session.add(answer)
    session.flush()
    place.put("questionnaire_answers", answer.id, f"{name} answer")

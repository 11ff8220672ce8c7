from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.interactions import questionnaires
from app.interactions.errors import (
    AlreadyAnswered,
    AnswerInvalid,
    InteractionNotFound,
    QuestionnaireClosed,
    QuestionnaireInvalid,
)
from app.interactions.questionnaire_models import (
    Questionnaire,
    QuestionnaireAnswer,
    QuestionnaireVersion,
)
from app.interactions.questionnaires import QuestionnaireDraft
from app.kernel.audit import Actor
from app.loyalty.models import GivenReward
from app.loyalty.rewards import Reward
from app.members.models import Member
from app.wechat.errors import ContentRefused
from scripts.sandbox.client import SandboxClient
from tests.factories.interactions import actor_of, make_segment
from tests.factories.people import NOON, make_member, make_staff

QUESTIONS: list[dict[str, Any]] = [
    {"kind": "choice", "title": "Tea?", "is_required": True, "options": ["Yes", "No"]},
    {"kind": "multi", "title": "Which?", "options": ["Green", "Black", "White"]},
    {"kind": "scale", "title": "How good?", "scale_to": 5},
    {"kind": "text", "title": "Why?"},
]
WHOLE: dict[str, Any] = {"1": 0, "2": [0, 2], "3": 4, "4": "Because"}


@pytest.fixture
def actor(session: Session) -> Actor:
    return actor_of(make_staff(session))


def published(session: Session, actor: Actor, **more: Any) -> Questionnaire:
    draft = QuestionnaireDraft(title="Tea", questions=QUESTIONS, **more)
    row = questionnaires.create(session, draft, actor=actor, now=NOON)
    questionnaires.publish(session, row.id, actor=actor, now=NOON)
    session.commit()
    return row


def answer(member: Member, row: Questionnaire, given: Any = WHOLE, version: int = 1) -> None:
    questionnaires.answer(member.id, row.code, version=version, given=given, now=NOON)


def reader(session: Session, sandbox: SandboxClient) -> Member:
    member = make_member(session, openid=sandbox.user())
    session.commit()
    return member


def test_an_answer_is_kept_and_rewarded_once(
    session: Session, sandbox: SandboxClient, actor: Actor
) -> None:
    member = reader(session, sandbox)
    row = published(session, actor, reward=Reward.points(20))

    answer(member, row)
    with pytest.raises(AlreadyAnswered):
        answer(member, row)

    assert session.scalars(sa.select(QuestionnaireAnswer)).one().answers == WHOLE
    assert session.scalars(sa.select(GivenReward)).one().amount == 20


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({}, 1),
        ({"2": [0]}, 1),
        ({"1": 2}, 1),
        ({"1": -1}, 1),
        ({"1": True}, 1),
        ({"1": "Yes"}, 1),
        ({"1": 0, "2": [0, 0]}, 2),
        ({"1": 0, "2": []}, 2),
        ({"1": 0, "2": [3]}, 2),
        ({"1": 0, "3": 6}, 3),
        ({"1": 0, "3": 0}, 3),
        ({"1": 0, "4": "x" * 501}, 4),
        ({"1": 0, "4": "  "}, 4),
        ({"1": 0, "5": 1}, 0),
        ({"1": 0, "x": 1}, 0),
    ],
)
def test_an_answer_that_does_not_fit_names_its_question(
    session: Session, sandbox: SandboxClient, actor: Actor, given: Any, where: int
) -> None:
    member = reader(session, sandbox)
    row = published(session, actor)

    with pytest.raises(AnswerInvalid) as refused:
        answer(member, row, given)

    assert refused.value.where == where
    assert session.scalars(sa.select(QuestionnaireAnswer)).all() == []


def test_words_that_must_not_be_published_are_refused(
    session: Session, sandbox: SandboxClient, actor: Actor
) -> None:
    member = reader(session, sandbox)
    row = published(session, actor)

    with pytest.raises(ContentRefused):
        answer(member, row, {"1": 0, "4": "gambling"})

    assert session.scalars(sa.select(QuestionnaireAnswer)).all() == []


def test_a_version_that_was_replaced_meanwhile_cannot_be_answered(
    session: Session, sandbox: SandboxClient, actor: Actor
) -> None:
    member = reader(session, sandbox)
    row = published(session, actor)
    questionnaires.publish(session, row.id, actor=actor, now=NOON)
    session.commit()

    with pytest.raises(QuestionnaireClosed):
        answer(member, row, version=1)
    answer(member, row, version=2)


def test_an_ended_questionnaire_takes_no_answers(
    session: Session, sandbox: SandboxClient, actor: Actor
) -> None:
    member = reader(session, sandbox)
    row = published(session, actor)
    questionnaires.end(session, row.id, actor=actor, now=NOON)
    session.commit()

    with pytest.raises(QuestionnaireClosed):
        answer(member, row)
    with pytest.raises(QuestionnaireClosed):
        questionnaires.publish(session, row.id, actor=actor, now=NOON)


def test_a_draft_and_an_unknown_code_are_not_there(session: Session, actor: Actor) -> None:
    member = make_member(session)
    draft = QuestionnaireDraft(title="Tea", questions=QUESTIONS)
    row = questionnaires.create(session, draft, actor=actor, now=NOON)

    for code in (row.code, "0" * 22):
        with pytest.raises(InteractionNotFound):
            questionnaires.open_for(session, code, member.id, now=NOON)


def test_a_questionnaire_for_a_segment_is_there_for_its_customers_only(
    session: Session, actor: Actor
) -> None:
    old = make_member(session)
    new = make_member(session, registered_at=NOON - timedelta(days=1))
    segment = make_segment(session, rule={"registered_days": 7})
    row = published(session, actor, segment_id=segment.id)

    found, version, is_answered = questionnaires.open_for(session, row.code, new.id, now=NOON)
    assert (found.id, version.number, is_answered) == (row.id, 1, False)
    with pytest.raises(InteractionNotFound):
        questionnaires.open_for(session, row.code, old.id, now=NOON)


def test_a_published_version_never_changes(session: Session, actor: Actor) -> None:
    row = published(session, actor)
    draft = QuestionnaireDraft(title="Tea", questions=QUESTIONS[:1])

    questionnaires.change(session, row.id, draft, actor=actor, now=NOON)

    version = session.scalars(sa.select(QuestionnaireVersion)).one()
    assert len(version.questions) == 4
    nested = session.begin_nested()
    with pytest.raises(sa.exc.IntegrityError, match="never changed"):
        session.execute(sa.update(QuestionnaireVersion).values(questions=[]))
    nested.rollback()


def test_results_count_every_option(session: Session, sandbox: SandboxClient, actor: Actor) -> None:
    row = published(session, actor)
    given: list[dict[str, Any]] = [WHOLE, {"1": 1, "2": [0], "3": 1}, {"1": 0}]
    for one in given:
        answer(reader(session, sandbox), row, one)

    choice, multi, scale, text = questionnaires.results(session, row.id, 1)

    assert choice.counts == (("Yes", 2), ("No", 1))
    assert multi.counts == (("Green", 2), ("Black", 0), ("White", 1))
    assert (scale.answered, scale.mean_hundredths) == (2, 250)
    assert (text.answered, text.counts) == (1, ())


@pytest.mark.parametrize(
    ("questions", "where"),
    [
        ([], 0),
        ("x", 0),
        ([{"kind": "text", "title": "x"}] * 31, 0),
        ([{"kind": "text", "title": "x"}, {"kind": "choice", "title": "x"}], 2),
        ([{"kind": "choice", "title": "x", "options": ["a", "a"]}], 1),
        ([{"kind": "text", "title": "x", "options": ["a", "b"]}], 1),
        ([{"kind": "scale", "title": "x", "scale_to": 11}], 1),
        ([{"kind": "essay", "title": "x"}], 1),
        ([{"kind": "text", "title": ""}], 1),
        ([{"kind": "text", "title": "x", "script": "y"}], 1),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(
    session: Session, actor: Actor, questions: Any, where: int
) -> None:
    draft = QuestionnaireDraft(title="Tea", questions=questions)

    with pytest.raises(QuestionnaireInvalid) as refused:
        questionnaires.create(session, draft, actor=actor, now=NOON)

    assert refused.value.where == where
    assert session.scalars(sa.select(Questionnaire)).all() == []

"""Questionnaires: written as drafts, published as versions that never change, answered once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.interactions import segments
from app.interactions.audience_models import Segment
from app.interactions.errors import (
    AlreadyAnswered,
    InteractionNotFound,
    QuestionnaireClosed,
)
from app.interactions.questionnaire_models import (
    Questionnaire,
    QuestionnaireAnswer,
    QuestionnaireVersion,
)
from app.interactions.questions import (
    Question,
    Tally,
    check_answers,
    read_questions,
    tally,
    texts_of,
)
from app.interactions.segments import clean_name
from app.interactions.states import QuestionnaireState
from app.kernel import audit
from app.kernel.audit import Actor, Change, Subject
from app.kernel.db import atomic, retrying
from app.kernel.ids import random_text
from app.loyalty import rewards
from app.loyalty.models import RewardSource
from app.loyalty.rewards import Reward
from app.members.texts import may_be_shown
from app.wechat.texts import TextScene

TITLE_LENGTH_MAX: Final = 60
CODE_LENGTH: Final = 22
BATCH: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionnaireDraft:
    """What staff enter."""

    title: str
    questions: Any
    store_id: int | None = None
    segment_id: int | None = None
    reward: Reward | None = None


def create(
    session: Session, draft: QuestionnaireDraft, *, actor: Actor, now: datetime
) -> Questionnaire:
    """Prepare a questionnaire. Raises `QuestionnaireInvalid`, `TextUnfit`."""
    assert actor.id is not None, "questionnaires are made by staff"
    row = Questionnaire(
        code=random_text(CODE_LENGTH),
        title=clean_name(draft.title, length_max=TITLE_LENGTH_MAX),
        store_id=draft.store_id,
        segment_id=_segment_id(session, draft, draft.store_id),
        state=QuestionnaireState.DRAFT,
        questions=_document(read_questions(draft.questions)),
        reward=None if draft.reward is None else draft.reward.to_json(),
        created_by_id=actor.id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    _record(session, actor, "questionnaire_saved", row, now=now)
    return row


def change(
    session: Session,
    questionnaire_id: int,
    draft: QuestionnaireDraft,
    *,
    actor: Actor,
    now: datetime,
) -> Questionnaire:
    """Change the draft of the next version; who answers meanwhile answers the one in force."""
    row = locked(session, questionnaire_id)
    if row.state is QuestionnaireState.ENDED:
        raise QuestionnaireClosed
    row.title = clean_name(draft.title, length_max=TITLE_LENGTH_MAX)
    row.questions = _document(read_questions(draft.questions))
    row.segment_id = _segment_id(session, draft, row.store_id)
    row.reward = None if draft.reward is None else draft.reward.to_json()
    session.flush()
    _record(session, actor, "questionnaire_saved", row, now=now)
    return row


def publish(session: Session, questionnaire_id: int, *, actor: Actor, now: datetime) -> None:
    """Put the draft in force as the next version."""
    assert actor.id is not None, "questionnaires are published by staff"
    row = locked(session, questionnaire_id)
    if row.state is QuestionnaireState.ENDED:
        raise QuestionnaireClosed
    row.version += 1
    row.state = QuestionnaireState.PUBLISHED
    session.add(
        QuestionnaireVersion(
            questionnaire_id=row.id,
            number=row.version,
            questions=row.questions,
            published_at=now,
            published_by_id=actor.id,
        )
    )
    session.flush()
    _record(session, actor, "questionnaire_published", row, now=now)


def end(session: Session, questionnaire_id: int, *, actor: Actor, now: datetime) -> None:
    """Take no more answers. A draft that was never published is left as it is."""
    row = locked(session, questionnaire_id)
    if row.state is not QuestionnaireState.PUBLISHED:
        raise QuestionnaireClosed
    row.state, row.ended_at = QuestionnaireState.ENDED, now
    session.flush()
    _record(session, actor, "questionnaire_ended", row, now=now)


def locked(session: Session, questionnaire_id: int) -> Questionnaire:
    """Return a questionnaire with its row locked. Raises `InteractionNotFound`."""
    row = session.get(Questionnaire, questionnaire_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise InteractionNotFound
    return row


def open_for(
    session: Session, code: str, member_id: int, *, now: datetime
) -> tuple[Questionnaire, QuestionnaireVersion, bool]:
    """Return a questionnaire, the version in force, and whether this customer answered it.

    Raises `InteractionNotFound`, also for whom it is not meant.
    """
    row = session.scalar(sa.select(Questionnaire).where(Questionnaire.code == code))
    if row is None or row.version == 0:
        raise InteractionNotFound
    answered = session.scalar(
        sa.select(QuestionnaireAnswer.id).where(
            QuestionnaireAnswer.questionnaire_id == row.id,
            QuestionnaireAnswer.member_id == member_id,
        )
    )
    if answered is None and row.segment_id is not None:
        segment = session.get_one(Segment, row.segment_id)
        if not segments.holds(session, segment, member_id, now=now):
            raise InteractionNotFound
    return row, version_of(session, row.id, row.version), answered is not None


def version_of(session: Session, questionnaire_id: int, number: int) -> QuestionnaireVersion:
    """Return one version."""
    return session.scalars(
        sa.select(QuestionnaireVersion).where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id,
            QuestionnaireVersion.number == number,
        )
    ).one()


def answer(
    member_id: int, code: str, *, version: int, given: Mapping[str, Any], now: datetime
) -> None:
    """Keep what a customer answers, once, and give the reward with it.

    Raises `InteractionNotFound`, `QuestionnaireClosed` where another version is in force by now,
    `AlreadyAnswered`, `AnswerInvalid`, `ContentRefused`.
    """
    with atomic() as session:
        answers = _checked(session, member_id, code, version, given, now=now)
    written = "\n".join(texts_of(answers))
    may_be_shown(member_id, scene=TextScene.COMMENT, text=written)

    def act() -> None:
        with atomic() as session:
            kept = _checked(session, member_id, code, version, given, now=now)
            _keep(session, member_id, code, kept, now=now)

    retrying(act)


def answers_of(session: Session, version_id: int) -> Iterator[QuestionnaireAnswer]:
    """Yield every answer to a version in order, a batch at a time."""
    last = 0
    while True:
        rows = session.scalars(
            sa.select(QuestionnaireAnswer)
            .where(QuestionnaireAnswer.version_id == version_id, QuestionnaireAnswer.id > last)
            .order_by(QuestionnaireAnswer.id)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id


def results(session: Session, questionnaire_id: int, number: int) -> list[Tally]:
    """Count the answers to one version."""
    version = version_of(session, questionnaire_id, number)
    found = (row.answers for row in answers_of(session, version.id))
    return tally(read_questions(version.questions), found)


def _checked(
    session: Session,
    member_id: int,
    code: str,
    version: int,
    given: Mapping[str, Any],
    *,
    now: datetime,
) -> dict[str, Any]:
    row, current, is_answered = open_for(session, code, member_id, now=now)
    if is_answered:
        raise AlreadyAnswered
    if row.state is not QuestionnaireState.PUBLISHED or current.number != version:
        raise QuestionnaireClosed
    return check_answers(read_questions(current.questions), given)


def _keep(
    session: Session, member_id: int, code: str, answers: dict[str, Any], *, now: datetime
) -> None:
    row = session.scalars(
        sa.select(Questionnaire).where(Questionnaire.code == code).with_for_update(read=True)
    ).one()
    version = version_of(session, row.id, row.version)
    kept = session.scalar(
        insert(QuestionnaireAnswer)
        .values(
            questionnaire_id=row.id,
            version_id=version.id,
            member_id=member_id,
            answers=answers,
            answered_at=now,
        )
        .on_conflict_do_nothing()
        .returning(QuestionnaireAnswer.id)
    )
    if kept is None:
        raise AlreadyAnswered
    if row.reward is not None:
        rewards.give(
            session,
            member_id,
            Reward.from_json(row.reward),
            key=f"questionnaire:{row.id}:{member_id}",
            source=RewardSource.INTERACTION,
            now=now,
        )


def _segment_id(session: Session, draft: QuestionnaireDraft, store_id: int | None) -> int | None:
    """Return the segment, of the same store. Raises `InteractionNotFound`."""
    if draft.segment_id is None:
        return None
    segment = session.get(Segment, draft.segment_id)
    if segment is None or segment.store_id != store_id:
        raise InteractionNotFound
    return segment.id


def _document(questions: tuple[Question, ...]) -> list[Any]:
    return [one.model_dump(mode="json") for one in questions]


def _record(
    session: Session, actor: Actor, action: str, row: Questionnaire, *, now: datetime
) -> None:
    subject = Subject("questionnaire", row.id, row.store_id)
    told = Change({}, {"title": row.title, "version": row.version, "state": row.state.value})
    audit.record(session, actor, action, subject, told, now=now)

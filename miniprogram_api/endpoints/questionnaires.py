"""Questionnaires: the questions behind a link, and the caller's one answer to them."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field

from app.interactions import questionnaires
from app.interactions.questionnaire_models import Questionnaire, QuestionnaireVersion
from app.interactions.questions import (
    OPTIONS_MAX,
    QUESTIONS_MAX,
    TEXT_ANSWER_MAX,
    QuestionKind,
    read_questions,
)
from app.interactions.states import QuestionnaireState
from app.kernel.clock import utc_now
from app.kernel.db import db
from miniprogram_api.acting import moment
from miniprogram_api.auth import caller
from miniprogram_api.fields import Body, View, example, printable
from miniprogram_api.routing import Group

group = Group("questionnaires", about="Questions of the brand to its customers.")

Place = Annotated[int, Field(ge=0, le=100)]
Written = Annotated[str, Field(max_length=TEXT_ANSWER_MAX), AfterValidator(printable)]
Answer = Place | Written | Annotated[list[Place], Field(max_length=OPTIONS_MAX)]
Number = Annotated[str, Field(pattern=r"^[1-9][0-9]?$")]


class QuestionView(View):
    """One question. Choices are answered by the place of an option from 0, scales by a number."""

    number: int
    kind: QuestionKind
    title: str
    is_required: bool
    options: list[str]
    scale_to: int


class QuestionnaireView(View):
    """The questions in force, and whether the caller answered already."""

    model_config = View.model_config | example(
        {
            "title": "您的体验",
            "version": 1,
            "is_open": True,
            "is_answered": False,
            "questions": [
                {
                    "number": 1,
                    "kind": "choice",
                    "title": "您从哪里知道我们？",
                    "is_required": True,
                    "options": ["朋友", "路过"],
                    "scale_to": 5,
                }
            ],
        }
    )

    title: str
    version: int
    is_open: bool
    is_answered: bool
    questions: list[QuestionView]

    @classmethod
    def of(cls, row: Questionnaire, version: QuestionnaireVersion, *, is_answered: bool) -> Self:
        """Show a version to a customer."""
        return cls(
            title=row.title,
            version=version.number,
            is_open=row.state is QuestionnaireState.PUBLISHED,
            is_answered=is_answered,
            questions=[
                QuestionView(
                    number=number,
                    kind=one.kind,
                    title=one.title,
                    is_required=one.is_required,
                    options=list(one.options),
                    scale_to=one.scale_to,
                )
                for number, one in enumerate(read_questions(version.questions), 1)
            ],
        )


class AnswersBody(Body):
    """The answers by the number of their question, to the version that was shown."""

    model_config = Body.model_config | example({"version": 1, "answers": {"1": 0}})

    version: Annotated[int, Field(ge=1, le=1_000_000)]
    answers: Annotated[dict[Number, Answer], Field(max_length=QUESTIONS_MAX)]


@group.operation("GET", "/questionnaires/<code:questionnaire>")
def show_questionnaire(questionnaire: str) -> QuestionnaireView:
    """Show the questions of a link; to nobody whom they are not meant for."""
    row, version, is_answered = questionnaires.open_for(
        db.session(), questionnaire, caller().member_id, now=utc_now()
    )
    return QuestionnaireView.of(row, version, is_answered=is_answered)


@group.operation("POST", "/questionnaires/<code:questionnaire>/answers")
def answer_questionnaire(questionnaire: str, body: AnswersBody) -> None:
    """Answer, once. Where there is a reward, it is given with the answer."""
    questionnaires.answer(
        caller().member_id,
        questionnaire,
        version=body.version,
        given=body.answers,
        now=moment(),
    )

"""Questions and answers of questionnaires: what may be asked, and whether an answer fits. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.interactions.errors import AnswerInvalid, QuestionnaireInvalid

QUESTIONS_MAX: Final = 30
OPTIONS_MAX: Final = 20
TEXT_ANSWER_MAX: Final = 500
SCALE_MAX: Final = 10


class QuestionKind(StrEnum):
    """How a question is answered."""

    CHOICE = "choice"
    MULTI = "multi"
    SCALE = "scale"
    TEXT = "text"


class Question(BaseModel):
    """One question. A scale goes from 1 to `scale_to`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: QuestionKind
    title: Annotated[str, Field(min_length=1, max_length=100)]
    is_required: bool = False
    options: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=60)], ...],
        Field(max_length=OPTIONS_MAX),
    ] = ()
    scale_to: Annotated[int, Field(ge=2, le=SCALE_MAX)] = 5

    @model_validator(mode="after")
    def _has_options(self) -> Self:
        offers = self.kind in {QuestionKind.CHOICE, QuestionKind.MULTI}
        if offers and len(self.options) < 2:  # noqa: PLR2004 - one option is no choice
            raise ValueError("a choice has two options or more")
        if not offers and self.options:
            raise ValueError("only choices have options")
        if len(set(self.options)) != len(self.options):
            raise ValueError("an option stands there twice")
        return self

    def accepts(self, answer: Any) -> bool:
        """Tell whether an answer fits: the place of an option, several, a number or a text."""
        if self.kind is QuestionKind.CHOICE:
            return type(answer) is int and 0 <= answer < len(self.options)
        if self.kind is QuestionKind.SCALE:
            return type(answer) is int and 1 <= answer <= self.scale_to
        if self.kind is QuestionKind.TEXT:
            return type(answer) is str and 1 <= len(answer.strip()) <= TEXT_ANSWER_MAX
        return (
            type(answer) is list
            and bool(answer)
            and len(set(map(str, answer))) == len(answer)
            and all(type(one) is int and 0 <= one < len(self.options) for one in answer)
        )


def read_questions(document: Any) -> tuple[Question, ...]:
    """Read the questions of a questionnaire. Raises `QuestionnaireInvalid` naming one, from 1."""
    if not isinstance(document, list) or not 1 <= len(document) <= QUESTIONS_MAX:
        raise QuestionnaireInvalid(0)
    questions = []
    for number, one in enumerate(document, 1):
        try:
            questions.append(Question.model_validate(one))
        except ValidationError:
            raise QuestionnaireInvalid(number) from None
    return tuple(questions)


def check_answers(questions: Sequence[Question], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers by the number of their question, from 1.

    Raises `AnswerInvalid` for one that does not fit, one to no question, and a required one that
    is missing.
    """
    answers = {}
    for key in given:
        if key not in {str(number) for number in range(1, len(questions) + 1)}:
            raise AnswerInvalid(0)
    for number, question in enumerate(questions, 1):
        answer = given.get(str(number))
        if answer is None:
            if question.is_required:
                raise AnswerInvalid(number)
            continue
        if not question.accepts(answer):
            raise AnswerInvalid(number)
        answers[str(number)] = answer.strip() if isinstance(answer, str) else answer
    return answers


def texts_of(answers: Mapping[str, Any]) -> list[str]:
    """Return what was written in words."""
    return [one for one in answers.values() if isinstance(one, str)]


@dataclass(frozen=True, slots=True)
class Tally:
    """One question with how often each option or number was chosen, and how many answered."""

    question: Question
    answered: int
    counts: tuple[tuple[str, int], ...]
    mean_hundredths: int | None = None


def tally(questions: Sequence[Question], found: Iterable[Mapping[str, Any]]) -> list[Tally]:
    """Count the answers to every question; texts are only counted as given."""
    counted: list[Counter[int]] = [Counter() for _ in questions]
    answered = [0] * len(questions)
    for answers in found:
        for place, _question in enumerate(questions):
            answer = answers.get(str(place + 1))
            if answer is None:
                continue
            answered[place] += 1
            if isinstance(answer, list):
                counted[place].update(answer)
            elif isinstance(answer, int):
                counted[place][answer] += 1
    return [
        _tallied(question, answered[place], counted[place])
        for place, question in enumerate(questions)
    ]


def _tallied(question: Question, answered: int, counts: Counter[int]) -> Tally:
    if question.kind is QuestionKind.SCALE:
        numbers = range(1, question.scale_to + 1)
        total = sum(number * counts[number] for number in numbers)
        mean = total * 100 // answered if answered else None
        return Tally(question, answered, tuple((str(one), counts[one]) for one in numbers), mean)
    options = tuple((text, counts[place]) for place, text in enumerate(question.options))
    return Tally(question, answered, options)


def told(question: Question, answer: Any) -> str:
    """Return an answer in words, for a list or a file."""
    if answer is None:
        return ""
    if question.kind is QuestionKind.CHOICE:
        return question.options[int(answer)]
    if question.kind is QuestionKind.MULTI:
        return " / ".join(question.options[one] for one in sorted(answer))
    return str(answer)

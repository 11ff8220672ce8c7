"""Questionnaires and what people answered."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.actions import by_id, joined
from admin.base import ScopedView
from admin.decisions import Act, Decision
from admin.details import Section, rows_section, sentences_section
from admin.filters import Choice, Days, Exactly, OfStore
from admin.form_pages import FormPage
from admin.i18n import gettext
from admin.interaction_forms import (
    COUPONS,
    EDIT,
    SEGMENTS,
    NewQuestionnaireForm,
    QuestionnaireForm,
    begin_reward,
    store_of,
)
from admin.interaction_words import questions_of
from admin.question_text import write_text
from admin.scopes import StoreIds, by_store
from admin.tables import Shape
from app.interactions import questionnaires
from app.interactions.questionnaire_models import (
    Questionnaire,
    QuestionnaireAnswer,
    QuestionnaireVersion,
)
from app.interactions.questions import QuestionKind, Tally, read_questions, told
from app.interactions.states import QuestionnaireState
from app.kernel.db import db
from app.kernel.money import percent
from app.stores.permissions import Permission

RESULTS = Shape(("option", "count", "share"), {"option": _("Answer"), "count": _("How many")})


def _create(_row: None, act: Act) -> str:
    draft = act.form.draft(store_of(act.form.store_id))
    return str(joined(questionnaires.create, draft, actor=act.actor, now=act.now).id)


def _change(row: Questionnaire, act: Act) -> str:
    draft = act.form.draft(row.store_id)
    joined(questionnaires.change, row.id, draft, actor=act.actor, now=act.now)
    return str(row.id)


def _begin(row: Questionnaire) -> Mapping[str, Any]:
    return {
        "title": row.title,
        "questions": write_text(row.questions),
        "segment_id": row.segment_id,
        **begin_reward(row.reward),
    }


def _is_live(row: Questionnaire) -> bool:
    return row.state is not QuestionnaireState.ENDED


class QuestionnairesView(ScopedView):
    """What customers are asked."""

    permission = Permission.CAMPAIGNS_VIEW
    scope = by_store(Questionnaire.store_id)
    icon = "clipboard-list"
    intro = _("Questions to customers. Each answers once; a version never changes once published.")

    column_list = ("title", "store_id", "state", "version", "created_by_id", "created_at")
    labels: ClassVar = {"title": _("Title"), "version": _("Version"), "code": _("Code of the link")}
    searched = (Questionnaire.title,)
    tabs = Choice("state", _("State"), Questionnaire.state, QuestionnaireState)
    filters = (OfStore("store", _("Store"), Questionnaire.store_id),)
    facts = ("code", "version", "store_id", "created_by_id", "created_at", "ended_at")
    badge = "state"
    lookups = (SEGMENTS, COUPONS)
    form_pages = (
        FormPage(
            name="create",
            label=_("New questionnaire"),
            button=_("Save"),
            title=_("Ask customers"),
            permission=EDIT,
            form=NewQuestionnaireForm,
            run=_create,
            done=_("The draft was saved."),
            is_primary=True,
        ),
        FormPage(
            name="change",
            label=_("Edit"),
            button=_("Save"),
            title=_("Ask differently"),
            intro=_("What is in force stays so until you publish this."),
            permission=EDIT,
            form=QuestionnaireForm,
            is_about_row=True,
            begin=_begin,
            run=_change,
            possible=_is_live,
            done=_("The draft was saved."),
        ),
    )
    decisions = (
        Decision(
            name="publish",
            label=_("Publish"),
            permission=Permission.CAMPAIGNS_SEND,
            question=_("Publish these questionnaires as they stand?"),
            run=by_id(questionnaires.publish),
            possible=_is_live,
            is_primary=True,
        ),
        Decision(
            name="end",
            label=lazy_pgettext("questionnaire", "End"),
            permission=Permission.CAMPAIGNS_SEND,
            question=_("Take no more answers?"),
            run=by_id(questionnaires.end),
            possible=lambda row: row.state is QuestionnaireState.PUBLISHED,
            is_danger=True,
        ),
    )

    def title_of(self, row: Questionnaire) -> str:
        """Return its title."""
        return row.title

    def sections(self, row: Questionnaire) -> Iterable[Section | None]:
        """Show the draft, and what was answered to the version in force."""
        yield sentences_section(_("Questions"), questions_of(row.questions))
        if row.version:
            for one in questionnaires.results(db.session(), row.id, row.version):
                yield _tallied(one)
            mine = QuestionnaireAnswer.questionnaire_id == row.id
            yield self.related("questionnaire_answers", mine, questionnaire=row.id)


def _tallied(found: Tally) -> Section:
    lines: list[dict[str, Any]] = [
        {
            "option": option,
            "count": count,
            "share": percent(count * 10_000 // found.answered) if found.answered else "–",
        }
        for option, count in found.counts
    ]
    if found.question.kind is QuestionKind.TEXT:
        lines = [{"option": gettext("In words"), "count": found.answered, "share": "–"}]
    return rows_section(found.question.title, lines, RESULTS)


def _of_stores(store_ids: StoreIds) -> sa.ColumnElement[bool]:
    """Answers to questionnaires of the person's own stores."""
    own = sa.select(Questionnaire.id).where(Questionnaire.store_id.in_(store_ids))
    return QuestionnaireAnswer.questionnaire_id.in_(own)


def _told(row: QuestionnaireAnswer) -> str:
    version = db.session.get_one(QuestionnaireVersion, row.version_id)
    questions = read_questions(version.questions)
    parts = [
        f"{one.title} {told(one, row.answers[str(number)])}"
        for number, one in enumerate(questions, 1)
        if str(number) in row.answers
    ]
    return " · ".join(parts)


class QuestionnaireAnswersView(ScopedView):
    """What each customer answered."""

    permission = Permission.CAMPAIGNS_VIEW
    scope = _of_stores
    icon = "clipboard-list"
    intro = _("What customers answered, one line for each.")

    column_list = ("questionnaire", "member_id", "answers", "answered_at")
    labels: ClassVar = {"questionnaire": _("Questionnaire"), "answers": _("Answers")}
    computed: ClassVar = {
        "questionnaire": lambda row: db.session.get_one(Questionnaire, row.questionnaire_id).title,
        "answers": _told,
    }
    filters = (
        Exactly(
            "questionnaire",
            _("Questionnaire no."),
            QuestionnaireAnswer.questionnaire_id,
            is_id=True,
        ),
        Exactly("member", _("Customer no."), QuestionnaireAnswer.member_id, is_id=True),
        Days("answered", _("Answered at"), QuestionnaireAnswer.answered_at),
    )
    facts = ("questionnaire", "member_id", "answered_at")

    def title_of(self, row: QuestionnaireAnswer) -> str:
        """Return what it is and its number."""
        return gettext("Answer %(id)s", id=row.id)

    def sections(self, row: QuestionnaireAnswer) -> Iterable[Section | None]:
        """Show each answer on a line of its own."""
        yield sentences_section(_("Answers"), _told(row).split(" · "))

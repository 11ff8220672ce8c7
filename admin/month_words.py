"""How a month of a plan comes about, in words: one that was closed, or one as it stands."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from admin.i18n import gettext, ngettext, say
from admin.story import kind_in_words, names_of, people_in
from app.distribution.models import Award, AwardRefusal
from app.distribution.plan_records import ClosedMonth
from app.engines.explaining import explain_facts
from app.engines.months import MonthAward, MonthClose, MonthRefusal
from app.engines.registry import MODELS
from app.kernel.db import db
from app.kernel.i18n import yuan

STORY_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Sums:
    """What a month's sentences tell: its turnover, its close, and what went to whom."""

    net_fen: int
    facts: Mapping[str, Any]
    paid: Sequence[tuple[str, int, int]]
    """For what, to how many, how much."""
    refused: int


def sums_of_closed(row: ClosedMonth) -> Sums:
    """Gather what a closed month paid and did not pay."""
    model, kind = Award.explanation["model"].astext, Award.kind
    awards = db.session.execute(
        sa.select(
            model.label("model"),
            kind,
            sa.func.count().label("people"),
            sa.func.sum(Award.amount_fen).label("fen"),
        )
        .where(Award.closed_month_id == row.id)
        .group_by(model, kind)
        .order_by(kind)
    )
    refused = db.session.scalar(
        sa.select(sa.func.count()).where(AwardRefusal.closed_month_id == row.id)
    )
    paid = [
        (
            kind_in_words({"model": one.model, "kind": one.kind}) or one.kind,
            one.people,
            int(one.fen),
        )
        for one in awards
    ]
    return Sums(row.net_fen, row.facts, paid, refused or 0)


def sums_of_preview(net_fen: int, outcome: MonthClose) -> Sums:
    """Gather what closing a month would pay and not pay."""
    people: Counter[str] = Counter()
    fen: Counter[str] = Counter()
    for one in outcome.awards:
        name = kind_in_words(one.explanation) or one.kind.value
        people[name] += 1
        fen[name] += one.amount_fen
    paid = [(name, people[name], fen[name]) for name in sorted(people)]
    return Sums(net_fen, outcome.facts, paid, len(outcome.refusals))


def told(sums: Sums) -> list[str]:
    """Tell how a month came about: as its model tells it, then what it pays for what."""
    model = MODELS.get(sums.facts.get("model", ""))
    if model is not None and model.explain_close is not None:
        texts = [say(message) for message in model.explain_close(sums.facts)]
    else:
        texts = [
            gettext(
                "%(net)s was settled in the month, less what refunds took back of earlier months.",
                net=yuan(sums.net_fen),
            )
        ]
    for name, people, fen in sums.paid:
        texts.append(
            ngettext(
                "%(what)s: %(num)s payment, %(amount)s together.",
                "%(what)s: %(num)s payments, %(amount)s together.",
                people,
                what=name,
                amount=yuan(fen),
            )
        )
    if not sums.paid:
        texts.append(gettext("Nobody gets anything."))
    if sums.refused:
        texts.append(
            ngettext(
                "Not paid: %(num)s time, with its reason.",
                "Not paid: %(num)s times, each with its reason.",
                sums.refused,
            )
        )
    return texts


def story(decisions: Iterable[MonthAward | MonthRefusal]) -> list[dict[str, Any]]:
    """Return what each person would get or not get, and why, for the template of stories."""
    shown = list(decisions)[:STORY_MAX]
    names = names_of(person for one in shown for person in _mentioned(one))
    return [
        {
            "who": f"{names.get(one.beneficiary_id)} · {kind_in_words(one.explanation)}",
            "amount_fen": one.amount_fen if isinstance(one, MonthAward) else 0,
            "state": None,
            "sentences": [say(told) for told in explain_facts(one.explanation, names=names)],
        }
        for one in shown
    ]


def _mentioned(one: MonthAward | MonthRefusal) -> Iterable[int]:
    yield one.beneficiary_id
    yield from people_in(one.explanation)

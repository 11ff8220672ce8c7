"""Campaigns and care: what goes out to whom, how far it came, and what it brought."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext

from admin.actions import by_id, joined
from admin.base import ScopedView
from admin.cells import Badge
from admin.decisions import Act, Decision
from admin.details import Section, rows_section, sentences_section, steps_section
from admin.filters import Choice, Days, Exactly, OfStore
from admin.form_pages import FormPage
from admin.i18n import gettext, ngettext
from admin.interaction_forms import (
    COUPONS,
    EDIT,
    PERCENT,
    SEGMENTS,
    CampaignForm,
    CareForm,
    NewCareForm,
    begin_reward,
    store_of,
)
from admin.interaction_words import SAID, says
from admin.labels import label_of
from admin.scopes import by_store
from admin.tables import Shape
from app.interactions import campaigns, care
from app.interactions.audience_models import Campaign, CampaignStep, CareMark, CareRule, Segment
from app.interactions.campaign_figures import Side, figures_of
from app.interactions.states import CampaignState, CareKind
from app.kernel.db import db
from app.kernel.money import percent
from app.stores.permissions import Permission

STEPS = Shape(("event", "at", "actor"))
SIDES = Shape(
    ("who", "people", "buyers", "share", "paid_fen"),
    {"who": _("Who"), "paid_fen": _("Paid within 7 days")},
)
FIGURES = Shape(("what", "count"), {"what": _("What"), "count": _("How many")})
OPEN = frozenset({CampaignState.DRAFT, CampaignState.CHECKED})
RUNNING = frozenset({CampaignState.SENDING, CampaignState.PAUSED})


def _create(_row: None, act: Act) -> str:
    draft = act.form.draft()
    return str(joined(campaigns.create_campaign, draft, actor=act.actor, now=act.now).id)


def _change(row: Campaign, act: Act) -> str:
    draft = act.form.draft()
    joined(campaigns.change_campaign, row.id, draft, actor=act.actor, now=act.now)
    return str(row.id)


def _begin(row: Campaign) -> Mapping[str, Any]:
    says = {name: text for name, text in row.values.items() if name != "until"}
    until = row.values.get("until")
    return {
        **says,
        "name": row.name,
        "segment_id": row.segment_id,
        "until": datetime.fromisoformat(until) if until else None,
        "page": row.page,
        "coupon_template_id": row.coupon_template_id,
        "control": row.control_bp // PERCENT,
    }


def _segment_name(row: Campaign) -> str:
    return db.session.scalar(sa.select(Segment.name).where(Segment.id == row.segment_id)) or ""


def _side(who: Any, side: Side) -> dict[str, Any]:
    return {
        "who": who,
        "people": side.people,
        "buyers": side.buyers,
        "share": percent(side.buyers_bp),
        "paid_fen": side.paid_fen,
    }


class CampaignsView(ScopedView):
    """Messages and coupons to everybody of a segment."""

    permission = Permission.CAMPAIGNS_VIEW
    scope = by_store(Campaign.store_id)
    icon = "send"
    intro = _(
        "A message, coupons or both to a segment. Only who allowed a message and agreed to be told"
        " of offers is written to, by day, and not too often."
    )

    column_list = ("name", "store_id", "segment", "state", "audience", "begun_at", "ended_at")
    labels: ClassVar = {"segment": _("Segment")}
    computed: ClassVar = {
        "segment": _segment_name,
        "control_bp": lambda row: percent(row.control_bp),
    }
    searched = (Campaign.name,)
    tabs = Choice("state", _("State"), Campaign.state, CampaignState)
    filters = (
        OfStore("store", _("Store"), Campaign.store_id),
        Exactly("segment", _("Segment no."), Campaign.segment_id, is_id=True),
        Days("begun", _("Begun"), Campaign.begun_at),
    )
    facts = (
        "segment",
        "store_id",
        "audience",
        "control_bp",
        "created_by_id",
        "created_at",
        "checked_at",
        "sent_by_id",
        "begun_at",
        "ended_at",
    )
    badge = "state"
    lookups = (SEGMENTS, COUPONS)
    form_pages = (
        FormPage(
            name="create",
            label=_("New campaign"),
            button=_("Save"),
            title=_("Prepare a campaign"),
            permission=EDIT,
            form=CampaignForm,
            run=_create,
            done=_("The draft was saved. Check it next."),
            is_primary=True,
        ),
        FormPage(
            name="change",
            label=_("Edit"),
            button=_("Save"),
            title=_("Prepare it differently"),
            permission=EDIT,
            form=CampaignForm,
            is_about_row=True,
            begin=_begin,
            run=_change,
            possible=lambda row: row.state in OPEN,
            done=_("The draft was saved. Check it next."),
        ),
    )
    decisions = (
        Decision(
            name="check",
            label=lazy_pgettext("campaign", "Check"),
            permission=EDIT,
            question=_("Check these campaigns?"),
            warning=_("Their messages, their coupons, and how many they mean."),
            run=by_id(campaigns.check_campaign),
            possible=lambda row: row.state in OPEN,
            is_primary=True,
        ),
        Decision(
            name="send",
            label=lazy_pgettext("campaign", "Send"),
            permission=Permission.CAMPAIGNS_SEND,
            question=_("Let these campaigns go out?"),
            warning=_("What has arrived cannot be taken back."),
            run=by_id(campaigns.send_campaign),
            possible=lambda row: row.state is CampaignState.CHECKED,
            is_primary=True,
        ),
        Decision(
            name="pause",
            label=lazy_pgettext("campaign", "Pause"),
            permission=Permission.CAMPAIGNS_SEND,
            question=_("Hold these campaigns back for now?"),
            run=by_id(campaigns.pause_campaign),
            possible=lambda row: row.state is CampaignState.SENDING,
        ),
        Decision(
            name="resume",
            label=lazy_pgettext("campaign", "Go on"),
            permission=Permission.CAMPAIGNS_SEND,
            question=_("Let these campaigns go on?"),
            run=by_id(campaigns.resume_campaign),
            possible=lambda row: row.state is CampaignState.PAUSED,
        ),
        Decision(
            name="cancel",
            label=lazy_pgettext("campaign", "Call off"),
            permission=Permission.CAMPAIGNS_SEND,
            question=_("Call these campaigns off?"),
            warning=_("What has not gone out yet never will."),
            run=by_id(campaigns.cancel_campaign),
            possible=lambda row: row.state in OPEN | RUNNING,
            is_danger=True,
        ),
    )

    def sections(self, row: Campaign) -> Iterable[Section | None]:
        """Tell what is said, how far it came, and what it brought beside those left alone."""
        yield rows_section(_("What it says"), list(says(row.values)), SAID)
        if row.begun_at is not None:
            yield from _brought(row)
        steps = db.session.scalars(
            sa.select(CampaignStep)
            .where(CampaignStep.campaign_id == row.id)
            .order_by(CampaignStep.id.desc())
        ).all()
        yield steps_section(_("History"), steps, STEPS)


def _brought(row: Campaign) -> Iterable[Section]:
    found = figures_of(db.session(), row.id)
    lines: list[dict[str, Any]] = [
        {"what": str(label_of(state)), "count": count} for state, count in found.messages.items()
    ]
    lines.append({"what": gettext("Opened"), "count": found.clicked})
    if row.coupon_template_id is not None:
        lines.append({"what": gettext("Coupons given"), "count": found.coupons_given})
        lines.append({"what": gettext("Coupons refused"), "count": found.coupons_refused})
    yield rows_section(_("How far it came"), lines, FIGURES)
    sides = [
        _side(gettext("Written to"), found.reached),
        _side(gettext("Left alone"), found.control),
    ]
    yield rows_section(_("What it brought"), sides, SIDES)


def _save_rule(row: CareRule | None, act: Act) -> str:
    store_id = store_of(act.form.store_id) if row is None else row.store_id
    rule_id = None if row is None else row.id
    draft = act.form.draft(store_id)
    saved = joined(care.save_rule, draft, rule_id=rule_id, actor=act.actor, now=act.now)
    return str(saved.id)


def _switch(*, is_active: bool) -> Any:
    def run(key: int, act: Act) -> None:
        joined(care.switch_rule, key, is_active=is_active, actor=act.actor, now=act.now)

    return run


def _rule_state(row: CareRule) -> Badge:
    return Badge(gettext("On"), "good") if row.is_active else Badge(gettext("Off"), "calm")


class CareRulesView(ScopedView):
    """What goes out by itself."""

    permission = Permission.CAMPAIGNS_VIEW
    scope = by_store(CareRule.store_id)
    icon = "heart"
    intro = _("What customers get for their birthday, or when they have not come for a while.")

    column_list = ("name", "kind", "days", "store_id", "state", "created_by_id")
    labels: ClassVar = {"days": _("Days"), "message": _("What is said")}
    computed: ClassVar = {"state": _rule_state}
    searched = (CareRule.name,)
    filters = (
        Choice("kind", _("Kind"), CareRule.kind, CareKind),
        OfStore("store", _("Store"), CareRule.store_id),
    )
    facts = ("kind", "days", "store_id", "message", "follow_up", "created_by_id", "created_at")
    badge = "state"
    lookups = (COUPONS,)
    form_pages = (
        FormPage(
            name="create",
            label=_("New rule"),
            button=_("Save"),
            title=_("Care for customers"),
            permission=EDIT,
            form=NewCareForm,
            run=_save_rule,
            done=_("The rule was saved."),
            is_primary=True,
        ),
        FormPage(
            name="change",
            label=_("Edit"),
            button=_("Save"),
            title=_("Care differently"),
            permission=EDIT,
            form=CareForm,
            is_about_row=True,
            begin=lambda row: {
                "name": row.name,
                "kind": row.kind.value,
                "days": row.days,
                "message": row.message,
                "follow_up": row.follow_up,
                **begin_reward(row.reward),
            },
            run=_save_rule,
            done=_("The rule was saved."),
        ),
    )
    decisions = (
        Decision(
            name="on",
            label=_("Switch on"),
            permission=Permission.CAMPAIGNS_SEND,
            question=_("Switch these rules on?"),
            run=_switch(is_active=True),
            possible=lambda row: not row.is_active,
        ),
        Decision(
            name="off",
            label=_("Switch off"),
            permission=Permission.CAMPAIGNS_SEND,
            question=_("Switch these rules off?"),
            run=_switch(is_active=False),
            possible=lambda row: row.is_active,
            is_danger=True,
        ),
    )

    def sections(self, row: CareRule) -> Iterable[Section | None]:
        """Tell how many it took up so far."""
        count = db.session.scalar(sa.select(sa.func.count()).where(CareMark.rule_id == row.id))
        told = ngettext(
            "%(num)d customer was taken up so far.",
            "%(num)d customers were taken up so far.",
            count or 0,
        )
        yield sentences_section(_("So far"), [told])

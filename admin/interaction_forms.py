"""Forms about segments, campaigns, care, questionnaires and messages."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from sqlalchemy.dialects.postgresql import distinct_on
from wtforms import IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from admin.forms import LookupField, MomentField, ScopedLoader, TicksField, YuanField
from admin.i18n import gettext, listed
from admin.labels import label_of
from admin.lookups import distributors
from admin.question_text import read_text
from admin.said.interactions import VALUES
from admin.scopes import by_store, touching_stores
from admin.staff import visible_store_ids
from admin.store_choices import visible_stores
from app.coupons.models import CouponTemplate
from app.interactions.audience_models import Segment
from app.interactions.campaigns import CampaignDraft
from app.interactions.care import CareDraft
from app.interactions.errors import MessageTemplateInvalid
from app.interactions.messages import TemplateDraft
from app.interactions.occasions import OCCASIONS
from app.interactions.questionnaires import QuestionnaireDraft
from app.interactions.rules import DAYS_MAX
from app.interactions.segments import NAME_LENGTH_MAX
from app.interactions.states import CareKind
from app.kernel.clock import SHANGHAI
from app.kernel.db import db
from app.loyalty.models import RewardKind
from app.loyalty.rewards import Reward
from app.members.tags import tags_in_use
from app.membership.models import LevelVersion
from app.stores.permissions import Permission

EDIT: Final = Permission.CAMPAIGNS_EDIT
BRAND: Final = ""
NONE: Final = ""
PERCENT: Final = 100

OWNERS: Final = distributors(EDIT)
SEGMENTS: Final = ScopedLoader(
    "segments",
    sa.select(Segment.id, Segment.name).where(Segment.retired_at.is_(None)),
    (Segment.name,),
    scope=by_store(Segment.store_id),
    text=lambda row: str(row.name),
    permission=EDIT,
)
COUPONS: Final = ScopedLoader(
    "coupon_templates",
    sa.select(CouponTemplate.id, CouponTemplate.title).where(CouponTemplate.ended_at.is_(None)),
    (CouponTemplate.title, CouponTemplate.title_en),
    scope=touching_stores(CouponTemplate.store_ids),
    text=lambda row: str(row.title),
    permission=EDIT,
)


def store_choices() -> list[tuple[str, Any]]:
    """Return the stores of the person here; the brand as a whole for those who see all."""
    whole = [(BRAND, _("The whole brand"))] if visible_store_ids() is None else []
    return [*whole, *visible_stores()]


def store_of(field: SelectField) -> int | None:
    """Return the store that was chosen, nothing for the whole brand."""
    return int(field.data) if field.data else None


def _levels() -> list[tuple[int, str]]:
    newest = (
        sa.select(LevelVersion.level_id, LevelVersion.name)
        .ext(distinct_on(LevelVersion.level_id))
        .order_by(LevelVersion.level_id, LevelVersion.id.desc())
    )
    return [(row.level_id, row.name) for row in db.session.execute(newest)]


class SegmentForm(FlaskForm):
    """Whom a segment means; what is left empty asks for nothing."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)])
    level_ids = TicksField(_("Membership level"), coerce=int, validators=[Optional()])
    store_ids = TicksField(_("Known to one of these stores"), coerce=int, validators=[Optional()])
    tag_ids = TicksField(_("Bears one of these tags"), coerce=int, validators=[Optional()])
    without_tag_ids = TicksField(_("Bears none of these tags"), coerce=int, validators=[Optional()])
    owner_id = LookupField(_("Looked after by"), loader=OWNERS)
    birthday_months = TicksField(_("Birthday in"), coerce=int, validators=[Optional()])
    paid = SelectField(_("Has bought"), validators=[Optional()])
    not_paid_days = IntegerField(
        _("Bought, but not within so many days"),
        validators=[Optional(), NumberRange(1, DAYS_MAX)],
    )
    paid_days = IntegerField(
        _("Bought within so many days"), validators=[Optional(), NumberRange(1, DAYS_MAX)]
    )
    registered_days = IntegerField(
        _("Came to us within so many days"), validators=[Optional(), NumberRange(1, DAYS_MAX)]
    )
    spent_from_fen = YuanField(_("Spent in all, from"))
    spent_to_fen = YuanField(_("Spent in all, up to"))
    points_from = IntegerField(
        _("Points to spend, from"), validators=[Optional(), NumberRange(1, 10**9)]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer levels, stores, tags and months."""
        super().__init__(*args, **kwargs)
        tags = [(one.id, one.name) for one in tags_in_use(db.session())]
        self.tag_ids.choices = self.without_tag_ids.choices = tags
        self.store_ids.choices = [(int(key), name) for key, name in visible_stores()]
        self.level_ids.choices = _levels()
        self.birthday_months.choices = [(one, str(one)) for one in range(1, 13)]
        self.paid.choices = [(NONE, "–"), ("ever", _("At least once")), ("never", _("Never"))]

    def document(self) -> dict[str, Any]:
        """Return what was filled in as a rule."""
        names = ("level_ids", "store_ids", "tag_ids", "without_tag_ids", "birthday_months")
        asked = {name: self[name].data for name in names if self[name].data}
        numbers = ("not_paid_days", "paid_days", "registered_days", "points_from")
        money = ("spent_from_fen", "spent_to_fen")
        asked |= {
            name: self[name].data for name in (*numbers, *money) if self[name].data is not None
        }
        if self.paid.data:
            asked["paid"] = self.paid.data
        if self.owner_id.data is not None:
            asked["owner_ids"] = [int(self.owner_id.data)]
        return asked


class NewSegmentForm(SegmentForm):
    """A segment of a store or of the brand."""

    store_id = SelectField(_("Whose segment"), validators=[Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = store_choices()


def begin_segment(row: Segment) -> Mapping[str, Any]:
    """Return what the form about a segment holds at first."""
    owners = row.rule.get("owner_ids") or [None]
    return {**row.rule, "name": row.name, "owner_id": owners[0]}


class CampaignForm(FlaskForm):
    """To whom, what is said, what is given."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)])
    segment_id = LookupField(_("Segment"), loader=SEGMENTS, validators=[InputRequired()])
    title = StringField(
        lazy_pgettext("message", "Title"),
        validators=[Length(max=20)],
        description=_("Empty where no message goes out. WeChat shows 20 characters."),
    )
    text = StringField(_("Text"), validators=[Length(max=20)])
    note = StringField(_("Note"), validators=[Length(max=20)])
    until = MomentField(_("Until"), validators=[Optional()])
    page = StringField(
        _("Page it opens"),
        validators=[Length(max=200)],
        description=_("Of the mini-program, such as pages/mall/mall."),
    )
    coupon_template_id = LookupField(_("Coupon"), loader=COUPONS)
    control = IntegerField(
        _("Percent left alone to compare"),
        validators=[Optional(), NumberRange(0, 50)],
        default=0,
    )

    def draft(self) -> CampaignDraft:
        """Return what was filled in as the service takes it."""
        says = {name: self[name].data or "" for name in ("title", "text", "note")}
        if self.until.data is not None:
            says["until"] = self.until.data.astimezone(SHANGHAI).isoformat()
        coupon, segment_id = self.coupon_template_id.data, self.segment_id.data
        assert segment_id is not None, "the form asked for it"
        return CampaignDraft(
            name=self.name.data,
            segment_id=int(segment_id),
            says=says,
            page=(self.page.data or "").strip(),
            coupon_template_id=None if coupon is None else int(coupon),
            control_bp=(self.control.data or 0) * PERCENT,
        )


class RewardFields(FlaskForm):
    """A reward of points or of a coupon, or none."""

    points = IntegerField(_("Points given"), validators=[Optional(), NumberRange(1, 1_000_000)])
    coupon_template_id = LookupField(_("Or a coupon"), loader=COUPONS)

    def reward(self) -> Reward | None:
        """Return what was filled in; the coupon where both were."""
        if self.coupon_template_id.data is not None:
            return Reward.coupon(int(self.coupon_template_id.data))
        return Reward.points(self.points.data) if self.points.data else None


def begin_reward(reward: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the fields of a reward hold at first."""
    if reward is None:
        return {}
    if reward["kind"] == RewardKind.POINTS:
        return {"points": reward["amount"]}
    return {"coupon_template_id": reward.get("template_id")}


class CareForm(RewardFields):
    """When care goes out, and what then happens."""

    first = ("name", "kind", "days", "message", "follow_up")

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)])
    kind = SelectField(_("Kind"))
    days = IntegerField(
        _("Days"),
        validators=[InputRequired(), NumberRange(0, 730)],
        description=_("Before the birthday (0 to 30), or since the last visit (7 to 730)."),
    )
    message = StringField(
        _("What is said"),
        validators=[Length(max=20)],
        description=_("Empty where no message goes out. WeChat shows 20 characters."),
    )
    follow_up = TextAreaField(
        _("Task for the store"),
        validators=[Length(max=300)],
        description=_("Empty where staff have nothing to do."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the kinds."""
        super().__init__(*args, **kwargs)
        self.kind.choices = [(one.value, label_of(one)) for one in CareKind]

    def draft(self, store_id: int | None) -> CareDraft:
        """Return what was filled in as the service takes it."""
        return CareDraft(
            name=self.name.data,
            kind=CareKind(self.kind.data),
            days=self.days.data,
            message=self.message.data or "",
            reward=self.reward(),
            follow_up=self.follow_up.data or "",
            store_id=store_id,
        )


class NewCareForm(CareForm):
    """A rule of a store or of the brand."""

    store_id = SelectField(_("For customers of"), validators=[Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = store_choices()


class QuestionnaireForm(RewardFields):
    """What is asked."""

    first = ("title", "questions")

    title = StringField(_("Title"), validators=[InputRequired(), Length(max=60)])
    questions = TextAreaField(
        _("Questions"),
        validators=[InputRequired(), Length(max=20_000)],
        render_kw={"rows": 16},
        description=_(
            "One block for each, with an empty line between: [choice] One of several, [multi]"
            " Several, [scale 5] From 1 to 5, [text] In words; then an option in each line. A star"
            " makes it required: [choice*] How did you hear of us?"
        ),
    )
    segment_id = LookupField(
        _("Only for a segment"), loader=SEGMENTS, description=_("Of the same store.")
    )

    def validate_questions(self, field: TextAreaField) -> None:
        """Refuse what cannot be read, naming the block."""
        try:
            read_text(field.data or "")
        except ValueError as error:
            raise ValidationError(
                gettext("Please look at question %(where)s again.", where=error.args[0])
            ) from None

    def draft(self, store_id: int | None) -> QuestionnaireDraft:
        """Return what was filled in as the service takes it."""
        segment = self.segment_id.data
        return QuestionnaireDraft(
            title=self.title.data,
            questions=read_text(self.questions.data),
            store_id=store_id,
            segment_id=None if segment is None else int(segment),
            reward=self.reward(),
        )


class NewQuestionnaireForm(QuestionnaireForm):
    """A questionnaire of a store or of the brand."""

    store_id = SelectField(_("Whose questionnaire"), validators=[Optional()])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the stores of the person who fills it in."""
        super().__init__(*args, **kwargs)
        self.store_id.choices = store_choices()


class MessageForm(FlaskForm):
    """Which template of WeChat's says what on an occasion."""

    key = SelectField(_("Occasion"))
    name = StringField(_("Name"), validators=[InputRequired(), Length(max=NAME_LENGTH_MAX)])
    wechat_template_id = StringField(
        _("Template at WeChat"), validators=[InputRequired(), Length(min=20, max=64)]
    )
    page = StringField(_("Page it opens"), validators=[Length(max=200)])
    fields_text = TextAreaField(
        _("Fields"),
        validators=[InputRequired(), Length(max=2_000)],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer every occasion."""
        super().__init__(*args, **kwargs)
        self.key.choices = [
            (
                key,
                gettext(
                    "%(occasion)s (%(values)s)",
                    occasion=gettext(one.title),
                    values=listed(str(VALUES[name]) for name in one.values),
                ),
            )
            for key, one in OCCASIONS.items()
        ]
        known = listed(f"{name} ({called})" for name, called in VALUES.items())
        self.fields_text.description = gettext(
            "One in each line, such as: thing1 = title. What can be said: %(known)s.", known=known
        )

    def draft(self) -> TemplateDraft:
        """Return what was filled in. Raises `MessageTemplateInvalid` for a line without a value."""
        pairs = {}
        for line in (self.fields_text.data or "").splitlines():
            if not line.strip():
                continue
            field, equals, value = line.partition("=")
            if not equals:
                raise MessageTemplateInvalid(line.strip()[:40])
            pairs[field.strip()] = value.strip()
        return TemplateDraft(
            key=self.key.data,
            name=self.name.data.strip(),
            wechat_template_id=self.wechat_template_id.data.strip(),
            page=(self.page.data or "").strip(),
            fields=pairs,
        )

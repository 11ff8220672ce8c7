"""The form about the prizes of a lucky draw: a line for each, with its chance and what it gives."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import Field, IntegerField, SelectField, StringField
from wtforms.validators import Length, NumberRange, Optional

from admin.i18n import gettext, say_error
from admin.scopes import touching_stores
from admin.staff import visible_store_ids
from app.activities import draws
from app.activities.draw_errors import PrizesInvalid
from app.activities.draw_odds import WHOLE_PPM
from app.activities.models import Activity
from app.activities.prize_specs import PRIZES_MAX, STOCK_MAX, TITLE_LENGTH_MAX, PrizeSpec
from app.coupons.models import CouponTemplate
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.loyalty.models import RewardKind
from app.loyalty.rewards import AMOUNT_MAX, Reward

PPM_OF_PERCENT: Final = 10_000
PERCENT_DIGITS_MAX: Final = 8
THING: Final = "thing"
SHOWN_FIRST: Final = 3
PARTS: Final = ("title", "chance", "stock", "gives", "points", "template")


class ChanceField(StringField):
    """A chance typed in percent and read as parts of a million, without ever being a float."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else percent_of(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read `12`, `0.5` or `12.3456`; anything else is refused."""
        self.data = None
        text = (valuelist[0] if valuelist else "").strip().removesuffix("%").strip()
        if not text:
            return
        self.data = _ppm_of(text)
        if self.data is None:
            raise ValueError(gettext("Please enter a chance in percent, such as 12.5."))


class PrizeLines(FlaskForm):
    """Up to twelve prizes; a line without a title is none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer what a prize can give, and the coupons that the reader sees."""
        super().__init__(*args, **kwargs)
        gives = [
            (THING, _("Handed over in a store")),
            (RewardKind.POINTS.value, _("Points")),
            (RewardKind.COUPON.value, _("A coupon")),
        ]
        templates = [(0, "–"), *visible_templates()]
        for number in range(1, PRIZES_MAX + 1):
            self[f"gives_{number}"].choices = gives
            self[f"template_{number}"].choices = templates

    @property
    def first_lines(self) -> Sequence[Sequence[Field]]:
        """Return the lines that are shown at once: those filled in, and a few more."""
        return self._lines()[: self._shown()]

    @property
    def more_lines(self) -> Sequence[Sequence[Field]]:
        """Return the lines that are shown when somebody wants more prizes."""
        return self._lines()[self._shown() :]

    @property
    def together(self) -> str:
        """Return the sum of all chances, in percent."""
        return percent_of(sum(spec.chance_ppm for spec in self._filled()))

    @property
    def nothing(self) -> str:
        """Return how likely a draw wins nothing, in percent."""
        return percent_of(max(WHOLE_PPM - sum(spec.chance_ppm for spec in self._filled()), 0))

    def specs(self) -> list[PrizeSpec]:
        """Return the prizes as the service takes them. Raises `PrizesInvalid`."""
        for number in self._numbers():
            gives = self[f"gives_{number}"].data
            if gives == RewardKind.POINTS.value and not self[f"points_{number}"].data:
                raise PrizesInvalid("reward")
            if gives == RewardKind.COUPON.value and not self[f"template_{number}"].data:
                raise PrizesInvalid("reward")
        return self._filled()

    def _filled(self) -> list[PrizeSpec]:
        return [
            PrizeSpec(
                title=self[f"title_{number}"].data.strip(),
                chance_ppm=self[f"chance_{number}"].data or 0,
                stock=self[f"stock_{number}"].data or 0,
                reward=self._reward(number),
            )
            for number in self._numbers()
        ]

    def _numbers(self) -> list[int]:
        numbers = range(1, PRIZES_MAX + 1)
        return [number for number in numbers if (self[f"title_{number}"].data or "").strip()]

    def _reward(self, number: int) -> Reward | None:
        gives = self[f"gives_{number}"].data
        points, template_id = self[f"points_{number}"].data, self[f"template_{number}"].data
        if gives == RewardKind.POINTS.value and points:
            return Reward.points(points)
        if gives == RewardKind.COUPON.value and template_id:
            return Reward.coupon(template_id)
        return None

    def _lines(self) -> list[list[Field]]:
        numbers = range(1, PRIZES_MAX + 1)
        return [[self[f"{part}_{number}"] for part in PARTS] for number in numbers]

    def _shown(self) -> int:
        return min(max([*self._numbers(), SHOWN_FIRST - 1]) + 1, PRIZES_MAX)


def _line(number: int) -> dict[str, Field]:
    return {
        f"title_{number}": StringField(
            _("Prize %(number)s", number=number),
            validators=[Optional(), Length(max=TITLE_LENGTH_MAX)],
        ),
        f"chance_{number}": ChanceField(_("Its chance in percent")),
        f"stock_{number}": IntegerField(
            _("How many there are"), validators=[Optional(), NumberRange(1, STOCK_MAX)]
        ),
        f"gives_{number}": SelectField(_("What it gives"), default=THING),
        f"points_{number}": IntegerField(
            _("How many points"), validators=[Optional(), NumberRange(1, AMOUNT_MAX)]
        ),
        f"template_{number}": SelectField(_("Which coupon"), coerce=int, default=0),
    }


PrizesForm: Final = type(
    "PrizesForm",
    (PrizeLines,),
    {name: field for number in range(1, PRIZES_MAX + 1) for name, field in _line(number).items()},
)
"""The form with all its lines."""


def begin_prizes(row: Activity) -> Mapping[str, Any]:
    """Return what the form about the prizes of a draw begins with: every line, the empty too."""
    held: dict[str, Any] = {}
    prizes = dict(enumerate(draws.prizes_of(db.session(), row.id), start=1))
    for number in range(1, PRIZES_MAX + 1):
        prize = prizes.get(number)
        reward = Reward.from_json(prize.reward) if prize is not None and prize.reward else None
        is_points = reward is not None and reward.kind is RewardKind.POINTS
        held |= {
            f"title_{number}": prize.title if prize else None,
            f"chance_{number}": prize.chance_ppm if prize else None,
            f"stock_{number}": prize.stock if prize else None,
            f"gives_{number}": reward.kind.value if reward else THING,
            f"points_{number}": reward.amount if reward and is_points else None,
            f"template_{number}": (reward.template_id or 0) if reward else 0,
        }
    return held


def explain_prizes(error: DomainError, form: FlaskForm) -> bool:
    """Put a refusal above the lines: it is about several of them, or about one of many."""
    if not isinstance(error, PrizesInvalid):
        return False
    form.form_errors = [*form.form_errors, say_error(error)]
    return True


def percent_of(ppm: int) -> str:
    """Return parts of a million in percent, without zeros that say nothing.

    >>> percent_of(125_000), percent_of(1), percent_of(1_000_000), percent_of(0)
    ('12.5', '0.0001', '100', '0')
    """
    whole, part = divmod(ppm, PPM_OF_PERCENT)
    return f"{whole}.{part:04d}".rstrip("0").rstrip(".")


def _ppm_of(text: str) -> int | None:
    """Read a chance in percent; None for what is none, or finer than a part of a million."""
    if not text.isascii() or len(text) > PERCENT_DIGITS_MAX:
        return None
    try:
        ppm = Decimal(text) * PPM_OF_PERCENT
    except InvalidOperation:
        return None
    is_chance = ppm.is_finite() and 0 < ppm <= WHOLE_PPM and ppm == ppm.to_integral_value()
    return int(ppm) if is_chance else None


def visible_templates() -> list[tuple[int, str]]:
    """Return number and title of each coupon that the person here sees, by title."""
    query = sa.select(CouponTemplate.id, CouponTemplate.title).order_by(CouponTemplate.title)
    store_ids = visible_store_ids()
    if store_ids is not None:
        query = query.where(touching_stores(CouponTemplate.store_ids)(store_ids))
    return [(row.id, row.title) for row in db.session.execute(query)]

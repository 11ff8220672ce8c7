"""The form of a store: where it is, when it is open, how customers reach it."""

from typing import Any, Final

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from flask_babel import lazy_pgettext
from flask_wtf import FlaskForm
from wtforms import SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, Length, ValidationError

from admin import staff
from admin.forms import ReasonForm
from admin.i18n import gettext, say_error
from admin.scopes import region_of_store
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.stores.errors import StoreCodeTaken, StoreInvalid, StoreNameTaken
from app.stores.hours import (
    WEEKDAYS,
    HoursUnclear,
    OpeningHours,
    parse_day,
    parse_week,
    read_hours,
    write_day,
)
from app.stores.models import Region, Store
from app.stores.places import StoreSpec
from app.stores.states import StoreEvent

DECIMALS: Final = 6
WHOLE_DIGITS_MAX: Final = 3
UDEG: Final = 10**DECIMALS
WEEKDAY_NAMES: Final = {
    "monday": _("Monday"),
    "tuesday": _("Tuesday"),
    "wednesday": _("Wednesday"),
    "thursday": _("Thursday"),
    "friday": _("Friday"),
    "saturday": _("Saturday"),
    "sunday": _("Sunday"),
}
FIELD_OF: Final = {"latitude_udeg": "latitude", "longitude_udeg": "longitude"}
"""Fields of the form that are called otherwise than the column."""


class DegreesField(StringField):
    """A coordinate typed in degrees and read as whole micro-degrees, without being a float."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else write_degrees(self.data)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read `31.2304` or `-0.5`; anything else is refused."""
        self.data = None
        text = (valuelist[0] if valuelist else "").strip()
        if not text:
            return
        whole, _dot, decimals = text.removeprefix("-").partition(".")
        parts = (whole, decimals or "0")
        if not all(part.isascii() and part.isdigit() for part in parts) or (
            len(whole) > WHOLE_DIGITS_MAX or len(decimals) > DECIMALS
        ):
            raise ValueError(gettext("Please enter degrees, such as 31.230416."))
        size = int(whole) * UDEG + int(decimals.ljust(DECIMALS, "0"))
        self.data = -size if text.startswith("-") else size


class HoursField(StringField):
    """The hours of one weekday, such as 09:00-12:00, 13:00-21:30; empty on a day off."""

    def __init__(self, label: Any, **kwargs: Any) -> None:
        """Limit what can be typed."""
        super().__init__(label, validators=[Length(max=60), _is_clear], **kwargs)


def _is_clear(_form: FlaskForm, field: StringField) -> None:
    try:
        parse_day(field.data or "")
    except HoursUnclear as error:
        raise ValidationError(gettext("Please enter hours such as 10:00-22:00.")) from error


class StoreForm(FlaskForm):
    """What a store is like."""

    name = StringField(_("Name"), validators=[InputRequired(), Length(max=60)])
    code = StringField(
        _("Short code"),
        validators=[Length(max=12)],
        description=_("Capital letters and digits, such as JA01. Made from the number if empty."),
    )
    city = StringField(_("City"), validators=[Length(max=40)])
    district = StringField(_("District"), validators=[Length(max=40)])
    address = StringField(_("Address"), validators=[Length(max=200)])
    phone = StringField(
        lazy_pgettext("store", "Phone"),
        validators=[Length(max=20)],
        render_kw={"inputmode": "tel"},
        description=_("The number that customers call."),
    )
    latitude = DegreesField(
        _("Latitude"),
        render_kw={"inputmode": "decimal"},
        description=_("In degrees of GCJ-02, as Chinese maps show them."),
    )
    longitude = DegreesField(_("Longitude"), render_kw={"inputmode": "decimal"})
    monday = HoursField(
        WEEKDAY_NAMES["monday"],
        description=_("Such as 10:00-22:00; empty on a day off. 18:00-02:00 goes past midnight."),
    )
    tuesday = HoursField(WEEKDAY_NAMES["tuesday"])
    wednesday = HoursField(WEEKDAY_NAMES["wednesday"])
    thursday = HoursField(WEEKDAY_NAMES["thursday"])
    friday = HoursField(WEEKDAY_NAMES["friday"])
    saturday = HoursField(WEEKDAY_NAMES["saturday"])
    sunday = HoursField(WEEKDAY_NAMES["sunday"])

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the fields, and then that the days do not overlap."""
        if not super().validate(extra_validators):
            return False
        try:
            self.hours()
        except HoursUnclear:
            self.monday.errors = [gettext("The hours of two days overlap.")]
            return False
        return True

    def hours(self) -> OpeningHours | None:
        """Return the week; None where no day says anything."""
        texts = {day: self[day].data or "" for day in WEEKDAYS}
        return parse_week(texts) if any(text.strip() for text in texts.values()) else None

    def spec(self, *, region_id: int | None = None) -> StoreSpec:
        """Return what was filled in as the service takes it."""
        return StoreSpec(
            name=self.name.data or "",
            code=self.code.data or "",
            region_id=region_id,
            city=self.city.data or "",
            district=self.district.data or "",
            address=self.address.data or "",
            phone=self.phone.data or "",
            latitude_udeg=self.latitude.data,
            longitude_udeg=self.longitude.data,
            opening_hours=self.hours(),
        )


class NewStoreForm(StoreForm):
    """A new store, and the region it belongs to."""

    region_id = SelectField(_("Region"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the regions there are."""
        super().__init__(*args, **kwargs)
        self.region_id.choices = region_choices()


class RegionChoiceForm(FlaskForm):
    """The region that stores are moved to."""

    region_id = SelectField(_("Region"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the regions there are."""
        super().__init__(*args, **kwargs)
        self.region_id.choices = region_choices()


class ClosingForm(ReasonForm):
    """For how long a store is closed, and why."""

    event = SelectField(
        _("For how long"),
        choices=[
            SelectChoice(StoreEvent.PAUSE.value, _("For a while")),
            SelectChoice(StoreEvent.CLOSE.value, _("For good")),
        ],
    )


def region_choices() -> list[tuple[str, str]]:
    """Return the regions that the person here may know, and none."""
    query = sa.select(Region.id, Region.name).order_by(Region.name)
    store_ids = staff.visible_store_ids()
    if store_ids is not None:
        query = query.where(region_of_store(Region.id)(store_ids))
    return [("", "–"), *((str(row.id), row.name) for row in db.session.execute(query))]


def chosen_region(form: Any) -> int | None:
    """Return the region that was picked, None for none."""
    return int(form.region_id.data) if form.region_id.data else None


def begin_store(row: Store) -> dict[str, Any]:
    """Return what the form of a store holds at first."""
    hours = read_hours(row.opening_hours) or OpeningHours()
    return {
        "name": row.name,
        "code": row.code,
        "city": row.city,
        "district": row.district,
        "address": row.address,
        "phone": row.phone,
        "latitude": row.latitude_udeg,
        "longitude": row.longitude_udeg,
        **{day: write_day(hours.of(number)) for number, day in enumerate(WEEKDAYS)},
    }


def explain_store(error: DomainError, form: Any) -> bool:
    """Put what is wrong with a store beside the field it is about."""
    if isinstance(error, StoreInvalid):
        name, text = FIELD_OF.get(error.field, error.field), gettext("This is not allowed.")
    elif isinstance(error, StoreNameTaken | StoreCodeTaken):
        name = "name" if isinstance(error, StoreNameTaken) else "code"
        text = say_error(error)
    else:
        return False
    form[name].errors = [text]
    return True


def hours_in_words(row: Store) -> list[str]:
    """Return the week of a store, a line for each day."""
    hours = read_hours(row.opening_hours)
    if hours is None:
        return []
    return [
        gettext(
            "%(name)s: %(what)s",
            name=WEEKDAY_NAMES[day],
            what=write_day(hours.of(number)) or gettext("closed"),
        )
        for number, day in enumerate(WEEKDAYS)
    ]


def write_degrees(udeg: int) -> str:
    """Write micro-degrees as people read them.

    >>> write_degrees(31_230_416), write_degrees(-500_000)
    ('31.230416', '-0.500000')
    """
    whole, rest = divmod(abs(udeg), UDEG)
    return f"{'-' if udeg < 0 else ''}{whole}.{rest:06d}"

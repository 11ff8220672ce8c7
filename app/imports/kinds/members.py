"""Earlier customers: kept until they prove their phone in the mini-program."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.imports.columns import Column, Row
from app.imports.contract import Kind, Scene
from app.imports.errors import RowRefused
from app.imports.fields import day, instant, phone, text_of
from app.imports.people import demand_store, find_stores, hashed
from app.imports.states import ImportKind
from app.kernel.clock import business_day
from app.kernel.i18n import N_
from app.members.expected import Expectation, ExpectedMember, expect
from app.members.profiles import AGE_MIN, NICKNAME_LENGTH_MAX
from app.stores.permissions import Permission

KNOWN_ALREADY: Final = N_("This number was brought in before.")


def check(session: Session, rows: Sequence[Row], scene: Scene) -> None:
    """Find stores, and refuse numbers that are expected already, children and the future."""
    demand_store(rows, scene)
    find_stores(session, rows, scene)
    hashes = {hashed(row.values["phone"]) for row in rows if "phone" in row.values}
    held = set(
        session.scalars(
            sa.select(ExpectedMember.phone_hash).where(ExpectedMember.phone_hash.in_(hashes))
        )
    )
    today = business_day(scene.now)
    for row in rows:
        if "phone" in row.values and hashed(row.values["phone"]) in held:
            row.refuse("phone", "phone_known", KNOWN_ALREADY)
        _check_days(row, scene, today)


def _check_days(row: Row, scene: Scene, today: date) -> None:
    birthday = row.values.get("birthday")
    if birthday is not None and _age(birthday, today) < AGE_MIN:
        row.refuse("birthday", "too_young", N_("Children under fourteen cannot be brought in."))
    first = row.values.get("first_paid")
    if first is not None and first > scene.now:
        row.refuse("first_paid", "in_the_future", N_("This lies in the future."))


def _age(birthday: date, today: date) -> int:
    had_birthday = (today.month, today.day) >= (birthday.month, birthday.day)
    return today.year - birthday.year - (not had_birthday)


def write(session: Session, row: Row, scene: Scene) -> int | None:
    """Keep one earlier customer; who has proven the number already takes it over at once."""
    values = row.values
    known = Expectation(
        phone_hash=hashed(values["phone"]),
        nickname=values.get("nickname", ""),
        birthday_on=values.get("birthday"),
        origin_store_id=row.found.get("store_id"),
        first_paid_at=values.get("first_paid"),
        old_number=values.get("old_number", ""),
    )
    made = expect(session, known, actor=str(scene.actor), now=scene.now)
    if made is None:
        row.refuse("phone", "phone_known", KNOWN_ALREADY)
        raise RowRefused(tuple(row.faults))
    return made.id


KIND: Final = Kind(
    code=ImportKind.MEMBERS,
    title=N_("Earlier customers"),
    intro=N_(
        "Customers of a former system. What is known of them waits until they sign in to the "
        "mini-program and prove their phone number; nothing of it is used before."
    ),
    permissions=frozenset({Permission.MEMBERS_PHONE}),
    needs_consent=True,
    columns=(
        Column(
            name="phone",
            label=N_("Phone"),
            hint=N_("A mobile number of eleven digits, each once."),
            example="13800138000",
            parse=phone,
            is_required=True,
            is_phone=True,
            aliases=("phone number", "mobile", "手机", "手机号", "手机号码", "电话", "联系电话"),
        ),
        Column(
            name="nickname",
            label=N_("Nickname"),
            hint=N_("What the customer is called, at most 40 characters."),
            example="小美",
            parse=text_of(NICKNAME_LENGTH_MAX),
            aliases=("name", "昵称", "姓名", "客户姓名", "会员姓名"),
        ),
        Column(
            name="birthday",
            label=N_("Birthday"),
            hint=N_("A day such as 1990-05-01; fourteen years ago at least."),
            example="1990-05-01",
            parse=day,
            aliases=("birthday on", "生日", "出生日期"),
        ),
        Column(
            name="store",
            label=N_("Store of origin"),
            hint=N_("The name or number of a store, as the list of stores shows it."),
            example="示例门店",
            parse=text_of(80),
            aliases=("store", "门店", "来源门店", "所属门店"),
        ),
        Column(
            name="first_paid",
            label=N_("First purchase"),
            hint=N_("The day of the first purchase; it makes an existing customer."),
            example="2024-08-15",
            parse=instant,
            aliases=("first order", "首次消费", "首次消费日期", "首次消费时间", "首单时间"),
        ),
        Column(
            name="old_number",
            label=N_("Former customer no."),
            hint=N_("What the former system called the customer, at most 60 characters."),
            example="VIP-00012",
            parse=text_of(60),
            aliases=("customer no", "member no", "会员号", "会员卡号", "原客户号", "客户编号"),
        ),
    ),
    check=check,
    write=write,
    key=lambda row: str(row.values.get("phone", "")),
)

"""Distributors of a former system: customers who are known here become active distributors.

The recommender must be one already, or stand in an earlier row of the file; so the file can never
describe a circle, and what cannot be a circle in the file cannot become one in the database.
"""

from collections.abc import Collection, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.distribution.levels import set_level
from app.engines.documents import load_rules
from app.imports.columns import Column, Row
from app.imports.contract import Kind, Scene
from app.imports.errors import ImportNeedsSecond
from app.imports.fields import choice, phone, text_of, whole
from app.imports.people import demand_store, find_people, find_stores, pick_member
from app.imports.states import ImportKind
from app.kernel.i18n import N_
from app.members.enlisting import Enlisting, enlist_distributor
from app.members.models import Distributor, DistributorKind, Standing
from app.members.profiles import REAL_NAME_LENGTH_MAX
from app.members.queries import household_of
from app.plans.queries import level_version
from app.stores.permissions import Permission

ID_MAX: Final = 10**15
FIRST_LEVEL: Final = 1
LEVEL_MAX: Final = 9
AGAIN: Final = frozenset({Standing.REFUSED, Standing.QUIT})
"""Whoever stands here may be brought in once more."""


def rule(row: Row) -> None:
    """Demand a customer, by number or by phone."""
    if "customer_no" not in row.values and "phone" not in row.values:
        row.refuse("phone", "customer_required", N_("Give the phone or the customer no."))


def check(session: Session, rows: Sequence[Row], scene: Scene) -> None:
    """Find customers, stores, recommenders and levels."""
    demand_store(rows, scene)
    find_stores(session, rows, scene)
    people = find_people(session, rows, scene, no="customer_no", phone="phone")
    above = find_people(session, rows, scene, no="", phone="recommender_phone")
    for row in rows:
        row.found["member_id"] = pick_member(row, people, no="customer_no", phone="phone")
        row.found["recommender_id"] = pick_member(row, above, no="", phone="recommender_phone")
    standings = _standings(session, rows)
    _check_levels(session, rows, scene)
    for row in rows:
        if not row.faults:
            _check_standing(row, standings)
            _check_recommender(session, row, standings, scene)


def _standings(session: Session, rows: Sequence[Row]) -> dict[int, Standing]:
    wanted = {row.found.get(name) for row in rows for name in ("member_id", "recommender_id")}
    query = sa.select(Distributor.member_id, Distributor.standing)
    ids = [one for one in wanted if one is not None]
    return {
        int(one.member_id): one.standing
        for one in session.execute(query.where(Distributor.member_id.in_(ids)))
    }


def _check_standing(row: Row, standings: dict[int, Standing]) -> None:
    standing = standings.get(row.found["member_id"])
    if standing is not None and standing not in AGAIN:
        column = "customer_no" if "customer_no" in row.values else "phone"
        text = N_("This customer is a distributor, or has applied to be one.")
        row.refuse(column, "already_a_distributor", text)


def _check_recommender(
    session: Session, row: Row, standings: dict[int, Standing], scene: Scene
) -> None:
    """Demand an active distributor of another household, who may stand in an earlier row."""
    above, member_id = row.found["recommender_id"], row.found["member_id"]
    if above is None:
        return
    column = "recommender_phone"
    if above == member_id:
        row.refuse(column, "own_recommender", N_("Nobody can bring themselves."))
    elif household_of(session, member_id, {above}):
        text = N_("Somebody of the same household does not count as a recommender.")
        row.refuse(column, "same_household", text)
    elif standings.get(above) is not Standing.ACTIVE:
        if scene.is_trial:
            row.waits_for = _key(above)
        else:
            _refuse_recommender(row)


def _refuse_recommender(row: Row) -> None:
    text = N_("The recommender is not an active distributor, nor in an earlier row of this file.")
    row.refuse("recommender_phone", "recommender_not_active", text)


def _check_levels(session: Session, rows: Sequence[Row], scene: Scene) -> None:
    if not any(needs_second(row) for row in rows):
        return
    version = level_version(session, at=scene.now)
    most = load_rules(version.rules).levels.count if version is not None else FIRST_LEVEL
    for row in rows:
        if row.values.get("level", FIRST_LEVEL) > most:
            text = N_("The plan in force has levels up to %(most)s.")
            row.refuse("level", "level_unknown", text, most=most)
        elif needs_second(row) and scene.actor.id is None:
            text = N_("Levels are given by two people, in the back office.")
            row.refuse("level", "level_needs_second", text)


def write(session: Session, row: Row, scene: Scene) -> int | None:
    """Make one customer an active distributor, at the level given."""
    values, member_id = row.values, row.found["member_id"]
    wish = Enlisting(
        member_id=member_id,
        agreement_version=values["agreement"],
        real_name=values.get("real_name"),
        kind=values.get("kind", DistributorKind.PERSON),
        store_id=row.found.get("store_id"),
        recommender_id=row.found["recommender_id"],
    )
    enlist_distributor(session, wish, actor=scene.actor, now=scene.now)
    if needs_second(row):
        if scene.second_actor is None:
            raise ImportNeedsSecond
        set_level(
            session,
            member_id,
            level=values["level"],
            actor=scene.actor,
            second_actor=scene.second_actor,
            reason=scene.source,
            now=scene.now,
        )
    return int(member_id)


def needs_second(row: Row) -> bool:
    """Tell whether a row gives a level by hand, which two people decide."""
    level: int = row.values.get("level", FIRST_LEVEL)
    return level > FIRST_LEVEL


def settle_waiting(row: Row, earlier: Collection[str]) -> None:
    """Refuse a row whose recommender no earlier row makes a distributor."""
    if row.waits_for and row.waits_for not in earlier:
        _refuse_recommender(row)


def key_of(row: Row) -> str:
    """Return the customer, as they were found."""
    member_id = row.found.get("member_id")
    return _key(member_id) if member_id is not None else ""


def _key(member_id: int) -> str:
    return f"member:{member_id}"


KIND: Final = Kind(
    code=ImportKind.DISTRIBUTORS,
    title=N_("Distributors"),
    intro=N_(
        "Customers who have signed in become active distributors at once. A recommender must be "
        "an active distributor, or stand in an earlier row. Levels above the first need a second "
        "person."
    ),
    permissions=frozenset({Permission.DISTRIBUTORS_DECIDE, Permission.MEMBERS_PHONE}),
    columns=(
        Column(
            name="phone",
            label=N_("Phone"),
            hint=N_("The mobile number that the customer has proven in the mini-program."),
            example="13800138000",
            parse=phone,
            is_phone=True,
            aliases=("phone number", "mobile", "手机", "手机号", "手机号码", "电话"),
        ),
        Column(
            name="customer_no",
            label=N_("Customer no."),
            hint=N_("Our number of the customer, instead of the phone."),
            example="",
            parse=whole(1, ID_MAX),
            aliases=("member id", "客户编号", "会员编号"),
        ),
        Column(
            name="real_name",
            label=N_("Real name"),
            hint=N_("As on the identity card; payouts need it. At most 40 characters."),
            example="李小美",
            parse=text_of(REAL_NAME_LENGTH_MAX),
            aliases=("name", "姓名", "真实姓名", "实名"),
        ),
        Column(
            name="agreement",
            label=N_("Agreement"),
            hint=N_("Which version of the distributor agreement was signed, such as 2025-paper."),
            example="2025-paper",
            parse=text_of(40),
            is_required=True,
            aliases=("agreement version", "协议", "协议版本"),
        ),
        Column(
            name="kind",
            label=N_("Kind"),
            hint=N_("Person or partner; person where nothing is said."),
            example="person",
            parse=choice(
                {
                    "person": DistributorKind.PERSON,
                    "partner": DistributorKind.PARTNER,
                    "个人": DistributorKind.PERSON,
                    "合作商家": DistributorKind.PARTNER,
                    "合作伙伴": DistributorKind.PARTNER,
                }
            ),
            aliases=("type", "类型", "身份"),
        ),
        Column(
            name="level",
            label=N_("Level"),
            hint=N_("A level of the plan in force, such as 1; the first where nothing is said."),
            example="1",
            parse=whole(FIRST_LEVEL, LEVEL_MAX),
            aliases=("等级", "级别", "分销等级"),
        ),
        Column(
            name="store",
            label=N_("Store"),
            hint=N_("The name or number of the store they belong to."),
            example="示例门店",
            parse=text_of(80),
            aliases=("store", "门店", "所属门店"),
        ),
        Column(
            name="recommender_phone",
            label=N_("Recommender's phone"),
            hint=N_("The mobile number of whoever brought them; empty for nobody."),
            example="",
            parse=phone,
            is_phone=True,
            aliases=("recommender", "推荐人", "推荐人手机", "推荐人手机号", "上级手机号"),
        ),
    ),
    rule=rule,
    check=check,
    write=write,
    key=key_of,
    needs_second=needs_second,
    settle_waiting=settle_waiting,
)

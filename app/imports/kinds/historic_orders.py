"""Orders of a former system: to be seen on the customer's page, and no money of ours."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.imports.columns import Column, Row
from app.imports.contract import Kind, Scene
from app.imports.errors import RowRefused
from app.imports.fields import instant, phone, text_of, whole, yuan
from app.imports.models import HistoricOrder
from app.imports.people import People, find_people, find_stores, hashed, pick_member
from app.imports.states import ImportKind
from app.kernel.i18n import N_
from app.members.expected import note_purchase
from app.stores.permissions import Permission

AMOUNT_FEN_MAX: Final = 100_000_000
ID_MAX: Final = 10**15
KNOWN_ALREADY: Final = N_("An order of this number was brought in before.")


def rule(row: Row) -> None:
    """Demand a customer, by number or by phone."""
    if "customer_no" not in row.values and "phone" not in row.values:
        row.refuse("phone", "customer_required", N_("Give the phone or the customer no."))


def check(session: Session, rows: Sequence[Row], scene: Scene) -> None:
    """Find customers and stores; refuse numbers that are there already, and the future."""
    find_stores(session, rows, scene)
    people = find_people(session, rows, scene, no="customer_no", phone="phone")
    numbers = {row.values["number"] for row in rows if "number" in row.values}
    held = set(
        session.scalars(sa.select(HistoricOrder.number).where(HistoricOrder.number.in_(numbers)))
    )
    for row in rows:
        if row.values.get("number") in held:
            row.refuse("number", "order_known", KNOWN_ALREADY)
        paid_at = row.values.get("paid")
        if paid_at is not None and paid_at > scene.now:
            row.refuse("paid", "in_the_future", N_("This lies in the future."))
        if row.values.get("amount", 0) > AMOUNT_FEN_MAX:
            row.refuse("amount", "amount_too_large", N_("This is more than one order can cost."))
        _find_customer(row, people)


def _find_customer(row: Row, people: People) -> None:
    """Take the expected customer of a phone where nobody has proven it, else the member."""
    if "customer_no" not in row.values and "phone" in row.values:
        expected = people.expected.get(hashed(row.values["phone"]))
        if expected is not None:
            row.found["expected_id"], row.found["member_id"] = expected
            return
    row.found["member_id"] = pick_member(row, people, no="customer_no", phone="phone")


def write(session: Session, row: Row, scene: Scene) -> int | None:
    """Keep one order, and make an existing customer of whoever bought."""
    values, found = row.values, row.found
    held = sa.select(HistoricOrder.id).where(HistoricOrder.number == values["number"])
    if session.scalar(held) is not None:
        row.refuse("number", "order_known", KNOWN_ALREADY)
        raise RowRefused(tuple(row.faults))
    member_id = found.get("member_id")
    expected_id = None if member_id is not None else found["expected_id"]
    order = HistoricOrder(
        number=values["number"],
        member_id=member_id,
        expected_member_id=expected_id,
        store_id=found["store_id"],
        title=values["title"],
        amount_fen=values["amount"],
        paid_at=values["paid"],
        import_run_id=scene.run_id,
        recorded_at=scene.now,
        actor=str(scene.actor),
    )
    session.add(order)
    session.flush()
    note_purchase(session, member_id=member_id, expected_id=expected_id, at=values["paid"])
    return order.id


KIND: Final = Kind(
    code=ImportKind.HISTORIC_ORDERS,
    title=N_("Historic orders"),
    intro=N_(
        "Orders of a former system, shown on the page of the customer. They earn nobody "
        "commission; whoever bought counts as an existing customer from that day on."
    ),
    permissions=frozenset({Permission.ORDERS_VIEW, Permission.MEMBERS_PHONE}),
    columns=(
        Column(
            name="number",
            label=N_("Order number"),
            hint=N_("The number in the former system, each once; at most 64 characters."),
            example="2024-000123",
            parse=text_of(64),
            is_required=True,
            aliases=("number", "order no", "订单号", "订单编号", "单号"),
        ),
        Column(
            name="phone",
            label=N_("Phone"),
            hint=N_("The customer's mobile number; they must have been brought in or be known."),
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
            name="store",
            label=N_("Store"),
            hint=N_("The name or number of a store, as the list of stores shows it."),
            example="示例门店",
            parse=text_of(80),
            is_required=True,
            aliases=("store", "门店", "消费门店"),
        ),
        Column(
            name="paid",
            label=N_("Paid on"),
            hint=N_("A day such as 2024-08-15, with or without a time such as 14:30."),
            example="2024-08-15 14:30",
            parse=instant,
            is_required=True,
            aliases=("paid at", "date", "支付时间", "消费时间", "下单时间", "日期"),
        ),
        Column(
            name="amount",
            label=N_("Amount in yuan"),
            hint=N_("What was paid, such as 298.00."),
            example="298.00",
            parse=yuan,
            is_required=True,
            aliases=("amount", "金额", "实付金额", "金额(元)", "消费金额"),
        ),
        Column(
            name="title",
            label=N_("What was bought"),
            hint=N_("In words, at most 200 characters."),
            example="补水护理 × 3",
            parse=text_of(200),
            is_required=True,
            aliases=("title", "item", "product", "商品", "项目", "内容", "商品名称"),
        ),
    ),
    rule=rule,
    check=check,
    write=write,
    key=lambda row: str(row.values.get("number", "")),
)

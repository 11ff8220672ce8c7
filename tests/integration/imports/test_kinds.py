"""What the rows of each kind become, and which are refused."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.catalog.models import Product, ProductKind, StockLevel, StockMove, StockMovement
from app.distribution.models import LevelPeriod
from app.imports import running, services
from app.imports.errors import ImportForbidden, ImportNeedsSecond
from app.imports.models import HistoricOrder, ImportKind, ImportState, RowState
from app.kernel.audit import Actor
from app.members.expected import ExpectedMember
from app.members.models import Distributor, DistributorKind, DistributorStep, Standing
from app.orders.models import Order
from tests.factories.imports import acting, bring, carry_out, faults_of, make_expected, rows_of
from tests.factories.orders import make_goods, make_order, make_product
from tests.factories.people import (
    NOON,
    make_distributor,
    make_member,
    make_staff,
    make_store,
)
from tests.factories.plans import make_plan

P1, P2, P3 = "+8613911110001", "+8613911110002", "+8613911110003"
PAID = datetime(2024, 8, 15, 6, 30, tzinfo=UTC)


def test_products_are_added_and_changed_and_empty_cells_leave_what_is_there(
    session: Session,
) -> None:
    mask = make_product(session, kind=ProductKind.GOODS, price_fen=10_000)
    mask.title, mask.description = "Mask", "Cool"
    same = make_product(session, kind=ProductKind.SERVICE, price_fen=5_000)
    same.title = "Same"
    rows: list[list[object]] = [
        ["", "New", "service", "99", "", "yes"],
        [mask.id, "Mask 2", "", "128.00", "168", ""],
        ["", "Same", "service", "50.00", "", ""],
    ]

    done = carry_out(session, bring(session, ImportKind.PRODUCTS, rows))

    new = session.scalars(sa.select(Product).where(Product.title == "New")).one()
    assert (new.price_fen, new.list_price_fen, new.is_published) == (9_900, 9_900, True)
    assert (mask.title, mask.price_fen, mask.list_price_fen) == ("Mask 2", 12_800, 16_800)
    assert (mask.description, mask.is_published) == ("Cool", True)
    assert (done.done_count, done.skipped_count) == (2, 1)


def test_products_that_cannot_be_are_refused(session: Session) -> None:
    mask = make_product(session, kind=ProductKind.GOODS, price_fen=10_000)
    mask.title = "Mask"
    rows = [
        ["", "No price", "goods", "", "", ""],
        ["", "Mask", "service", "", "", ""],
        ["", "Dear", "goods", "9999999.00", "", ""],
        ["", "Odd", "goods", "20", "10", ""],
        ["999999", "Absent", "", "", "", ""],
        ["", "Two", "goods", "20.001", "", "perhaps"],
        ["", "Twin", "goods", "20", "", ""],
        ["", "twin", "goods", "20", "", ""],
    ]

    run = bring(session, ImportKind.PRODUCTS, rows)

    assert faults_of(session, run) == {
        2: [("price", "required_for_new")],
        3: [("kind", "kind_fixed")],
        4: [("price", "price_too_high")],
        5: [("list_price", "list_price_wrong")],
        6: [("product_no", "product_unknown")],
        7: [("price", "amount_wrong"), ("on_sale", "not_yes_or_no")],
        9: [("", "twice_in_file")],
    }


def test_stock_is_counted_received_and_never_below_what_was_promised(session: Session) -> None:
    store = make_store(session, "North")
    counted, arrived, fresh = (make_goods(session, store, on_hand=5) for _ in range(3))
    session.execute(sa.delete(StockLevel).where(StockLevel.product_id == fresh.id))
    promised = make_goods(session, store, on_hand=5)
    session.get_one(StockLevel, (promised.id, store.id)).reserved = 3
    service = make_product(session, kind=ProductKind.SERVICE)
    rows = [
        ["North", counted.id, 2, ""],
        [store.id, arrived.id, "", 4],
        ["North", fresh.id, 7, ""],
        ["North", promised.id, 2, ""],
        ["North", service.id, 2, ""],
        ["North", counted.id, "", 1],
        ["North", "Nothing", 1, ""],
        ["North", arrived.id, 1, 1],
        ["North", arrived.id, "-1", ""],
    ]

    run = bring(session, ImportKind.STOCK, rows)
    carry_out(session, run)

    assert faults_of(session, run) == {
        5: [("counted", "stock_promised")],
        6: [("product", "no_stock")],
        7: [("", "twice_in_file")],
        8: [("product", "product_unknown")],
        9: [("counted", "count_or_receive"), ("", "twice_in_file")],
        10: [("counted", "number_wrong"), ("", "twice_in_file")],
    }
    levels = {one.product_id: one.on_hand for one in session.scalars(sa.select(StockLevel)).all()}
    assert levels == {counted.id: 2, arrived.id: 9, fresh.id: 7, promised.id: 5}
    moves = session.execute(
        sa.select(StockMovement.move, StockMovement.on_hand_change, StockMovement.reason)
        .where(StockMovement.product_id == counted.id)
        .order_by(StockMovement.id.desc())
    ).first()
    assert moves == (StockMove.COUNT, -3, f"import:{run.id}")


def test_historic_orders_make_existing_customers_and_touch_no_books(session: Session) -> None:
    store = make_store(session, "North")
    member = make_member(session, phone=P1, first_paid_at=NOON)
    expected = make_expected(session, phone=P2, store=store)
    rows = [
        ["OLD-1", P1, "North", "2024-08-15 14:30", "298.00", "Serum"],
        ["OLD-2", P2, "North", "2024/8/15 14:30", "1,298.00", "Set"],
        ["OLD-3", P3, "North", "2024-08-15", "1", "Nobody"],
        ["OLD-1", P1, "North", "2024-08-15", "1", "Twice"],
        ["OLD-4", P1, "Nowhere", "2027-01-01", "0", ""],
        ["OLD-5", "", "North", "2024-08-15", "1", "Nobody"],
    ]

    run = bring(session, ImportKind.HISTORIC_ORDERS, rows)
    carry_out(session, run)

    assert faults_of(session, run) == {
        4: [("phone", "customer_unknown")],
        5: [("", "twice_in_file")],
        6: [
            ("amount", "amount_zero"),
            ("title", "required"),
            ("store", "store_unknown"),
            ("paid", "in_the_future"),
        ],
        7: [("phone", "customer_required")],
    }
    orders = session.scalars(sa.select(HistoricOrder).order_by(HistoricOrder.number)).all()
    assert [(one.member_id, one.expected_member_id) for one in orders] == [
        (member.id, None),
        (None, expected.id),
    ]
    assert [(one.amount_fen, one.paid_at) for one in orders] == [(29_800, PAID), (129_800, PAID)]
    assert (member.first_paid_at, expected.first_paid_at) == (PAID, PAID)
    assert session.scalar(sa.select(sa.func.count()).select_from(Order)) == 0


def test_a_historic_order_of_a_claimed_customer_is_the_members(session: Session) -> None:
    store = make_store(session, "North")
    member = make_member(session, phone="+8613911119999")
    expected = make_expected(session, phone=P1, store=store)
    expected.nickname, expected.claimed_by_id, expected.claimed_at = "", member.id, NOON
    rows = [["OLD-1", P1, "North", "2024-08-15 14:30", "298.00", "Serum"]]

    carry_out(session, bring(session, ImportKind.HISTORIC_ORDERS, rows))

    [order] = session.scalars(sa.select(HistoricOrder)).all()
    assert (order.member_id, order.expected_member_id) == (member.id, None)
    assert member.first_paid_at == PAID


def test_historic_orders_can_never_be_changed(session: Session) -> None:
    store = make_store(session, "North")
    make_member(session, phone=P1)
    rows = [["OLD-1", P1, "North", "2024-08-15 14:30", "298.00", "Serum"]]
    carry_out(session, bring(session, ImportKind.HISTORIC_ORDERS, rows))
    assert store.id

    with pytest.raises(sa.exc.IntegrityError, match="never changed"), session.begin_nested():
        session.execute(sa.update(HistoricOrder).values(amount_fen=1))


def test_a_number_that_is_there_already_is_refused(session: Session) -> None:
    make_store(session, "North")
    make_member(session, phone=P1)
    rows = [["OLD-1", P1, "North", "2024-08-15", "298.00", "Serum"]]
    carry_out(session, bring(session, ImportKind.HISTORIC_ORDERS, rows))

    again = bring(session, ImportKind.HISTORIC_ORDERS, rows)

    assert faults_of(session, again) == {2: [("number", "order_known")]}


def test_distributors_are_enlisted_under_recommenders_of_earlier_rows(session: Session) -> None:
    store = make_store(session, "North")
    staff = make_staff(session, "owner")
    upper, lower, late = (make_member(session, phone=one) for one in (P1, P2, P3))
    rows = [
        [P1, "Li Mei", "paper", "partner", "", "North", ""],
        [P2, "", "paper", "", "1", "", P1],
    ]

    run = bring(session, ImportKind.DISTRIBUTORS, rows, staff=staff)
    done = carry_out(session, run, staff=staff)

    first, second = (session.get_one(Distributor, one.id) for one in (upper, lower))
    assert (done.done_count, faults_of(session, run)) == (2, {})
    assert (first.standing, first.kind, first.store_id) == (
        Standing.ACTIVE,
        DistributorKind.PARTNER,
        store.id,
    )
    assert (first.agreement_version, first.direct_count) == ("paper", 1)
    assert (second.recommender_id, second.standing) == (upper.id, Standing.ACTIVE)
    actors = session.scalars(sa.select(DistributorStep.actor).distinct()).all()
    assert actors == [f"staff:{staff.id}"]
    assert session.get(Distributor, late.id) is None


def test_a_file_cannot_describe_a_circle_nor_refer_to_later_or_wrong_rows(
    session: Session,
) -> None:
    for phone in (P1, P2, P3):
        make_member(session, phone=phone)
    rows = [
        [P1, "", "paper", "", "", "", P2],
        [P2, "", "paper", "", "", "", P1],
        [P3, "", "paper", "", "", "", P3],
    ]

    run = bring(session, ImportKind.DISTRIBUTORS, rows)

    assert faults_of(session, run) == {
        2: [("recommender_phone", "recommender_not_active")],
        3: [("recommender_phone", "recommender_not_active")],
        4: [("recommender_phone", "own_recommender")],
    }


def test_who_is_no_customer_or_a_distributor_already_is_refused(session: Session) -> None:
    make_distributor(session, make_member(session, phone=P1))
    for _ in range(2):
        make_member(session, phone=P2)
    rows = [
        [P1, "", "paper", "", "", "", ""],
        [P2, "", "paper", "", "", "", ""],
        [P3, "", "paper", "", "", "", ""],
        ["", "", "paper", "", "", "", ""],
        ["13911110009", "", "", "", "", "", ""],
    ]

    run = bring(session, ImportKind.DISTRIBUTORS, rows)

    assert faults_of(session, run) == {
        2: [("phone", "already_a_distributor")],
        3: [("phone", "customer_ambiguous")],
        4: [("phone", "customer_unknown")],
        5: [("phone", "customer_required")],
        6: [("agreement", "required"), ("phone", "customer_unknown")],
    }


def test_customers_of_other_stores_are_unknown_to_who_works_at_one(session: Session) -> None:
    here, there = make_store(session, "Here"), make_store(session, "There")
    make_member(session, phone=P1, origin_store_id=here.id)
    make_member(session, phone=P2, origin_store_id=there.id)
    bought_here = make_member(session, phone=P3, origin_store_id=there.id)
    make_order(session, member=bought_here, store=here)
    staff = make_staff(session, "operations", stores=[here])
    rows = [[one, "", "paper", "", "", "Here", ""] for one in (P1, P2, P3)]

    run = bring(session, ImportKind.DISTRIBUTORS, rows, staff=staff)

    assert faults_of(session, run) == {3: [("phone", "customer_unknown")]}


def test_levels_take_a_second_person_who_begins_the_run(session: Session) -> None:
    make_plan(session)
    maker, checker, clerk = (make_staff(session, one) for one in ("owner", "owner", "finance"))
    member = make_member(session, phone=P1)
    rows = [[P1, "", "paper", "", "2", "", ""]]
    run = bring(session, ImportKind.DISTRIBUTORS, rows, staff=maker)

    assert (run.needs_second, run.valid_count) == (True, 1)
    for wrong, error in ((maker, ImportNeedsSecond), (clerk, ImportForbidden)):
        with pytest.raises(error):
            services.begin(session, run.id, actor=acting(wrong), now=NOON)
    session.rollback()
    carry_out(session, run, staff=checker)

    assert session.get_one(Distributor, member.id).level == 2
    period = session.scalars(sa.select(LevelPeriod).where(LevelPeriod.level == 2)).one()
    assert period.actor == f"staff:{maker.id}+staff:{checker.id}"


def test_a_level_needs_both_people_to_have_the_right_until_it_is_written(session: Session) -> None:
    make_plan(session)
    maker, checker = make_staff(session, "owner"), make_staff(session, "owner")
    member = make_member(session, phone=P1)
    rows = [[P1, "", "paper", "", "2", "", ""]]
    run = bring(session, ImportKind.DISTRIBUTORS, rows, staff=maker)
    services.begin(session, run.id, actor=acting(checker), now=NOON)
    checker.active = False
    session.commit()

    running.work(lambda: NOON)

    session.expire_all()
    assert (run.state, run.error) == (ImportState.FAILED, "import_forbidden")
    assert session.get(Distributor, member.id) is None


def test_a_level_that_the_plan_does_not_have_is_refused(session: Session) -> None:
    staff = make_staff(session, "owner")
    make_member(session, phone=P1)

    run = bring(session, ImportKind.DISTRIBUTORS, [[P1, "", "paper", "", "7", "", ""]], staff=staff)

    assert faults_of(session, run) == {2: [("level", "level_unknown")]}


def test_who_loses_the_right_meanwhile_writes_nothing_more(session: Session) -> None:
    store = make_store(session, "North")
    product = make_goods(session, store, on_hand=5)
    staff = make_staff(session, "operations")
    run = bring(session, ImportKind.STOCK, [["North", product.id, 9, ""]], staff=staff)
    services.begin(session, run.id, actor=Actor("staff", staff.id), now=NOON)
    staff.active = False
    session.commit()

    running.work(lambda: NOON)

    session.expire_all()
    assert (run.state, run.error) == (ImportState.FAILED, "import_forbidden")
    assert [one.state for one in rows_of(session, run)] == [RowState.VALID]
    assert session.get_one(StockLevel, (product.id, store.id)).on_hand == 5
    assert session.scalar(sa.select(sa.func.count()).select_from(ExpectedMember)) == 0

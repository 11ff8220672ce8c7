from datetime import UTC, date, datetime

import pytest

from app.stores.models import Role, Staff, Store
from app.stores.permissions import (
    ROLE_DESCRIPTIONS,
    ROLE_PERMISSIONS,
    Permission,
    RoleName,
    allowed_by,
    permissions_of,
)
from app.stores.queries import is_employed, may, staff_permissions, visible_store_ids


def staff(*roles: str, active: bool = True, sees_all: bool = False) -> Staff:
    return Staff(
        active=active,
        sees_all_stores=sees_all,
        roles=[Role(name=role) for role in roles],
        stores=[Store(id=3), Store(id=5)],
    )


def test_every_role_has_permissions_and_a_description() -> None:
    assert set(ROLE_PERMISSIONS) == set(RoleName) == set(ROLE_DESCRIPTIONS)


def test_the_owner_may_everything_and_nobody_else_may_appoint() -> None:
    assert permissions_of(["owner"]) == set(Permission)
    appointing = {role for role, held in ROLE_PERMISSIONS.items() if Permission.STAFF_EDIT in held}
    assert appointing == {"owner"}


def test_the_auditor_sees_and_does_nothing() -> None:
    assert all(one.value.endswith(".view") for one in permissions_of(["auditor"]))
    assert Permission.LEDGER_VIEW in permissions_of(["auditor"])


def test_who_drafts_plans_does_not_publish_them_and_who_pays_does_not_draft() -> None:
    assert Permission.PLANS_PUBLISH not in permissions_of(["operations"])
    assert Permission.PLANS_DRAFT not in permissions_of(["finance"])
    assert Permission.PAYOUTS_APPROVE not in permissions_of(["operations"])


def test_stores_see_no_money_of_the_brand() -> None:
    of_stores = permissions_of(["store_manager", "front_desk"])

    assert of_stores.isdisjoint(
        {
            Permission.LEDGER_VIEW,
            Permission.PAYOUTS_VIEW,
            Permission.PAYOUTS_APPROVE,
            Permission.AWARDS_VIEW,
            Permission.REFUNDS_DECIDE,
            Permission.BINDINGS_TRANSFER,
            Permission.EXPORTS,
        }
    )


def test_several_roles_add_up_and_an_unknown_one_adds_nothing() -> None:
    both = permissions_of(["front_desk", "finance", "cook"])

    assert both == ROLE_PERMISSIONS["front_desk"] | ROLE_PERMISSIONS["finance"]


def test_a_role_of_ones_own_adds_what_its_row_lists() -> None:
    person = staff("front_desk")
    person.roles.append(Role(name="Regional", permissions=["payouts.view"], is_active=True))

    assert staff_permissions(person) == ROLE_PERMISSIONS["front_desk"] | {Permission.PAYOUTS_VIEW}


def test_unknown_words_and_rights_of_the_crown_allow_nothing_whatever_a_row_says() -> None:
    listed = ["orders.view", "staff.edit", "roles.edit", "fly", "", "ORDERS.EDIT"]

    assert allowed_by("Regional", listed) == {Permission.ORDERS_VIEW}


def test_a_row_cannot_change_what_a_built_in_role_allows() -> None:
    assert allowed_by("front_desk", ["payouts.approve"]) == ROLE_PERMISSIONS["front_desk"]


def test_a_role_that_was_switched_off_allows_nothing() -> None:
    person = staff()
    person.roles = [Role(name="Regional", permissions=["orders.view"], is_active=False)]

    assert staff_permissions(person) == frozenset()


@pytest.mark.parametrize(
    ("begins", "ends", "works"),
    [
        (None, None, True),
        (date(2026, 3, 1), None, True),
        (date(2026, 3, 2), None, False),
        (None, date(2026, 3, 1), True),
        (None, date(2026, 2, 28), False),
    ],
)
def test_first_and_last_day_of_employment_count(
    begins: date | None, ends: date | None, works: bool
) -> None:
    person = staff("front_desk")
    person.employed_from_on, person.employed_until_on = begins, ends

    assert is_employed(person, now=datetime(2026, 3, 1, 12, tzinfo=UTC)) is works


def test_the_day_of_employment_is_that_of_the_shops() -> None:
    person = staff("front_desk")
    person.employed_until_on = date(2026, 3, 1)

    assert is_employed(person, now=datetime(2026, 3, 1, 15, 59, tzinfo=UTC))
    assert not is_employed(person, now=datetime(2026, 3, 1, 16, 0, tzinfo=UTC))


def test_whoever_was_disabled_sees_and_may_nothing() -> None:
    gone = staff("owner", active=False, sees_all=True)

    assert visible_store_ids(gone) == frozenset()
    assert staff_permissions(gone) == frozenset()
    assert not may(gone, Permission.ORDERS_VIEW)

from app.stores.models import Role, Staff, Store
from app.stores.permissions import (
    ROLE_DESCRIPTIONS,
    ROLE_PERMISSIONS,
    Permission,
    RoleName,
    permissions_of,
)
from app.stores.queries import may, staff_permissions, visible_store_ids


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


def test_staff_see_their_own_stores_unless_they_see_all() -> None:
    assert visible_store_ids(staff("store_manager")) == frozenset({3, 5})
    assert visible_store_ids(staff("finance", sees_all=True)) is None


def test_whoever_was_disabled_sees_and_may_nothing() -> None:
    gone = staff("owner", active=False, sees_all=True)

    assert visible_store_ids(gone) == frozenset()
    assert staff_permissions(gone) == frozenset()
    assert not may(gone, Permission.ORDERS_VIEW)

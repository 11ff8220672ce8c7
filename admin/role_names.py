"""What roles and permissions are called."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _

from admin.i18n import gettext, listed, pgettext
from app.stores.permissions import Permission


def role_name(name: str) -> str:
    """Return what people call a role."""
    names = {
        "owner": pgettext("role", "Owner"),
        "operations": gettext("Operations"),
        "finance": gettext("Finance"),
        "store_manager": gettext("Store manager"),
        "front_desk": gettext("Front desk"),
        "auditor": gettext("Auditor"),
    }
    return names.get(name, name)


def permission_names() -> dict[Permission, str]:
    """Return what people call each permission."""
    return {
        **_names_of_trade(),
        **_names_of_promotions(),
        **_names_of_money(),
        **_names_of_the_house(),
    }


@dataclass(frozen=True, slots=True)
class Area:
    """Permissions that belong together, in the order of the table."""

    name: str
    title: Any
    subjects: frozenset[str]
    """What permissions of this area begin with."""

    @property
    def permissions(self) -> tuple[Permission, ...]:
        """Return the permissions of this area."""
        return tuple(one for one in Permission if one.value.partition(".")[0] in self.subjects)


AREAS: Final = (
    Area("customers", _("Customers"), frozenset({"members", "bindings", "notes", "disputes"})),
    Area("privacy", _("Personal data"), frozenset({"privacy"})),
    Area(
        "distribution",
        _("Distribution"),
        frozenset({"distributors", "share_codes", "plans", "shareholders", "gifts", "risk"}),
    ),
    Area(
        "promotions",
        _("Promotions"),
        frozenset(
            {
                *("coupons", "cards", "redeem", "points", "mall", "membership"),
                *("activities", "posters", "reviews", "campaigns"),
            }
        ),
    ),
    Area("orders", _("Orders and stock"), frozenset({"orders", "refunds", "catalog", "stock"})),
    Area("money", _("Money"), frozenset({"awards", "months", "payouts", "ledger"})),
    Area("data", _("Files"), frozenset({"exports", "imports"})),
    Area(
        "house",
        _("Stores and staff"),
        frozenset({"stores", "regions", "staff", "roles", "approvals"}),
    ),
    Area("system", _("Settings and operation"), frozenset({"settings", "operations", "audit"})),
)
"""Every permission is in exactly one of them."""


def said_by_area(held: Collection[Permission]) -> list[str]:
    """Return permissions as one sentence per area, leaving out areas without any."""
    names = permission_names()
    said = [(area.title, [names[one] for one in area.permissions if one in held]) for area in AREAS]
    return [
        gettext("%(name)s: %(what)s", name=title, what=listed(texts))
        for title, texts in said
        if texts
    ]


def role_names_of(names: Collection[str]) -> str:
    """Return what people call several roles."""
    return listed(role_name(one) for one in names)


def permission_names_of(values: Collection[str]) -> str:
    """Return what people call several permissions; a word that is none stays as it is."""
    names = {one.value: name for one, name in permission_names().items()}
    return listed(names.get(one, one) for one in values)


def _names_of_trade() -> dict[Permission, str]:
    return {
        Permission.MEMBERS_VIEW: gettext("See customers"),
        Permission.MEMBERS_PHONE: gettext("See whole phone numbers"),
        Permission.DISTRIBUTORS_VIEW: gettext("See distributors"),
        Permission.DISTRIBUTORS_DECIDE: gettext("Approve, refuse and freeze distributors"),
        Permission.DISTRIBUTORS_MOVE: gettext("Move distributors, as one of two people"),
        Permission.BINDINGS_VIEW: gettext("See whom customers belong to"),
        Permission.BINDINGS_TRANSFER: gettext("Hand customers over, as one of two people"),
        Permission.SHARE_CODES_VIEW: gettext("See share codes and channels"),
        Permission.SHARE_CODES_ISSUE: gettext("Make share codes"),
        Permission.SHARE_CODES_REVOKE: gettext("Revoke share codes"),
        Permission.CATALOG_VIEW: gettext("See products"),
        Permission.CATALOG_EDIT: gettext("Add and change products"),
        Permission.STOCK_VIEW: gettext("See stock"),
        Permission.STOCK_EDIT: gettext("Receive and count stock"),
        Permission.ORDERS_VIEW: gettext("See orders and refunds"),
        Permission.ORDERS_COMPLETE: gettext("Redeem and hand over"),
        Permission.SHAREHOLDERS_VIEW: gettext("See shareholders"),
        Permission.SHAREHOLDERS_DECIDE: gettext("Give and end seats of shareholders"),
        Permission.GIFTS_VIEW: gettext("See gifts"),
        Permission.GIFTS_GIVE: gettext("Hand over gifts"),
        Permission.GIFTS_REVOKE: gettext("Revoke gifts"),
    }


def _names_of_promotions() -> dict[Permission, str]:
    return {
        Permission.COUPONS_VIEW: gettext("See coupons"),
        Permission.COUPONS_EDIT: gettext("Make and end coupons"),
        Permission.COUPONS_GIVE: gettext("Give coupons to customers"),
        Permission.CARDS_VIEW: gettext("See guest cards"),
        Permission.CARDS_EDIT: gettext("Make and revoke guest cards"),
        Permission.REDEEM: gettext("Redeem coupons, cards and prizes"),
        Permission.POINTS_VIEW: gettext("See points"),
        Permission.POINTS_ADJUST: gettext("Grant and take points"),
        Permission.MALL_EDIT: gettext("Change the points mall"),
        Permission.MEMBERSHIP_VIEW: gettext("See membership levels"),
        Permission.MEMBERSHIP_EDIT: gettext("Set membership levels and what they bring"),
        Permission.ACTIVITIES_VIEW: gettext("See activities"),
        Permission.ACTIVITIES_EDIT: gettext("Prepare, start and end activities"),
        Permission.POSTERS_VIEW: gettext("See posters"),
        Permission.POSTERS_EDIT: gettext("Make and change posters"),
        Permission.REVIEWS_VIEW: gettext("See reviews"),
        Permission.REVIEWS_DECIDE: gettext("Reply to reviews, show and hide them"),
        Permission.CAMPAIGNS_VIEW: gettext("See campaigns and questionnaires"),
        Permission.CAMPAIGNS_EDIT: gettext("Prepare campaigns and questionnaires"),
        Permission.CAMPAIGNS_SEND: gettext("Let campaigns go out"),
    }


def _names_of_money() -> dict[Permission, str]:
    return {
        Permission.REFUNDS_REQUEST: gettext("Ask for refunds"),
        Permission.REFUNDS_DECIDE: gettext("Approve and reject refunds"),
        Permission.PLANS_VIEW: gettext("See plans"),
        Permission.PLANS_DRAFT: gettext("Draft plans"),
        Permission.PLANS_CONFIRM: gettext("Answer in writing for risks of plans"),
        Permission.PLANS_PUBLISH: gettext("Publish and retire plans drafted by others"),
        Permission.AWARDS_VIEW: gettext("See commission"),
        Permission.MONTHS_CLOSE: gettext("Close months of plans"),
        Permission.PAYOUTS_VIEW: gettext("See payouts"),
        Permission.PAYOUTS_APPROVE: gettext("Approve and reject payouts"),
        Permission.LEDGER_VIEW: gettext("See the ledger"),
    }


def _names_of_the_house() -> dict[Permission, str]:
    return {
        Permission.AUDIT_VIEW: gettext("See the audit trail"),
        Permission.OPERATIONS_VIEW: gettext("See tasks and notices"),
        Permission.OPERATIONS_RETRY: gettext("Try tasks again"),
        Permission.STORES_VIEW: gettext("See stores"),
        Permission.STORES_EDIT: gettext("Open stores"),
        Permission.STAFF_VIEW: gettext("See staff and roles"),
        Permission.STAFF_EDIT: gettext("Appoint staff, set roles and stores"),
        Permission.STAFF_MODE: gettext("Work in the mini-program's staff mode"),
        Permission.ROLES_EDIT: gettext("Make roles, as one of two people"),
        Permission.REGIONS_EDIT: gettext("Group stores into regions"),
        Permission.EXPORTS: gettext("Take lists out as files"),
        Permission.IMPORTS: gettext("Bring rows in from files"),
        Permission.APPROVALS_VIEW: gettext("See what waits for a second person"),
        Permission.NOTES_WRITE: gettext("Write notes, tags and follow-ups about customers"),
        Permission.DISPUTES_OPEN: gettext("Contest who owns a customer"),
        Permission.RISK_VIEW: gettext("See risk flags"),
        Permission.RISK_DECIDE: gettext("Raise and release risk flags"),
        Permission.SETTINGS_VIEW: gettext("See settings"),
        Permission.SETTINGS_EDIT: gettext("Change settings"),
        Permission.PRIVACY_VIEW: gettext("See requests about personal data"),
        Permission.PRIVACY_DECIDE: gettext("Export and delete a customer's data for them"),
    }

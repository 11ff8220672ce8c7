"""What each role may do in the back office. Pure.

A role says what; the stores of a member of staff say where (`queries.visible_store_ids`). Both are
checked by the base class of every view, so that a forgotten check cannot open anything.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from app.kernel.i18n import N_


class Permission(StrEnum):
    """One thing that staff may or may not do."""

    MEMBERS_VIEW = "members.view"
    MEMBERS_PHONE = "members.phone"
    """See a full phone number; each look is recorded."""
    DISTRIBUTORS_VIEW = "distributors.view"
    DISTRIBUTORS_DECIDE = "distributors.decide"
    """Approve, refuse, freeze and unfreeze."""
    DISTRIBUTORS_MOVE = "distributors.move"
    """Move a recommender, as one of two."""
    BINDINGS_VIEW = "bindings.view"
    BINDINGS_TRANSFER = "bindings.transfer"
    """Transfer or end a binding, as one of two."""
    SHARE_CODES_VIEW = "share_codes.view"
    SHARE_CODES_ISSUE = "share_codes.issue"
    SHARE_CODES_REVOKE = "share_codes.revoke"
    CATALOG_VIEW = "catalog.view"
    CATALOG_EDIT = "catalog.edit"
    STOCK_VIEW = "stock.view"
    STOCK_EDIT = "stock.edit"
    ORDERS_VIEW = "orders.view"
    ORDERS_COMPLETE = "orders.complete"
    REFUNDS_REQUEST = "refunds.request"
    REFUNDS_DECIDE = "refunds.decide"
    COUPONS_VIEW = "coupons.view"
    COUPONS_EDIT = "coupons.edit"
    """Make templates of coupons and end them."""
    COUPONS_GIVE = "coupons.give"
    """Give coupons to customers, one by one or by segment."""
    CARDS_VIEW = "cards.view"
    CARDS_EDIT = "cards.edit"
    """Make templates of guest cards, set quotas, revoke cards."""
    REDEEM = "redeem"
    """Redeem coupons, guest cards and prizes of customers at the counter."""
    POINTS_VIEW = "points.view"
    POINTS_ADJUST = "points.adjust"
    """Grant and take points by hand, with a reason."""
    MALL_EDIT = "mall.edit"
    """Say what points can be exchanged for."""
    MEMBERSHIP_VIEW = "membership.view"
    MEMBERSHIP_EDIT = "membership.edit"
    """Set the levels of members and what they bring."""
    ACTIVITIES_VIEW = "activities.view"
    ACTIVITIES_EDIT = "activities.edit"
    """Prepare, start and end activities."""
    POSTERS_VIEW = "posters.view"
    POSTERS_EDIT = "posters.edit"
    REVIEWS_VIEW = "reviews.view"
    REVIEWS_DECIDE = "reviews.decide"
    """Reply to reviews, show and hide them."""
    CAMPAIGNS_VIEW = "campaigns.view"
    """See segments, campaigns and questionnaires."""
    CAMPAIGNS_EDIT = "campaigns.edit"
    """Prepare campaigns and questionnaires."""
    CAMPAIGNS_SEND = "campaigns.send"
    """Let a campaign go out to its segment."""
    PLANS_VIEW = "plans.view"
    PLANS_DRAFT = "plans.draft"
    PLANS_CONFIRM = "plans.confirm"
    """Answer in writing, by name, for what the compliance check calls a high risk."""
    PLANS_PUBLISH = "plans.publish"
    AWARDS_VIEW = "awards.view"
    MONTHS_CLOSE = "months.close"
    """Close a month of a plan once and for good, before the night does it."""
    SHAREHOLDERS_VIEW = "shareholders.view"
    SHAREHOLDERS_DECIDE = "shareholders.decide"
    """Give seats of a store, change their levels, end them."""
    GIFTS_VIEW = "gifts.view"
    GIFTS_GIVE = "gifts.give"
    """Hand over what a plan granted."""
    GIFTS_REVOKE = "gifts.revoke"
    PAYOUTS_VIEW = "payouts.view"
    PAYOUTS_APPROVE = "payouts.approve"
    LEDGER_VIEW = "ledger.view"
    AUDIT_VIEW = "audit.view"
    OPERATIONS_VIEW = "operations.view"
    """Queues, quarantined tasks and notices."""
    OPERATIONS_RETRY = "operations.retry"
    """Let a quarantined task be tried again."""
    STORES_VIEW = "stores.view"
    STORES_EDIT = "stores.edit"
    STAFF_VIEW = "staff.view"
    STAFF_EDIT = "staff.edit"
    STAFF_MODE = "staff.mode"
    """Work in the mini-program's staff mode: find and hand over orders of one's stores."""
    ROLES_EDIT = "roles.edit"
    """Make roles of one's own and say what they allow; a second person approves."""
    REGIONS_EDIT = "regions.edit"
    EXPORTS = "exports"
    IMPORTS = "imports"
    """Bring rows in from files."""
    APPROVALS_VIEW = "approvals.view"
    """See what waits for a second person; deciding needs the right of the matter itself."""
    NOTES_WRITE = "notes.write"
    """Write notes, tags and follow-ups into the file of a customer."""
    DISPUTES_OPEN = "disputes.open"
    """Contest who owns a customer, with evidence."""
    RISK_VIEW = "risk.view"
    RISK_DECIDE = "risk.decide"
    """Raise and release risk flags, which hold payouts."""
    SETTINGS_VIEW = "settings.view"
    SETTINGS_EDIT = "settings.edit"
    PRIVACY_VIEW = "privacy.view"
    PRIVACY_DECIDE = "privacy.decide"
    """Start the export or the deletion of a customer's data on their behalf."""


CROWN: Final = frozenset({Permission.STAFF_EDIT, Permission.ROLES_EDIT})
"""What owners keep to themselves: no role of the brand's own ever allows it."""

ROLE_NAME_LENGTH_MAX: Final = 40


class RoleName(StrEnum):
    """The roles that are built in; the brand may add others of its own."""

    OWNER = "owner"
    OPERATIONS = "operations"
    FINANCE = "finance"
    STORE_MANAGER = "store_manager"
    FRONT_DESK = "front_desk"
    AUDITOR = "auditor"


ROLE_DESCRIPTIONS: Final[Mapping[RoleName, str]] = {
    RoleName.OWNER: N_("Everything, and who else may do what"),
    RoleName.OPERATIONS: N_("Plans, distributors, customers and the catalogue"),
    RoleName.FINANCE: N_("Commissions, payouts, refunds and the ledger"),
    RoleName.STORE_MANAGER: N_("Orders, stock, staff and figures of their own stores"),
    RoleName.FRONT_DESK: N_("Redeems and hands over what customers of their store have bought"),
    RoleName.AUDITOR: N_("Sees everything but full phone numbers, and changes nothing"),
}

_VIEWS: Final = frozenset(one for one in Permission if one.value.endswith(".view"))

ROLE_PERMISSIONS: Final[Mapping[str, frozenset[Permission]]] = {
    RoleName.OWNER: frozenset(Permission),
    RoleName.OPERATIONS: frozenset(
        {
            Permission.MEMBERS_VIEW,
            Permission.MEMBERS_PHONE,
            Permission.DISTRIBUTORS_VIEW,
            Permission.DISTRIBUTORS_DECIDE,
            Permission.DISTRIBUTORS_MOVE,
            Permission.BINDINGS_VIEW,
            Permission.BINDINGS_TRANSFER,
            Permission.SHARE_CODES_VIEW,
            Permission.SHARE_CODES_ISSUE,
            Permission.SHARE_CODES_REVOKE,
            Permission.CATALOG_VIEW,
            Permission.CATALOG_EDIT,
            Permission.STOCK_VIEW,
            Permission.STOCK_EDIT,
            Permission.ORDERS_VIEW,
            Permission.ORDERS_COMPLETE,
            Permission.REFUNDS_REQUEST,
            Permission.COUPONS_VIEW,
            Permission.CARDS_VIEW,
            Permission.POINTS_VIEW,
            Permission.MEMBERSHIP_VIEW,
            Permission.ACTIVITIES_VIEW,
            Permission.POSTERS_VIEW,
            Permission.REVIEWS_VIEW,
            Permission.CAMPAIGNS_VIEW,
            Permission.COUPONS_EDIT,
            Permission.COUPONS_GIVE,
            Permission.CARDS_EDIT,
            Permission.REDEEM,
            Permission.POINTS_ADJUST,
            Permission.MALL_EDIT,
            Permission.MEMBERSHIP_EDIT,
            Permission.ACTIVITIES_EDIT,
            Permission.POSTERS_EDIT,
            Permission.REVIEWS_DECIDE,
            Permission.CAMPAIGNS_EDIT,
            Permission.CAMPAIGNS_SEND,
            Permission.PLANS_VIEW,
            Permission.PLANS_DRAFT,
            Permission.AWARDS_VIEW,
            Permission.SHAREHOLDERS_VIEW,
            Permission.SHAREHOLDERS_DECIDE,
            Permission.GIFTS_VIEW,
            Permission.GIFTS_GIVE,
            Permission.GIFTS_REVOKE,
            Permission.STORES_VIEW,
            Permission.STORES_EDIT,
            Permission.OPERATIONS_VIEW,
            Permission.OPERATIONS_RETRY,
            Permission.EXPORTS,
            Permission.STAFF_MODE,
            Permission.IMPORTS,
            Permission.APPROVALS_VIEW,
            Permission.NOTES_WRITE,
            Permission.DISPUTES_OPEN,
            Permission.RISK_VIEW,
            Permission.RISK_DECIDE,
            Permission.SETTINGS_VIEW,
            Permission.PRIVACY_VIEW,
            Permission.PRIVACY_DECIDE,
        }
    ),
    RoleName.FINANCE: frozenset(
        {
            Permission.MEMBERS_VIEW,
            Permission.DISTRIBUTORS_VIEW,
            Permission.BINDINGS_VIEW,
            Permission.ORDERS_VIEW,
            Permission.REFUNDS_REQUEST,
            Permission.REFUNDS_DECIDE,
            Permission.COUPONS_VIEW,
            Permission.CARDS_VIEW,
            Permission.POINTS_VIEW,
            Permission.ACTIVITIES_VIEW,
            Permission.PLANS_VIEW,
            Permission.PLANS_CONFIRM,
            Permission.PLANS_PUBLISH,
            Permission.AWARDS_VIEW,
            Permission.MONTHS_CLOSE,
            Permission.SHAREHOLDERS_VIEW,
            Permission.GIFTS_VIEW,
            Permission.PAYOUTS_VIEW,
            Permission.PAYOUTS_APPROVE,
            Permission.LEDGER_VIEW,
            Permission.STORES_VIEW,
            Permission.OPERATIONS_VIEW,
            Permission.OPERATIONS_RETRY,
            Permission.EXPORTS,
            Permission.APPROVALS_VIEW,
            Permission.RISK_VIEW,
            Permission.RISK_DECIDE,
            Permission.SETTINGS_VIEW,
        }
    ),
    RoleName.STORE_MANAGER: frozenset(
        {
            Permission.MEMBERS_VIEW,
            Permission.DISTRIBUTORS_VIEW,
            Permission.BINDINGS_VIEW,
            Permission.SHARE_CODES_VIEW,
            Permission.SHARE_CODES_ISSUE,
            Permission.SHARE_CODES_REVOKE,
            Permission.CATALOG_VIEW,
            Permission.STOCK_VIEW,
            Permission.STOCK_EDIT,
            Permission.ORDERS_VIEW,
            Permission.ORDERS_COMPLETE,
            Permission.REFUNDS_REQUEST,
            Permission.COUPONS_VIEW,
            Permission.COUPONS_GIVE,
            Permission.CARDS_VIEW,
            Permission.REDEEM,
            Permission.POINTS_VIEW,
            Permission.MEMBERSHIP_VIEW,
            Permission.ACTIVITIES_VIEW,
            Permission.POSTERS_VIEW,
            Permission.REVIEWS_VIEW,
            Permission.REVIEWS_DECIDE,
            Permission.SHAREHOLDERS_VIEW,
            Permission.SHAREHOLDERS_DECIDE,
            Permission.GIFTS_VIEW,
            Permission.GIFTS_GIVE,
            Permission.GIFTS_REVOKE,
            Permission.STORES_VIEW,
            Permission.STAFF_VIEW,
            Permission.STAFF_MODE,
            Permission.APPROVALS_VIEW,
            Permission.NOTES_WRITE,
            Permission.DISPUTES_OPEN,
            Permission.RISK_VIEW,
        }
    ),
    RoleName.FRONT_DESK: frozenset(
        {
            Permission.MEMBERS_VIEW,
            Permission.CATALOG_VIEW,
            Permission.STOCK_VIEW,
            Permission.ORDERS_VIEW,
            Permission.ORDERS_COMPLETE,
            Permission.COUPONS_VIEW,
            Permission.CARDS_VIEW,
            Permission.REDEEM,
            Permission.POINTS_VIEW,
            Permission.ACTIVITIES_VIEW,
            Permission.GIFTS_VIEW,
            Permission.GIFTS_GIVE,
            Permission.STORES_VIEW,
            Permission.STAFF_MODE,
            Permission.NOTES_WRITE,
        }
    ),
    RoleName.AUDITOR: _VIEWS,
}
"""What each role may do. Who drafts a plan does not publish it, whatever roles they hold; that and
the second approval of payouts are rules of those slices, on the person, not on the role."""


def permissions_of(roles: Collection[str]) -> frozenset[Permission]:
    """Return what the holder of some roles may do; an unknown role allows nothing.

    >>> Permission.ORDERS_COMPLETE in permissions_of(["front_desk"])
    True
    >>> permissions_of(["cook"])
    frozenset()
    """
    nothing: frozenset[Permission] = frozenset()
    return nothing.union(*(ROLE_PERMISSIONS.get(role, nothing) for role in roles))


def allowed_by(name: str, stored: Collection[str]) -> frozenset[Permission]:
    """Return what one role allows; `stored` is what the row of a role of one's own lists.

    Words that are no permission, or one of the crown's, allow nothing wherever they come from.

    >>> sorted(allowed_by("Regional manager", ["orders.view", "staff.edit", "fly"]))
    [<Permission.ORDERS_VIEW: 'orders.view'>]
    """
    if name in ROLE_PERMISSIONS:
        return ROLE_PERMISSIONS[name]
    return frozenset(one for one in Permission if one.value in stored) - CROWN

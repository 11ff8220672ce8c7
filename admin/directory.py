"""From ids to the names people know, a page at a time, and only within the reader's stores.

A page gathers every id it shows, asks for all names of a kind in one query, and links to the page
behind each. What lies outside the reader's stores is neither named nor linked.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flask import current_app, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from admin.i18n import gettext
from admin.registers import REGISTERS


@dataclass(frozen=True, slots=True)
class Reference:
    """A row of another kind: which register it is in, and its id there."""

    register: str
    id: int


BY_COLUMN: Final[Mapping[str, str]] = {
    "member_id": "members",
    "customer_id": "members",
    "owner_id": "distributors",
    "beneficiary_id": "distributors",
    "distributor_id": "distributors",
    "recommender_id": "distributors",
    "store_id": "stores",
    "origin_store_id": "stores",
    "owner_store_id": "stores",
    "giver_store_id": "stores",
    "region_id": "regions",
    "order_id": "orders",
    "refund_id": "refunds",
    "payout_id": "payouts",
    "product_id": "products",
    "binding_id": "bindings",
    "award_id": "awards",
    "channel_id": "channels",
    "share_code_id": "share_codes",
    "plan_id": "plans",
    "plan_version_id": "plan_versions",
    "closed_month_id": "closed_months",
    "source_id": "accounts",
    "target_id": "accounts",
    "asked_by_id": "staff",
    "decided_by_id": "staff",
    "claimant_id": "distributors",
    "claimant_store_id": "stores",
    "author_id": "staff",
    "created_by_id": "staff",
    "sent_by_id": "staff",
    "replied_by_id": "staff",
    "staff_id": "staff",
    "assignee_id": "staff",
    "ended_by_id": "staff",
    "approver_id": "staff",
    "first_approver_id": "staff",
    "second_approver_id": "staff",
}
"""Which register a column of this name points into, unless a view says otherwise."""


class Directory:
    """The names of one page, loaded once."""

    def __init__(
        self,
        session: Session,
        wanted: Iterable[Reference],
        *,
        store_ids: frozenset[int] | None,
    ) -> None:
        """Ask for the names of everything wanted, one query a kind."""
        by_register: defaultdict[str, set[int]] = defaultdict(set)
        for reference in wanted:
            by_register[reference.register].add(reference.id)
        self._names: dict[Reference, str] = {}
        self._sees_all = store_ids is None
        for kind, ids in by_register.items():
            register = REGISTERS[kind]
            query = register.facts.where(register.id.in_(ids))
            if store_ids is not None:
                query = query.where(register.scope(store_ids))
            for row in session.execute(query):
                self._names[Reference(kind, row[0])] = register.name(row)

    def knows(self, reference: Reference) -> bool:
        """Tell whether the row exists and is the reader's to know."""
        return reference in self._names

    def name(self, reference: Reference) -> str:
        """Return what the reader may call it; of what is not theirs, not even the number."""
        unknown = f"#{reference.id}" if self._sees_all else gettext("Other store")
        return self._names.get(reference) or unknown

    def link(self, reference: Reference) -> Markup:
        """Return the name, linked to its page where the reader may open it."""
        name = self.name(reference)
        endpoint = REGISTERS[reference.register].endpoint
        view = current_app.extensions["backoffice"].get(endpoint)
        if reference not in self._names or view is None or not view.is_accessible():
            return Markup('<span class="ref">{}</span>').format(name)
        url = url_for(f"{endpoint}.details_view", id=reference.id)
        return Markup('<a class="ref" href="{}">{}</a>').format(url, name)

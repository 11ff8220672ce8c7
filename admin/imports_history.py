"""What customers bought before this system, for the pages about them."""

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement

from admin.details import Section, Shown
from app.imports.models import HistoricOrder
from app.members.expected import ExpectedMember


def historic_orders_of(member_id: int) -> ColumnElement[bool]:
    """Return the condition of historic orders of a customer, of before they signed in as well."""
    claimed = sa.select(ExpectedMember.id).where(ExpectedMember.claimed_by_id == member_id)
    return sa.or_(
        HistoricOrder.member_id == member_id, HistoricOrder.expected_member_id.in_(claimed)
    )


def historic_orders_section(view: Shown, member_id: int) -> Section | None:
    """Return the historic orders of a customer for their page, as its reader may see them.

    `view` is the view that the page belongs to; None where there are none, or none to be seen.
    """
    return view.related(
        "historic_orders",
        historic_orders_of(member_id),
        without=("member_id", "expected_member_id"),
        hides_empty=True,
    )

"""Which customers a segment means: a rule of a few questions, and the SQL it becomes.

All that is asked for must hold. A question that is left empty asks for nothing. Every condition is
answered from an index by customer, so that a segment can be counted and walked through in order.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Self

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.sql import ColumnElement, Select

from app.attribution.models import Binding
from app.interactions.errors import SegmentInvalid
from app.ledger.models import LedgerAccount
from app.ledger.transfers import Name
from app.members.file_models import MemberTag
from app.members.models import Member, MemberStore
from app.membership.models import Membership
from app.orders.models import Order

LIST_MAX: Final = 50
DAYS_MAX: Final = 3_650
FEN_MAX: Final = 100_000_000_00
Ids = Annotated[tuple[Annotated[int, Field(ge=1, le=2**63 - 1)], ...], Field(max_length=LIST_MAX)]
Month = Annotated[int, Field(ge=1, le=12)]
Days = Annotated[int, Field(ge=1, le=DAYS_MAX)]
Fen = Annotated[int, Field(ge=0, le=FEN_MAX)]
Points = Annotated[int, Field(ge=1, le=10**9)]


class SegmentRule(BaseModel):
    """What is asked of a customer; `days` count back from the moment of asking."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)

    level_ids: Ids = ()
    store_ids: Ids = ()
    """Known to one of these stores."""
    tag_ids: Ids = ()
    """Bears one of these tags."""
    without_tag_ids: Ids = ()
    owner_ids: Ids = ()
    """Looked after by one of these distributors at present."""
    birthday_months: Annotated[tuple[Month, ...], Field(max_length=12)] = ()
    paid: Literal["ever", "never"] | None = None
    not_paid_days: Days | None = None
    """Has paid, but not within so many days."""
    paid_days: Days | None = None
    """Has paid within so many days."""
    registered_days: Days | None = None
    """Came to us within so many days."""
    spent_from_fen: Fen | None = None
    """Paid so much in all, less what was returned."""
    spent_to_fen: Fen | None = None
    points_from: Points | None = None
    """Can spend so many points now."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if None not in (self.spent_from_fen, self.spent_to_fen):
            assert self.spent_from_fen is not None
            assert self.spent_to_fen is not None
            if self.spent_from_fen > self.spent_to_fen:
                raise ValueError("spent_from_fen lies above spent_to_fen")
        return self

    @classmethod
    def read(cls, document: Any) -> Self:
        """Read a rule; raises `SegmentInvalid` naming the first field that is wrong."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            where = error.errors()[0]["loc"]
            raise SegmentInvalid(str(where[0]) if where else "spent_from_fen") from None

    def document(self) -> dict[str, Any]:
        """Return the rule as it is stored: only what is asked for."""
        return self.model_dump(mode="json", exclude_defaults=True)


def members_of(rule: SegmentRule, *, store_id: int | None, now: datetime) -> Select[int]:
    """Return the ids of the customers a rule means; of a store, only those the store knows.

    People who left are nobody's audience.
    """
    conditions = [Member.deleted_at.is_(None), *_conditions(rule, now)]
    if store_id is not None:
        conditions.append(_known_to((store_id,)))
    return sa.select(Member.id).where(*conditions)


def _conditions(rule: SegmentRule, now: datetime) -> Iterator[ColumnElement[bool]]:
    yield from _about_person(rule, now)
    yield from _about_ties(rule, now)
    yield from _about_orders(rule, now)
    if rule.points_from is not None:
        yield Member.id.in_(
            sa.select(LedgerAccount.member_id).where(
                LedgerAccount.name == Name.POINTS_AVAILABLE,
                LedgerAccount.balance >= rule.points_from,
            )
        )


def _about_person(rule: SegmentRule, now: datetime) -> Iterator[ColumnElement[bool]]:
    if rule.birthday_months:
        yield Member.birthday_on.is_not(None)
        yield sa.extract("month", Member.birthday_on).in_(rule.birthday_months)
    if rule.registered_days is not None:
        yield Member.registered_at >= now - timedelta(days=rule.registered_days)
    if rule.level_ids:
        yield Member.id.in_(
            sa.select(Membership.member_id).where(Membership.level_id.in_(rule.level_ids))
        )


def _about_ties(rule: SegmentRule, now: datetime) -> Iterator[ColumnElement[bool]]:
    if rule.store_ids:
        yield _known_to(rule.store_ids)
    if rule.tag_ids:
        yield _bears(rule.tag_ids)
    if rule.without_tag_ids:
        yield sa.not_(_bears(rule.without_tag_ids))
    if rule.owner_ids:
        yield sa.exists().where(
            Binding.customer_id == Member.id,
            Binding.owner_id.in_(rule.owner_ids),
            Binding.valid_from_at <= now,
            Binding.valid_until_at > now,
        )


def _about_orders(rule: SegmentRule, now: datetime) -> Iterator[ColumnElement[bool]]:
    if rule.paid is not None:
        has_paid = Member.first_paid_at.is_not(None)
        yield has_paid if rule.paid == "ever" else sa.not_(has_paid)
    if rule.not_paid_days is not None:
        yield Member.first_paid_at.is_not(None)
        yield sa.not_(_paid_since(now - timedelta(days=rule.not_paid_days)))
    if rule.paid_days is not None:
        yield _paid_since(now - timedelta(days=rule.paid_days))
    if rule.spent_from_fen is not None:
        yield _spent() >= rule.spent_from_fen
    if rule.spent_to_fen is not None:
        yield _spent() <= rule.spent_to_fen


def _known_to(store_ids: tuple[int, ...]) -> ColumnElement[bool]:
    return sa.exists().where(
        MemberStore.member_id == Member.id, MemberStore.store_id.in_(store_ids)
    )


def _bears(tag_ids: tuple[int, ...]) -> ColumnElement[bool]:
    return sa.exists().where(MemberTag.member_id == Member.id, MemberTag.tag_id.in_(tag_ids))


def _paid_since(at: datetime) -> ColumnElement[bool]:
    return sa.exists().where(Order.member_id == Member.id, Order.paid_at >= at)


def _spent() -> ColumnElement[int]:
    paid = sa.select(sa.func.coalesce(sa.func.sum(Order.paid_fen - Order.refunded_fen), 0)).where(
        Order.member_id == Member.id, Order.paid_at.is_not(None)
    )
    return paid.scalar_subquery()

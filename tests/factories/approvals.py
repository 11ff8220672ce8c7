"""Requests that wait for a second person, and disputes, for tests.

Each function goes through the services, so what it makes is as real as it can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Final

from PIL import Image
from sqlalchemy.orm import Session

from app.approvals import services
from app.approvals.contract import Topic
from app.approvals.models import Approval
from app.attribution import disputes
from app.attribution.dispute_models import OwnershipDispute
from app.attribution.models import Binding
from app.attribution.rules import Owner
from app.kernel.audit import Actor
from app.members.models import Distributor, Member
from app.stores.models import Staff, Store
from tests.factories.people import make_binding, make_distributor, make_member, make_staff

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOREVER: Final = datetime(2999, 1, 1, tzinfo=UTC)
CLAIM: Final = "I scanned her in at the counter on Friday."


def as_actor(person: Staff) -> Actor:
    """The person as the audit trail names them."""
    return Actor("staff", person.id)


@dataclass
class Case:
    """A customer with an owner, somebody who wants them, and staff who may decide it."""

    customer: Member
    binding: Binding
    owner: Distributor
    claimant: Distributor
    maker: Staff
    checker: Staff

    @property
    def topic(self) -> Topic:
        """What asks to hand the customer over to the claimant."""
        return Topic(
            self.customer.id, {"owner_id": self.claimant.member_id, "owner_store_id": None}
        )


def make_case(session: Session, *, store: Store | None = None, name: str = "") -> Case:
    """Everybody is of the brand unless a store is given; the customer is called `name`."""
    stores: Sequence[Store] = [store] if store else []
    store_id = store.id if store else None
    customer = make_member(session, nickname=name, origin_store_id=store_id)
    owner = make_distributor(session, store_id=store_id)
    binding = make_binding(session, customer=customer, owner=owner, valid_until_at=FOREVER)
    return Case(
        customer=customer,
        binding=binding,
        owner=owner,
        claimant=make_distributor(session, store_id=store_id),
        maker=make_staff(session, "operations", stores=stores),
        checker=make_staff(session, "operations", stores=stores),
    )


def ask_transfer(
    session: Session, case: Case, *, now: datetime = NOON, reason: str = "she moved to our city"
) -> Approval:
    """A request to hand the customer over."""
    return services.ask(
        session,
        "binding_transfer",
        case.topic,
        actor=as_actor(case.maker),
        reason=reason,
        now=now,
    )


def open_dispute(
    session: Session, case: Case, *, now: datetime = NOON, claim: str = CLAIM
) -> OwnershipDispute:
    """A dispute in which the claimant says that the customer is theirs."""
    return disputes.open_dispute(
        session,
        disputes.Claim(
            case.customer.id, Owner.of(case.claimant.member_id, None), claim, about_at=now
        ),
        actor=as_actor(case.maker),
        now=now,
    )


def picture(
    colour: str | tuple[int, int, int] = "red",
    *,
    size: tuple[int, int] = (40, 30),
    kind: str = "PNG",
) -> bytes:
    """A small picture of one colour."""
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()

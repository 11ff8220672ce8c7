"""What keeps a line from paying, or a person from earning, in any model."""

from collections.abc import Mapping
from typing import Any, Final

from app.engines.events import Sold
from app.engines.people import Line, Person, Standing
from app.engines.places import Places
from app.engines.results import Reason

_BY_STANDING: Final[Mapping[Standing, Reason]] = {
    Standing.NONE: Reason.NOT_DISTRIBUTOR,
    Standing.FROZEN: Reason.FROZEN,
    Standing.QUIT: Reason.QUIT,
}


def obstacle_of_line(line: Line) -> Reason | None:
    """Return why a line pays nothing to anybody, if it does not."""
    if not line.distributable:
        return Reason.NOT_DISTRIBUTABLE
    return None if line.base_fen else Reason.ZERO_BASE


def obstacle_of_standing(standing: Standing) -> Reason | None:
    """Return what keeps somebody of this standing from earning, if anything does."""
    return _BY_STANDING.get(standing)


def obstacle_of_kinship(person: Person, buyer: Person) -> Reason | None:
    """Return whether a person is the buyer, or counts as the buyer; nobody earns on themself.

    >>> obstacle_of_kinship(Person(1), Person(1)).value
    'BENEFICIARY_IS_BUYER'
    >>> phone = frozenset({"phone:7"})
    >>> obstacle_of_kinship(Person(2, household=phone), Person(1, household=phone)).value
    'HOUSEHOLD'
    """
    if person.member_id == buyer.member_id:
        return Reason.BENEFICIARY_IS_BUYER
    return None if buyer.household.isdisjoint(person.household) else Reason.HOUSEHOLD


def obstacle_of_person(person: Person, levels: int) -> Reason | None:
    """Return what keeps a person from earning, whoever buys, in a plan of so many levels."""
    if person.standing is not Standing.ACTIVE:
        return obstacle_of_standing(person.standing)
    if person.level is None:
        return Reason.NO_LEVEL
    return None if 1 <= person.level <= levels else Reason.LEVEL_NOT_IN_PLAN


def obstacle_of_member(member_id: int, sold: Sold, places: Places[Any]) -> Reason | None:
    """Return what keeps somebody from earning on a sale, wherever they stand in the plan.

    Whom the sale knows counts as they stood when it was paid, everybody else as they stand now.
    """
    for person in (sold.sale.buyer, *sold.chain):
        if person.member_id == member_id:
            kinship = obstacle_of_kinship(person, sold.sale.buyer)
            return kinship or obstacle_of_standing(person.standing)
    return obstacle_of_standing(places.standing(member_id))

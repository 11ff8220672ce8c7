import pytest

from app.kernel.audit import SYSTEM, Actor
from app.members.decisions import require_reason, require_two_people
from app.members.errors import ReasonRequired, SecondPersonRequired

ANN = Actor("staff", 1, "request-1")
BEN = Actor("staff", 2)


def test_two_members_of_staff_decide_together() -> None:
    require_two_people(ANN, BEN)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ANN, Actor("staff", 1, "request-2")),
        (ANN, Actor("member", 2)),
        (Actor("member", 1), BEN),
        (ANN, SYSTEM),
        (Actor("staff"), BEN),
        (ANN, Actor("staff")),
    ],
)
def test_anything_else_is_no_second_person(first: Actor, second: Actor) -> None:
    with pytest.raises(SecondPersonRequired):
        require_two_people(first, second)


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_an_empty_reason_is_none(reason: str) -> None:
    with pytest.raises(ReasonRequired):
        require_reason(reason)

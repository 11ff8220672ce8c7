"""Computing a lucky draw again: whether its seed is the promised one, and every ticket its own.

Anybody can do it with what is published once a draw is over; this does it for staff, for the
command line, and for somebody who holds a seed and wants to see that it is the right one.
"""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.activities import draw_odds, draws
from app.activities.draw_errors import DrawDiffers, SeedNotPromised
from app.activities.errors import ActivityNotInState
from app.activities.models import Activity


@dataclass(frozen=True, slots=True)
class DrawCheck:
    """How many tickets were computed again, and which of them are not what the seed says."""

    tickets: int
    wrong: tuple[int, ...]

    @property
    def is_honest(self) -> bool:
        """Tell whether every ticket is what the seed says."""
        return not self.wrong


def check_draw(session: Session, activity_id: int, *, seed: str | None = None) -> DrawCheck:
    """Compute a draw that is over again, by its own seed or by one that somebody holds.

    Raises `ActivityNotFound`, `ActivityNotInState` while it is not over (its seed would tell who
    wins next), and `SeedNotPromised` for a seed whose digest is not the one shown from the start.
    """
    proof = draws.proof_of(session, activity_id)
    state = session.get_one(Activity, activity_id).state
    if state not in draws.OVER:
        raise ActivityNotInState(state, "check_draw")
    used = seed or proof.seed
    if used is not None and draw_odds.commitment(used) != proof.commitment:
        raise SeedNotPromised
    return DrawCheck(proof.tickets, tuple(draws.differences(session, activity_id)))


def require_honest(session: Session, activity_id: int) -> DrawCheck:
    """Compute a draw again; raises `DrawDiffers` with the first ticket that is not its own."""
    found = check_draw(session, activity_id)
    if found.wrong:
        raise DrawDiffers(found.wrong[0])
    return found

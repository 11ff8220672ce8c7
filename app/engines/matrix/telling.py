"""What somebody's position in the three-three matrix means to them."""

from collections.abc import Iterator

from app.engines.matrix.ground import MatrixPlace
from app.engines.matrix.rules import MatrixRules
from app.kernel.i18n import N_, Message


def tell(rules: MatrixRules, place: MatrixPlace) -> Iterator[Message]:
    """Tell how full the layers below a position are."""
    if place.is_out:
        yield Message(N_("Position %(number)s is complete."), {"number": place.number})
    else:
        told = {"number": place.number, "filled": place.filled, "needed": rules.capacity}
        yield Message(
            N_("Position %(number)s: %(filled)s of %(needed)s positions below are filled."), told
        )
    if place.number == 1 and place.directs:
        yield Message(N_("You brought %(count)s of them."), {"count": place.directs})

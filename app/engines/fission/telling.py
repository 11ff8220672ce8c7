"""What somebody's place in three-three fission means to them."""

from collections.abc import Iterator

from app.engines.fission.engine import FissionPlace
from app.engines.fission.rules import FissionRules
from app.kernel.i18n import N_, Message


def tell(rules: FissionRules, place: FissionPlace) -> Iterator[Message]:
    """Tell how far the open round is, and how many were closed."""
    told = {"count": len(place.open_referrals), "needed": rules.per_round}
    yield Message(
        N_("New customers in the open round: %(count)s of %(needed)s."),
        told,
    )
    if place.rounds:
        yield Message(N_("Rounds closed so far: %(count)s."), {"count": len(place.rounds)})

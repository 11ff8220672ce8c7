"""What somebody's holding at a store means to them."""

from collections.abc import Iterator
from datetime import timedelta, timezone
from typing import Final

from app.engines.shareholders.holdings import HoldingPlace, HoldingState
from app.engines.shareholders.rules import ShareholderRules
from app.engines.shareholders.titles import title_of
from app.kernel.i18n import N_, Message, yuan

SHANGHAI: Final = timezone(timedelta(hours=8))
"""China keeps one time all year."""


def tell(rules: ShareholderRules, place: HoldingPlace) -> Iterator[Message]:
    """Tell where a holding stands, what counts for it, and when it ends."""
    level = rules.level(place.level)
    told = {"store": place.number, "level": title_of(level.code) if level else ""}
    match HoldingState(place.state):
        case HoldingState.ACTIVE:
            yield Message(N_("You hold a seat at store %(store)s: %(level)s."), told)
            if place.until_at is not None:
                ends = {"day": place.until_at.astimezone(SHANGHAI).date().isoformat()}
                yield Message(N_("It ends on %(day)s."), ends)
        case HoldingState.WAITING:
            yield Message(N_("You wait for a seat at store %(store)s."), told)
        case HoldingState.EXPIRED | HoldingState.LEFT:
            yield Message(N_("Your seat at store %(store)s has ended."), told)
        case HoldingState.CANDIDATE:
            yield Message(N_("You have no seat at store %(store)s yet."), told)
    yield Message(
        N_("Settled purchases there that count: %(spent)s."), {"spent": yuan(place.spent_fen)}
    )

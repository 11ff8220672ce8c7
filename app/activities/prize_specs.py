"""What staff say of the prizes of a lucky draw, and what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.activities.draw_errors import PrizesInvalid
from app.activities.draw_models import CHANCE_WHOLE_PPM, DrawPrize
from app.loyalty.rewards import Reward

PRIZES_MAX: Final = 12
TITLE_LENGTH_MAX: Final = 40
STOCK_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PrizeSpec:
    """A prize as staff say it; without a reward it is handed over in a store."""

    title: str
    chance_ppm: int
    stock: int
    reward: Reward | None = None


def check(specs: Sequence[PrizeSpec]) -> None:
    """Raise `PrizesInvalid`, with what to look at, unless a draw can give these prizes."""
    if not 1 <= len(specs) <= PRIZES_MAX:
        raise PrizesInvalid("count")
    for spec in specs:
        if not 1 <= len(spec.title.strip()) <= TITLE_LENGTH_MAX or spec.title != spec.title.strip():
            raise PrizesInvalid("title")
        if not 1 <= spec.stock <= STOCK_MAX:
            raise PrizesInvalid("stock")
        if spec.chance_ppm < 1:
            raise PrizesInvalid("chance")
    if sum(spec.chance_ppm for spec in specs) > CHANCE_WHOLE_PPM:
        raise PrizesInvalid("chance")


def described(prize: DrawPrize) -> Mapping[str, Any]:
    """Return a prize as the audit log keeps it."""
    return {
        "title": prize.title,
        "chance_ppm": prize.chance_ppm,
        "stock": prize.stock,
        "reward": prize.reward,
    }

"""Everything about a plan that the compliance check looks at.

What a plan does is derived from its parameters by its own model. What is outside of it, such as
prices and posters, the caller gathers.
"""

from dataclasses import dataclass

from app.engines.bound import PayoutBound
from app.engines.parameters import Conduct, PlanParameters
from app.engines.practices import Practices
from app.engines.registry import MODELS
from app.kernel.money import BASIS_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFacts:
    """A product within a plan's scope.

    `list_price_fen` is what the same service costs on the list, None where it is on none.
    """

    product_id: int
    price_fen: int
    list_price_fen: int | None = None
    is_refundable: bool = True
    is_medical: bool = False


@dataclass(frozen=True, slots=True)
class TextFacts:
    """A text that customers see, and where: `poster 12`."""

    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutFacts:
    """How withdrawals reach people: whether WeChat's scene is set, and its limits in fen.

    A limit of None is not set. `single_min_fen` and `single_max_fen` are for one transfer.
    """

    is_scene_set: bool = True
    single_min_fen: int | None = 10
    single_max_fen: int | None = 20_000
    person_day_max_fen: int | None = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What is outside of a plan.

    `store_count`: how many stores are in its scope. `shareholders`: how many people hold a seat at
    any store already. `cap_max_bp`: the highest payout that the brand's settings allow a plan.
    """

    products: tuple[ProductFacts, ...] = ()
    texts: tuple[TextFacts, ...] = ()
    payout: PayoutFacts = PayoutFacts()
    store_count: int = 1
    shareholders: int = 0
    cap_max_bp: int = BASIS_POINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One plan with its surroundings."""

    model: str
    practices: Practices
    bound: PayoutBound
    conduct: Conduct
    settle_seconds: int
    outside: Outside = Outside()

    @property
    def shareholders_overall(self) -> int:
        """How many people may hold a seat: those who do, or all seats of the plan's stores."""
        seats = self.practices.seats_per_store * self.outside.store_count
        return max(self.outside.shareholders, seats)


def dossier_of(rules: PlanParameters, outside: Outside | None = None) -> Dossier:
    """Gather what a plan's own model says of it."""
    model = MODELS[rules.model]
    return Dossier(
        model=rules.model,
        practices=model.practices(rules),
        bound=model.bound(rules),
        conduct=rules.conduct,
        settle_seconds=rules.settle_seconds,
        outside=outside or Outside(),
    )

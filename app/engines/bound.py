"""The worst case of a plan: the largest share of a sale that its parameters allow to be paid."""

from dataclasses import dataclass

from app.kernel.i18n import N_, Message
from app.kernel.money import percent

BOUND_KEPT = N_(
    "An order mixes products and is rounded down, so none pays more than %(bound)s. The cap of"
    " %(cap)s never has to withhold anything."
)
BOUND_CAPPED = N_(
    "An order mixes products and is rounded down, so the rates allow %(bound)s at most. The cap"
    " withholds whatever goes beyond %(cap)s."
)
BOUND_MONTHLY = N_(
    "What is paid by the month comes on top: at most %(monthly)s of the month's sales, so"
    " %(total)s in all."
)


@dataclass(frozen=True, slots=True)
class BoundStep:
    """One case that was looked at, in words, and the share of a sale it can take."""

    message: Message
    sum_bp: int


@dataclass(frozen=True, slots=True)
class PayoutBound:
    """The largest share of what is paid that any order can cost in commission, and why.

    `bound_bp` is what the order's own rewards allow before the cap, `monthly_bp` what the month
    brings on top, as a share of the month's sales; the cap does not reach that, so it counts whole.
    """

    bound_bp: int
    cap_bp: int
    steps: tuple[BoundStep, ...]
    monthly_bp: int = 0

    @property
    def within_cap(self) -> bool:
        """Tell whether the cap never has to withhold anything."""
        return self.bound_bp <= self.cap_bp

    @property
    def enforced_bp(self) -> int:
        """What no order ever exceeds."""
        return min(self.bound_bp, self.cap_bp)

    @property
    def total_bp(self) -> int:
        """What no month of orders ever exceeds."""
        return self.enforced_bp + self.monthly_bp


def explain_bound(bound: PayoutBound) -> tuple[Message, ...]:
    """Tell how the worst case of a plan comes about."""
    closing = BOUND_KEPT if bound.within_cap else BOUND_CAPPED
    figures = {"bound": percent(bound.bound_bp), "cap": percent(bound.cap_bp)}
    told = [step.message for step in bound.steps] + [Message(closing, figures)]
    if bound.monthly_bp:
        sums = {"monthly": percent(bound.monthly_bp), "total": percent(bound.total_bp)}
        told.append(Message(BOUND_MONTHLY, sums))
    return tuple(told)

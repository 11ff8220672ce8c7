"""What a customer's code stands for, whatever slice it belongs to: a coupon, a card, a gift."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemable:
    """A thing that can be used up at the counter, as the person there needs to see it."""

    kind: str
    """`coupon`, `card`, `gift` or `prize`: the word that its code begins with."""
    id: int
    title: str
    member_id: int
    """Whose it is: the code shown must be this customer's."""
    left: int
    """How many times it can still be used; after the last one, 0."""
    detail: str = ""
    """One line for staff, such as what is in it or until when it is good."""

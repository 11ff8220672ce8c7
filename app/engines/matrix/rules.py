"""The parameters of the three-three matrix.

What the trade offers besides and this model does not, and why:

- *Cumulative spending as the way in.* Whoever crosses a threshold with an ordinary order would
  enter by an order that is no package, and all rewards are shares of the order that enters.
- *A rotating single layer*, which pays layer `((n - 1) mod 10) + 1` of the n-th order and is
  unlocked by recruits. Repurchases bring no reward here, so there is no n-th order to count, and
  what somebody earns would hang on how often strangers bought before.
- *Thanks (感恩奖)*, a share of somebody's income for those above or below. An award has an order
  line as its base, so that a refund can take it back in proportion; an award on an award has none.
- *Splitting the board (分盘)* at 27 positions. It moves people to new parents, and a position here
  is for ever: nobody would know any more why somebody earned on whom.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.engines.parameters import (
    FEN_MAX,
    Count,
    Fen,
    Moment,
    PlanParameters,
    ProductId,
    RateBp,
)

LAYERS_MAX: Final = 12
COMPLETION_LAYERS_MAX: Final = 6
CAP_MAX_BP: Final = 20_000
PRODUCTS_MAX: Final = 1_000


class Placement(StrEnum):
    """Where a newcomer is placed: breadth-first below their sponsor, or in one queue for all."""

    SPONSOR_SUBTREE = "SPONSOR_SUBTREE"
    GLOBAL = "GLOBAL"


class MatrixRules(PlanParameters):
    """Three-three matrix: a package bought is a position in a tree of `width` below each.

    A line that paid at least `entry_price_fen` for each unit, of one of `entry_product_ids` (any,
    if empty), takes one position, up to `positions_max` a person. `sponsor_bp` of the line goes to
    whoever brought the buyer, who needs a position too with `sponsor_needs_place`; `layers_bp` go
    to the positions above, nearest first, and from layer 7 on only to people who brought
    `deep_layer_directs`. When all `completion_layers` below a position are full it pays
    `completion_fen` and is out; with `reentry` its holder is placed anew, at nobody's expense.
    The width, the placement and the layers to complete must stay as they are while a plan has
    places.

    The defaults are the set as the trade practises it, since no set of this model may be published:
    its cap lies above the whole price, or completion would not be paid as promised.
    """

    model: Literal["THREE_MATRIX"] = "THREE_MATRIX"
    effective_at: Moment = Moment.AFTER_SALE_CLOSED
    payout_cap_bp: Annotated[int, Field(ge=1, le=CAP_MAX_BP)] = 12_000
    entry_price_fen: Annotated[int, Field(ge=1, le=FEN_MAX)] = 39_900
    entry_product_ids: Annotated[tuple[ProductId, ...], Field(max_length=PRODUCTS_MAX)] = ()
    positions_max: Count = 1
    width: Annotated[int, Field(ge=2, le=9)] = 3
    placement: Placement = Placement.SPONSOR_SUBTREE
    sponsor_bp: RateBp = 1_000
    sponsor_needs_place: bool = True
    layers_bp: Annotated[tuple[RateBp, ...], Field(max_length=LAYERS_MAX)] = (500, 300)
    deep_layer_directs: Annotated[int, Field(ge=0, le=99)] = 2
    completion_layers: Annotated[int, Field(ge=0, le=COMPLETION_LAYERS_MAX)] = 2
    completion_fen: Fen = 39_900
    reentry: bool = False

    @field_validator("completion_fen")
    @classmethod
    def _completes_and_within_the_price(cls, amount_fen: int, info: ValidationInfo) -> int:
        if amount_fen and info.data.get("completion_layers") == 0:
            raise PydanticCustomError("completion_unneeded", "nothing to complete")
        price_fen = info.data.get("entry_price_fen")
        if price_fen is not None and amount_fen > price_fen:
            raise PydanticCustomError("completion_above_price", "more than the package costs")
        return amount_fen

    @field_validator("reentry")
    @classmethod
    def _there_is_another_position(cls, reentry: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - Pydantic's form
        if reentry and info.data.get("completion_layers") == 0:
            raise PydanticCustomError("completion_unneeded", "nothing to complete")
        if reentry and info.data.get("positions_max") == 1:
            raise PydanticCustomError("reentry_positions", "one position a person")
        return reentry

    @property
    def capacity(self) -> int:
        """How many positions complete the one above them; 0 where nothing is ever complete.

        >>> MatrixRules().capacity
        12
        """
        return sum(self.width**layer for layer in range(1, self.completion_layers + 1))

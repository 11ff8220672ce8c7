"""What the rules of every kind have in common. Each kind adds its own class in its own module.

A field's title and description are what staff read beside it in the back office; its name says its
unit, as everywhere: `_seconds`, `_fen`, `_bp`. Fields are whole numbers, switches or choices.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from app.kernel.i18n import N_

PaySeconds: TypeAlias = Annotated[
    int,
    Field(
        ge=60,
        le=7200,
        title=N_("Time to pay"),
        description=N_("An order that is not paid in this time gives its pieces back."),
    ),
]
Newcomers: TypeAlias = Literal["nobody", "joiners", "everybody"]
"""Of whom it is asked that they never bought here before."""


class Rules(BaseModel):
    """Base of all rules: no unknown fields, no conversions, no later change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True)


class TradeRules(Rules):
    """Rules of an activity that sells at a price of its own."""

    pay_seconds: PaySeconds = 300
    allows_level: Annotated[
        bool,
        Field(
            title=N_("Level discount on top"),
            description=N_("Whether the discount of the buyer's level lowers this price further."),
        ),
    ] = False
    allows_coupons: Annotated[
        bool,
        Field(
            title=N_("Coupons on top"),
            description=N_("Whether coupons may be used on these orders."),
        ),
    ] = False
    allows_points: Annotated[
        bool,
        Field(
            title=N_("Points on top"),
            description=N_("Whether points may pay a part of these orders."),
        ),
    ] = False

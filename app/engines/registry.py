"""Every plan model there is, by its code. A new one is entered here, and nowhere else."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.engines import (
    chain,
    differential,
    fission,
    matrix,
    refer_three,
    shareholders,
    team_ladder,
    two_level,
)
from app.engines.contract import Model

_ALL: Final = (
    two_level.MODEL,
    differential.MODEL,
    team_ladder.MODEL,
    shareholders.MODEL,
    fission.MODEL,
    matrix.MODEL,
    chain.MODEL,
    refer_three.MODEL,
)

MODELS: Final[Mapping[str, Model]] = MappingProxyType({model.code: model for model in _ALL})

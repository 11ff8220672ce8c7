"""Every kind of activity there is. A new one is a module with a `KIND`, entered here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.activities import bargains, check_ins, draws, flash_sales, groups, invites
from app.activities.contract import Kind
from app.activities.states import ActivityKind

_ALL: Final = (
    flash_sales.KIND,
    groups.KIND,
    bargains.KIND,
    draws.KIND,
    check_ins.KIND,
    invites.KIND,
)

KINDS: Final[Mapping[ActivityKind, Kind]] = MappingProxyType({kind.code: kind for kind in _ALL})

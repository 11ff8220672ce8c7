"""Every kind of import there is, in the order in which a new brand needs them."""

from collections.abc import Mapping
from typing import Final

from app.imports.contract import Kind
from app.imports.kinds import distributors, historic_orders, members, products, stock
from app.imports.states import ImportKind

KINDS: Final[Mapping[ImportKind, Kind]] = {
    one.code: one
    for one in (
        members.KIND,
        historic_orders.KIND,
        distributors.KIND,
        products.KIND,
        stock.KIND,
    )
}

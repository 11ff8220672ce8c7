"""Kinds of rows that pages name and link: each with how it is called and who may know it."""

from collections.abc import Mapping
from typing import Final

from admin.registers import people, promotions, trade
from admin.registers.kinds import Register

REGISTERS: Final[Mapping[str, Register]] = {
    **people.REGISTERS,
    **promotions.REGISTERS,
    **trade.REGISTERS,
}

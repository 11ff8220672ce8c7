"""How a state feels: shared by everything that names states."""

from enum import StrEnum
from typing import Any


class Tone(StrEnum):
    """How a state feels: it decides a badge's colour, never its meaning alone."""

    GOOD = "good"
    WAIT = "wait"
    BUSY = "busy"
    BAD = "bad"
    CALM = "calm"


Label = tuple[Any, Tone]

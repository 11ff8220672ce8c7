"""The parameters of channel distribution, TEAM_LADDER.

Decisions. *Sales*: what was settled in the month to a distributor's own customers, less what
refunds booked in it took back of earlier months; a month below zero pays nothing and is not
carried, since refunds after the after-sale window are rare and closed months stay closed.
*Pay day*: when the month is closed, which is the operator's to choose. *Depths between two and
without end* are not offered: a distributor's share would no longer end with the highest rate of
the ladder, and the law forbids them like the depth without end, which can be simulated.
*Fixed bonuses by step* are not offered: a sum per step is no share of any sale.
"""

from typing import Literal

from app.engines.ladders import Ladder
from app.engines.parameters import PlanParameters


class TeamLadderRules(PlanParameters):
    """Channel distribution, TEAM_LADDER: a bonus on the month's team sales alone."""

    model: Literal["CHANNEL_TEAM_LADDER"] = "CHANNEL_TEAM_LADDER"
    ladder: Ladder = Ladder()

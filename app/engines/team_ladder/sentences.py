"""What TEAM_LADDER says about itself; its months are told by `incentives_wording`."""

from collections.abc import Iterator
from typing import Final

from app.engines.incentives_wording import describe_ladder
from app.engines.team_ladder.rules import TeamLadderRules
from app.kernel.i18n import N_, Message

NOTHING_BY_ORDER: Final = N_("No order pays commission by itself.")


def describe(rules: TeamLadderRules) -> Iterator[Message]:
    """Tell what a plan pays."""
    yield Message(NOTHING_BY_ORDER)
    yield from describe_ladder(rules.ladder)

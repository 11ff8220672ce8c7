"""Guesses at links of activities: whoever names too many that do not exist is locked out.

The codes have 95 random bits and more, so nobody finds one; see `attribution.guessing`. Misses at
groups, bargains and invitations count together.
"""

from typing import Final

from app.activities.draw_errors import InviteNotFound
from app.activities.errors import BargainNotFound, GroupNotFound
from app.attribution.errors import CodesLocked
from app.attribution.guessing import Guess

_PREFIX: Final = "activity-link:"
GROUP_CODES: Final = Guess(_PREFIX, GroupNotFound, CodesLocked)
BARGAIN_CODES: Final = Guess(_PREFIX, BargainNotFound, CodesLocked)
INVITE_CODES: Final = Guess(_PREFIX, InviteNotFound, CodesLocked)

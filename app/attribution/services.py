"""What can be done about who belongs to whom, in one place; the work is split by subject.

* `codes`      share codes and channels
* `guessing`   locking out those who guess codes
* `touches`    scans and clicks, and what they do to bindings
* `bindings`   what payment and staff do to bindings
* `joining`    becoming a distributor
"""

from app.attribution.bindings import (
    end_binding,
    hand_over,
    lock_binding,
    require_transferable,
    transfer_binding,
)
from app.attribution.codes import ChannelChoice, issue_code, regenerate_code, revoke_code
from app.attribution.guessing import count_miss, counting_misses
from app.attribution.joining import apply_as_distributor
from app.attribution.touches import TouchResult, record_touch

__all__ = [
    "ChannelChoice",
    "TouchResult",
    "apply_as_distributor",
    "count_miss",
    "counting_misses",
    "end_binding",
    "hand_over",
    "issue_code",
    "lock_binding",
    "record_touch",
    "regenerate_code",
    "require_transferable",
    "revoke_code",
    "transfer_binding",
]

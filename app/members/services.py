"""What can be done with members, in one place; the work is split by subject.

* `sessions`   signing in and out, devices, proof of presence
* `profiles`   phone, profile, consents
* `team`       distributors, their standing and who brought them
"""

from app.members.profiles import (
    grant_consent,
    put_consent,
    set_phone,
    update_profile,
    withdraw_consent,
)
from app.members.sessions import (
    SignedIn,
    refresh_sign_in,
    remember_device,
    require_fresh,
    revoke_device,
    sign_in,
    sign_out,
    sign_out_everywhere,
)
from app.members.team import (
    apply_as_distributor,
    approve_distributor,
    freeze_distributor,
    move_recommender,
    quit_distributor,
    refuse_distributor,
    unfreeze_distributor,
)

__all__ = [
    "SignedIn",
    "apply_as_distributor",
    "approve_distributor",
    "freeze_distributor",
    "grant_consent",
    "move_recommender",
    "put_consent",
    "quit_distributor",
    "refresh_sign_in",
    "refuse_distributor",
    "remember_device",
    "require_fresh",
    "revoke_device",
    "set_phone",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "unfreeze_distributor",
    "update_profile",
    "withdraw_consent",
]

"""What can be done with members, in one place; the work is split by subject.

* `sessions`   signing in and out, devices, proof of presence
* `profiles`   phone, profile, consents
* `team`       distributors, their standing and who brought them
* `enlisting`  distributors whom staff bring in
* `expected`   earlier customers who have not signed in yet
"""

from app.members.enlisting import Enlisting, enlist_distributor
from app.members.expected import Expectation, expect, note_purchase
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
    "Enlisting",
    "Expectation",
    "SignedIn",
    "apply_as_distributor",
    "approve_distributor",
    "enlist_distributor",
    "expect",
    "freeze_distributor",
    "grant_consent",
    "move_recommender",
    "note_purchase",
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

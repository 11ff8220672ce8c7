"""A second person at the desk, who can prove both factors."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import pyotp
from flask_security.utils import hash_password
from sqlalchemy.orm import Session

from app.stores.models import Staff, Store
from tests.factories.people import make_staff

SECRET: Final = "KRSXG5DSNFXGOIDBKRSXG5DSNFXGOIDB"
PASSWORD: Final = "a second pair of eyes"


def make_colleague(session: Session, stores: Sequence[Store] = ()) -> Staff:
    """Somebody from operations who can prove both factors."""
    staff = make_staff(session, "operations", stores=stores, name="Second")
    staff.password = hash_password(PASSWORD)
    staff.tf_primary_method = "authenticator"
    staff.tf_totp_secret = json.dumps({"key": SECRET, "type": "totp", "v": 1})
    session.commit()
    return staff


def agrees(staff: Staff, **changes: str) -> dict[str, str]:
    """What a second person fills in, with a reason."""
    return {
        "reason": "asked by the customer",
        "second_email": staff.email,
        "second_password": PASSWORD,
        "second_code": pyotp.TOTP(SECRET).at(datetime.now(UTC)),
    } | changes

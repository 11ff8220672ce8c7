"""Who can sign in to the demo, shown on its sign-in page so that a newcomer gets in at once."""

from dataclasses import dataclass

from pyotp import TOTP

from admin.role_names import role_name
from app.access import settings
from app.demo.staff import DEMO_PASSWORD, DEMO_STAFF


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """One person of the demo, with the code that their phone would show now."""

    email: str
    password: str
    role: str
    secret: str
    code: str


def demo_sign_ins() -> tuple[DemoSignIn, ...]:
    """Return everybody of the demo, and nobody outside of it."""
    if not settings().demo:
        return ()
    return tuple(
        DemoSignIn(
            email=one.email,
            password=DEMO_PASSWORD,
            role=f"{role_name(one.role)} · {one.name}",
            secret=one.totp_secret,
            code=TOTP(one.totp_secret).now(),
        )
        for one in DEMO_STAFF
    )

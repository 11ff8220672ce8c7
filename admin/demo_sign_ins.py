"""Who can sign in to the demo, shown on its sign-in page so that a newcomer gets in at once."""

from dataclasses import dataclass

from flask import current_app
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


def is_published(password: str | None) -> bool:
    """Tell whether a password is one that we print for the demo, and this is no demo."""
    return password == DEMO_PASSWORD and not settings().demo


def has_published_phone(totp_secret: str | None) -> bool:
    """Tell whether a second factor is one that we print for the demo, and this is no demo.

    `totp_secret` is sealed, as the account holds it.
    """
    if not totp_secret or settings().demo:
        return False
    factory = current_app.extensions["security"].totp_factory
    secret: str = factory.get_totp_b32_key(totp_secret)
    return secret in {one.totp_secret for one in DEMO_STAFF}

"""Signing in to the back office: password, then a code of an authenticator app, always both.

Flask-Security does the work. Added here: the lock-out, one sentence for every kind of failure so
that nobody learns which addresses exist, and codes that work only once.
"""

import hashlib
import hmac
from datetime import timedelta
from typing import Any, Final

import redis.exceptions
import structlog
from flask import Flask, abort, current_app, request
from flask_security import Security, SQLAlchemyUserDatastore
from flask_security.forms import (
    Form,
    LoginForm,
    TwoFactorRescueForm,
    TwoFactorSetupForm,
    TwoFactorVerifyCodeForm,
    VerifyForm,
)
from flask_security.recovery_codes import MfRecoveryForm
from flask_security.totp import Totp
from flask_security.utils import hash_password
from flask_wtf import CSRFProtect
from wtforms import RadioField, SelectChoice

from admin import lockout, staff_session, throttle
from admin.accounts import demand_new_password
from admin.demo_sign_ins import is_published
from admin.hooks import PREFIX, ours_only
from admin.passwords import LENGTH_MIN
from app.access import redis as redis_connection
from app.access import settings
from app.kernel.db import atomic, db
from app.kernel.i18n import N_, TRANSLATIONS
from app.settings import Settings
from app.stores.models import Role, Staff

log = structlog.get_logger()

CSRF_SECONDS: Final = 8 * 3600
"""A page left open over a working day still posts."""
CODE_WINDOW_SECONDS: Final = 30
CODE_MEMORY_SECONDS: Final = 180
RECOVERY_CODES: Final = 8

CLOSED: Final = frozenset({"security.two_factor_rescue", "security.tf_select"})
"""Ways of Flask-Security that send mail, or choose among factors where we have one."""

TEXTS: Final = {
    "GENERIC_AUTHN_FAILED": N_(
        "E-mail or password is not right. After five failures the account is locked for a while."
    ),
    "TWO_FACTOR_INVALID_TOKEN": N_(
        "This code is not right. After five failures the account is locked for a while."
    ),
    "INVALID_RECOVERY_CODE": N_(
        "This recovery code is not right, or it was used before. "
        "After five failures the account is locked for a while."
    ),
    "TWO_FACTOR_PERMISSION_DENIED": N_("Please sign in first."),
    "UNAUTHENTICATED": N_("Please sign in to see this page."),
    "UNAUTHORIZED": N_("You may not see this page."),
    "REAUTHENTICATION_REQUIRED": N_("Please sign in again to change your security settings."),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": N_("Welcome back."),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": N_("Your authenticator app is connected."),
    "TWO_FACTOR_SETUP_EXPIRED": N_("Connecting the app took too long. Please start again."),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": N_("Please use an authenticator app."),
    "ANONYMOUS_USER_REQUIRED": N_("You are signed in already."),
    "EMAIL_NOT_PROVIDED": N_("Please enter your e-mail address."),
    "PASSWORD_NOT_PROVIDED": N_("Please enter your password."),
    "INVALID_PASSWORD": N_("This is not your password."),
    "DISABLED_ACCOUNT": N_("This account is disabled."),
    "REAUTHENTICATION_SUCCESSFUL": N_("Thank you. You can go on now."),
    "INVALID_REDIRECT": N_("This address leads away from here."),
    "API_ERROR": N_("That did not work. Please start again."),
    "NO_RECOVERY_CODES_SETUP": N_("You have no recovery codes yet."),
}


def init_app(app: Flask, configuration: Settings) -> None:
    """Mount sign-in below `/admin` and demand a CSRF token of every write there."""
    app.config.update(_config(configuration))
    with ours_only(app):
        csrf = CSRFProtect(app)

        @app.before_request
        def demand_token() -> None:
            if request.endpoint in CLOSED:
                abort(404)
            throttle.check()
            csrf.protect()

        security = Security(
            app,
            StaffDatastore(db, Staff, Role),
            login_form=StaffLoginForm,
            two_factor_verify_code_form=StaffCodeForm,
            two_factor_setup_form=PhoneForm,
            two_factor_rescue_form=NoRescueForm,
            mf_recovery_form=StaffRecoveryForm,
            verify_form=StaffVerifyForm,
            totp_cls=OneTimeTotp,
        )
        security.login_manager.request_loader(lambda _request: None)  # a session, never a token
        staff_session.init_app(app, security.login_manager)


def _config(configuration: Settings) -> dict[str, Any]:
    def derived(purpose: str) -> str:
        key = bytes.fromhex(configuration.data_key)
        return hmac.new(key, purpose.encode(), hashlib.sha256).hexdigest()

    config: dict[str, Any] = {
        "WTF_CSRF_CHECK_DEFAULT": False,
        "WTF_CSRF_TIME_LIMIT": CSRF_SECONDS,
        "SECURITY_URL_PREFIX": PREFIX,
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_POST_LOGIN_VIEW": f"{PREFIX}/",
        "SECURITY_POST_LOGOUT_VIEW": f"{PREFIX}/login",
        "SECURITY_POST_VERIFY_VIEW": f"{PREFIX}/",
        "SECURITY_LOGOUT_METHODS": ["POST"],
        "SECURITY_LOGOUT_CSRF": True,
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SINGLE_HASH": True,
        "SECURITY_PASSWORD_SALT": derived("password salt"),
        "SECURITY_PASSWORD_LENGTH_MIN": LENGTH_MIN,
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_REQUIRED": True,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_AUTHENTICATOR_VALIDITY": CODE_WINDOW_SECONDS,
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_TWO_FACTOR_POST_SETUP_VIEW": f"{PREFIX}/account/",
        "SECURITY_TOTP_SECRETS": {"1": derived("authenticator secrets")},
        "SECURITY_TOTP_ISSUER": "Tuoke",
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_N": RECOVERY_CODES,
        "SECURITY_FRESHNESS": timedelta(minutes=30),
        "SECURITY_FRESHNESS_GRACE_PERIOD": timedelta(minutes=10),
        "SECURITY_I18N_DOMAIN": "messages",
        "SECURITY_I18N_DIRNAME": [str(TRANSLATIONS)],
    }
    for name, text in TEXTS.items():
        config[f"SECURITY_MSG_{name}"] = (text, "success" if "SUCCESS" in name else "error")
    return config


def find_staff(email: str | None) -> Staff | None:
    """Return who signs in with an address, in whatever case it was typed."""
    found: Staff | None = current_app.extensions["security"].datastore.find_user(
        case_insensitive=True, email=(email or "").strip()
    )
    return found


def verify_code(staff: Staff, code: str) -> bool:
    """Tell whether a code of the authenticator app is a member of staff's own, and unused."""
    if not staff.tf_totp_secret:
        return False
    factory = current_app.extensions["security"].totp_factory
    is_right: bool = factory.verify_totp(
        token=code.strip(), totp_secret=staff.tf_totp_secret, user=staff, window=CODE_WINDOW_SECONDS
    )
    return is_right


class StaffLoginForm(LoginForm):
    """E-mail and password. A shut account fails like a wrong password, whatever is entered.

    Who signs in with a password that we published for the demo must change it before anything else,
    wherever this is not a demo.
    """

    remember = None

    def validate(self, **kwargs: Any) -> bool:
        """Check the password, and count a failure against the account."""
        staff = find_staff(self.email.data)
        if staff is not None and lockout.is_shut(staff):
            hash_password(self.password.data or "")
            self.form_errors.append(say_generic())
            return False
        if super().validate(**kwargs):
            if staff is not None and is_published(self.password.data):
                with atomic() as transaction:
                    demand_new_password(transaction, staff.id)
            return True
        if staff is not None and self.password.data and not self.user_authenticated:
            lockout.record_failure(staff.id)
        return False


def say_generic() -> str:
    """Return the one sentence for every failed sign-in, in the language of the page."""
    sentence = TEXTS["GENERIC_AUTHN_FAILED"]
    text: str = current_app.extensions["security"].i18n_domain.gettext(sentence)
    return text


class StaffCodeForm(TwoFactorVerifyCodeForm):
    """The code of the authenticator app."""

    def validate(self, **kwargs: Any) -> bool:
        """Check the code, and count a failure against the account."""
        return _counted(self, super().validate, **kwargs)


class StaffRecoveryForm(MfRecoveryForm):
    """A recovery code instead of the app."""

    def validate(self, **kwargs: Any) -> bool:
        """Check the code, and count a failure against the account."""
        self.code.data = (self.code.data or "").strip().lower()
        return _counted(self, super().validate, **kwargs)


class StaffVerifyForm(VerifyForm):
    """One's own password once more, before security settings change."""

    def validate(self, **kwargs: Any) -> bool:
        """Check the password, and count a failure against the account."""
        staff: Any = self.user
        if lockout.is_shut(staff):
            self.password.errors = [say_generic()]
            return False
        if super().validate(**kwargs):
            return True
        if self.password.data:
            lockout.record_failure(staff.id)
        return False


class PhoneForm(TwoFactorSetupForm):
    """The wish to connect an authenticator app: the only second factor there is."""

    setup = RadioField(choices=[SelectChoice("authenticator", "")], validate_choice=False)


class NoRescueForm(TwoFactorRescueForm):
    """Nothing: who lost their phone uses a recovery code, or asks the owner."""

    help_setup = RadioField(choices=[])


class StaffDatastore(SQLAlchemyUserDatastore):
    """Staff as Flask-Security reads and writes them."""

    def mf_delete_recovery_code(self, user: Any, idx: int) -> bool:
        """Take a used recovery code away; a new list, for a changed one would not be noticed."""
        codes = list(user.mf_recovery_codes or ())
        if not 0 <= idx < len(codes):
            return False
        user.mf_recovery_codes = codes[:idx] + codes[idx + 1 :]
        return True


def _counted(form: Form, validate: Any, **kwargs: Any) -> bool:
    staff: Staff = form.user
    if lockout.is_shut(staff):
        form.code.errors = [*form.code.errors, say_generic()]
        return False
    if validate(**kwargs):
        return True
    if form.code.data:
        lockout.record_failure(staff.id)
    return False


class OneTimeTotp(Totp):
    """Codes of an authenticator app that are accepted once (RFC 6238, 5.2).

    Which codes were used is remembered for as long as they could be valid, in Redis: losing it
    costs the protection against a replay within half a minute, nothing else. The demo shows its
    codes to everybody, so there a code may be used by several people.
    """

    def verify_totp(self, token: str, totp_secret: str, user: Any, window: int = 0) -> bool:
        """Tell whether the code is right and was not used before."""
        if not super().verify_totp(token, totp_secret, user, window):
            return False
        if settings().demo:
            return True
        try:
            fresh = redis_connection().set(
                f"totp-used:{user.id}:{token.strip()}", "1", nx=True, ex=CODE_MEMORY_SECONDS
            )
        except redis.exceptions.RedisError:
            log.warning("totp_memory_unavailable", staff_id=user.id)
            return True
        return bool(fresh)

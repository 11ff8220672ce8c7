"""The core application: database, doorbell, WeChat, health. Front ends are mounted on it."""

import datetime as dt
from typing import Any

import redis
from apiflask import APIFlask
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.middleware.proxy_fix import ProxyFix

import app.tables  # noqa: F401 - relations and foreign keys need every table to be known
from app.engines.compliance.check import PROFILES
from app.kernel import logs, pools
from app.kernel.db import db
from app.kernel.secrecy import Vault
from app.operations import health
from app.preferences import overrides
from app.settings import Settings, SettingsError
from app.wechat import access as wechat

POOL_SIZE = 10
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 5_000
REQUEST_BYTES_MAX = 1_048_576
REDIS_TIMEOUT_SECONDS = 2


def create_app(settings: Settings) -> APIFlask:
    """Make the core application from its settings. Nothing is connected yet, so forking is safe."""
    logs.configure(settings.log_format)
    if settings.compliance_profile not in PROFILES:
        raise SettingsError(f"COMPLIANCE_PROFILE: one of {', '.join(PROFILES)}")
    app = APIFlask(
        "tuoke", json_errors=False, title="Tuoke", version="1", docs_path=None, spec_path=None
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(),
        MAX_CONTENT_LENGTH=REQUEST_BYTES_MAX,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_base_url.startswith("https://"),
        PERMANENT_SESSION_LIFETIME=dt.timedelta(hours=12),
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.extensions["settings"] = settings
    app.extensions["vault"] = Vault.from_hex(settings.data_key)
    app.extensions["redis"] = redis.from_url(
        settings.redis_url,
        socket_timeout=REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),  # a doorbell that is out of order is passed over, at once
    )
    if hops := settings.trusted_proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # Werkzeug's own way
    db.init_app(app)
    with app.app_context():
        pools.watch(db.engine)
    overrides.init_app(app)
    wechat.init_app(app, settings)
    health.init_app(app)
    _end_reading_after_requests(app)
    return app


def _engine_options() -> dict[str, Any]:
    """UTC, bounded waits, and a small pool; `pools.watch` notices a restarted server."""
    options = (
        f"-c timezone=UTC -c statement_timeout={STATEMENT_TIMEOUT_MS}"
        f" -c lock_timeout={LOCK_TIMEOUT_MS} -c idle_in_transaction_session_timeout=60000"
    )
    return {
        "pool_size": POOL_SIZE,
        "max_overflow": POOL_SIZE,
        "hide_parameters": True,  # what an error in the log would show of people
        "connect_args": {"options": options},
    }


def _end_reading_after_requests(app: Flask) -> None:
    """Flask-SQLAlchemy removes its session when the context ends; nothing else is needed.

    The hook exists to state the rule in code: a request that leaves a transaction of `atomic()`
    open is a bug, and fails here instead of holding locks.
    """

    @app.teardown_appcontext
    def assert_closed(_error: BaseException | None) -> None:
        assert not db.session.registry.has() or not db.session().info.get("app.atomic")

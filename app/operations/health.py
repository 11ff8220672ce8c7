"""Is this process alive, can it serve, and how is the work going."""

import hmac

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.access import redis, settings
from app.kernel.db import db
from app.operations import figures

blueprint = Blueprint("operations", __name__, url_prefix="")


def init_app(app: Flask) -> None:
    """Mount the endpoints of operations."""
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Answer that this process is alive; it asks nobody else."""
    return {"status": "ok"}


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Answer whether this process can serve: PostgreSQL must answer, Redis may be down.

    Without Redis everything that matters goes on; sign-in limits and prompt wake-ups suffer.
    """
    checks = {"postgresql": _database_answers(), "redis": _redis_answers()}
    ready = checks["postgresql"]
    return {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Answer with the figures of operations in Prometheus' format, read fresh from PostgreSQL."""
    wanted = settings().metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if wanted and not hmac.compare_digest(wanted, given):
        return Response(status=401)
    registry = CollectorRegistry()
    for name, (help_text, samples) in figures.collect(db.session()).items():
        gauge = Gauge(name, help_text, ["kind"], registry=registry)
        for kind, value in samples.items():
            gauge.labels(kind).set(value)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _database_answers() -> bool:
    try:
        db.session.execute(sa.text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _redis_answers() -> bool:
    try:
        return bool(redis().ping())
    except RedisError:
        return False

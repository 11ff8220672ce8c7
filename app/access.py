"""What an edge asks the running application for: its settings and its Redis."""

from flask import current_app
from redis import Redis

from app.settings import Settings


def settings() -> Settings:
    """Return the settings of the running application."""
    found: Settings = current_app.extensions["settings"]
    return found


def redis() -> Redis:
    """Return the running application's connection to Redis, the doorbell."""
    found: Redis = current_app.extensions["redis"]
    return found

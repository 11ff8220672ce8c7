"""What an edge asks the running application for: its settings and its Redis."""

from flask import current_app
from redis import Redis

from app.preferences.overrides import overrides
from app.settings import Settings


def settings() -> Settings:
    """Return the settings in force: the environment's, with what staff set in the back office.

    What staff set is at most `KNOWN_SECONDS` old. Ask at use and keep no copy.
    """
    return overrides().over(environment())


def environment() -> Settings:
    """Return the settings that this process was started with."""
    found: Settings = current_app.extensions["settings"]
    return found


def redis() -> Redis:
    """Return the running application's connection to Redis, the doorbell."""
    found: Redis = current_app.extensions["redis"]
    return found

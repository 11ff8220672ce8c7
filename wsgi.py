"""Where the parts meet: the core, the mini-program's API and the back office in one application.

Servers load `wsgi:application`; tests and commands call `create_application` with settings.
"""

import gc
from typing import TYPE_CHECKING

from flask import redirect

import admin
import miniprogram_api
from app import cli, factory
from app.settings import Settings

if TYPE_CHECKING:
    from apiflask import APIFlask


def create_application(settings: Settings | None = None) -> "APIFlask":
    """Make the core and mount its two front ends and its commands."""
    application = factory.create_app(settings or Settings.from_env())
    miniprogram_api.init_app(application)
    admin.init_app(application)
    cli.init_app(application)
    application.add_url_rule("/", "front_door", lambda: redirect("/admin/"))
    return application


def __getattr__(name: str) -> "APIFlask":
    """Make `application` when a server asks for it, so that importing this module needs nothing."""
    if name != "application":
        raise AttributeError(name)
    try:
        made = create_application()
    except AttributeError as error:
        # Python would take it for a missing attribute of this module and hide the reason.
        raise RuntimeError("the application cannot be made") from error
    # What was made by now stays until the process ends; looking through it again and again for
    # garbage would cost a fifth of every request.
    gc.collect()
    gc.freeze()
    globals()["application"] = made
    return made

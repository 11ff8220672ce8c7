"""The JSON API that the mini-program speaks, and the public pages behind shared links."""

from apiflask import APIFlask
from flask import Blueprint

from miniprogram_api import docs, landing, openapi, problems, tracing
from miniprogram_api.endpoints import GROUPS
from miniprogram_api.openapi import PREFIX
from miniprogram_api.routing import CONVERTERS


def init_app(app: APIFlask) -> None:
    """Mount the API under its prefix, its document, and the pages of share codes."""
    app.url_map.converters |= CONVERTERS
    tracing.init_app(app)
    problems.init_app(app)
    openapi.init_app(app)
    api = Blueprint("api", __name__, url_prefix=PREFIX)
    for group in GROUPS:
        api.register_blueprint(group)
    problems.register(api)
    for blueprint in (api, docs.blueprint, landing.blueprint):
        app.register_blueprint(blueprint)

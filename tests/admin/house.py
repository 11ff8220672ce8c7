"""A world that is built once for all tests of a module, and found by each as it was built."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.kernel.db import db
from app.settings import Settings
from tests.admin.place import Place
from tests.admin.world import World, add_beside, build


@dataclass
class House:
    """The world and the connection that nobody else sees it on."""

    app: Flask
    connection: Connection
    session: Session
    world: World
    beside: Place

    @contextmanager
    def as_found(self) -> Iterator[Session]:
        """Take back at the end whatever was written meanwhile."""
        self.app.extensions["preferences"].forget()
        mark = self.connection.begin_nested()
        try:
            yield self.session
        finally:
            self.session.rollback()
            mark.rollback()
            self.session.expire_all()
            self.app.extensions["preferences"].forget()


@contextmanager
def house_of(app: Flask, settings: Settings) -> Iterator[House]:
    """Build the world in a transaction that is rolled back when the last test has seen it."""
    with app.app_context():
        engine = db.engine
        engines = cast("dict[str | None, Any]", db.engines)
        connection = engine.connect()
        outer = connection.begin()
        engines[None] = connection
        try:
            session = db.session()
            world = build(session, settings)
            beside = add_beside(session, settings, world)
            yield House(app, connection, session, world, beside)
        finally:
            db.session.remove()
            outer.rollback()
            connection.close()
            engines[None] = engine

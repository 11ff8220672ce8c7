"""Letting things happen at the same time, each in a thread and a context of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from flask import Flask

from app.kernel.db import db
from app.kernel.errors import DomainError

T = TypeVar("T")


def together(app: Flask, acts: Sequence[Callable[[], T]]) -> list[T | DomainError]:
    """Run all acts at once; return what each returned, or the refusal it met, in their order.

    Every thread has its own connection, opened before any act begins. Any other error is raised.
    """
    barrier = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T | DomainError:
        with app.app_context():
            db.session.connection()
            db.session.rollback()
            barrier.wait(timeout=60)
            try:
                return act()
            except DomainError as refusal:
                return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))

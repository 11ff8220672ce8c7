"""Doing several things at the same time, each as a process of its own would, and judging after."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flask import Flask
from sqlalchemy.orm import Session

from app.kernel.db import db
from app.kernel.errors import DomainError
from app.operations import invariants

T = TypeVar("T")


def at_once(app: Flask, *acts: Callable[[], T]) -> list[T | str]:
    """Run all acts on threads that start together; returns their results, refusals by code."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], T]) -> T | str:
        with app.app_context():
            start.wait(30)
            try:
                return act()
            except DomainError as refusal:
                return refusal.code
            finally:
                db.session.remove()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [done.result() for done in [pool.submit(run, act) for act in acts]]


def broken(session: Session, *codes: str) -> list[str]:
    """Return which of these invariants do not hold."""
    session.rollback()
    return [one.code for one in invariants.check(session) if one.code in codes and one.count]

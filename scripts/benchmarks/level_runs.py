"""Time the monthly work on levels and teams inside the application, in a process of its own.

Puts a plan in force that began long ago, then runs what the scheduler runs, and writes the seconds
of each to stdout as JSON, with how many it moved.
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from app.distribution import level_preview, levels, monitor, retention
from app.engines.documents import load_rules
from app.engines.parameters import AMOUNTS, ConditionKind, Levels
from app.engines.registry import MODELS
from app.factory import create_app
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now, db
from app.plans import publishing
from app.plans import services as plans
from app.plans.services import Draft, Verdict
from app.settings import Settings

MODEL: Final = "CHANNEL_TWO_LEVEL"
WINDOW_DAYS: Final = 90
RULES: Final[dict[str, Any]] = {
    "model": MODEL,
    "levels": {
        "upgrades": [
            {
                "level": 2,
                "conditions": [
                    {"kind": "DIRECT_SALES", "at_least_fen": 150_000, "window_days": 90}
                ],
            },
            {
                "level": 3,
                "conditions": [
                    {"kind": "DIRECT_SALES", "at_least_fen": 400_000, "window_days": 180},
                    {"kind": "PAYING_CUSTOMERS", "at_least_count": 10, "window_days": 180},
                ],
            },
        ],
        "retention": {"every": "MONTH", "share_bp": 5_000, "grace_days": 0},
    },
}
"""The default conditions with lower thresholds, so that people move at all."""


def every_kind() -> Levels:
    """Return levels that need every figure there is, so high that next to nobody reaches them."""
    conditions = [
        {
            "kind": kind,
            "at_least_fen" if kind in AMOUNTS else "at_least_count": 900_000,
            "window_days": WINDOW_DAYS,
        }
        for kind in ConditionKind
    ]
    return Levels.model_validate_json(
        json.dumps({"upgrades": [{"level": 2, "mode": "ANY", "conditions": conditions}]})
    )


def put_in_force() -> None:
    """Publish a plan as if that had been a year ago."""
    now = database_now() - timedelta(days=400)
    with atomic() as session:
        plan = plans.create_plan(session, "bench", model=MODEL, now=now)
        version = plans.draft(session, plan.id, Draft(rules=RULES), actor=SYSTEM, now=now)
        verdict = Verdict(
            profile="cn", findings=(), bound=MODELS[MODEL].bound(load_rules(version.rules))
        )
        plans.record_check(session, version.id, verdict, actor=SYSTEM, now=now)
        plans.note_simulated(session, version.id, revision=1, actor="system", now=now)
        plans.submit(session, version.id, actor=SYSTEM, now=now)
        plans.approve(session, version.id, actor=SYSTEM, now=now)
        publishing.publish(session, version.id, actor=SYSTEM, effective_from_at=now, now=now)


def everybody_by_every_figure() -> int:
    """Evaluate everybody by all nine figures at once, without moving anybody."""
    session = db.session()
    counts = level_preview.preview(session, every_kind(), now=database_now())
    session.rollback()
    return sum(one.people for one in counts)


def runs(settings: Settings) -> dict[str, Callable[[], int]]:
    """Return what is timed, in order."""
    return {
        "evaluate everybody, first time": lambda: levels.evaluate_everybody(now=database_now()),
        "evaluate everybody, again": lambda: levels.evaluate_everybody(now=database_now()),
        "evaluate by every figure": everybody_by_every_figure,
        "review a month": lambda: retention.review_levels(now=database_now()),
        "end warnings": lambda: retention.end_warnings(now=database_now()),
        "count teams": lambda: monitor.watch_trees(settings=settings, now=database_now()),
    }


def main() -> None:
    """Run everything once and print how long it took."""
    settings = Settings.from_env()
    with create_app(settings).app_context():
        put_in_force()
        taken = {}
        for name, run in runs(settings).items():
            started = time.perf_counter()
            moved = run()
            taken[name] = [time.perf_counter() - started, moved]
        print(json.dumps(taken))
        db.engine.dispose()


if __name__ == "__main__":
    main()

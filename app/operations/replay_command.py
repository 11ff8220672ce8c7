"""`flask replay`: decide again what was decided, and print every difference to the books."""

import json
import sys
from datetime import datetime, timedelta
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress

from app.distribution import replay as replaying
from app.kernel.clock import day_begins_at
from app.kernel.db import database_now

DAY: Final = click.DateTime(formats=["%Y-%m-%d"])
EARLIEST: Final = "2000-01-01"


@click.command()
@click.option("--from", "from_day", type=DAY, default=EARLIEST, help="First day of payment (all).")
@click.option("--to", "to_day", type=DAY, help="Last day of payment (until now).")
@click.option("--plan", "plan_id", type=int, help="One plan, by its number (all).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def replay(
    *, from_day: datetime, to_day: datetime | None, plan_id: int | None, as_json: bool
) -> None:
    """Decide again what was paid in these days; ends with status 1 where the books differ.

    Days are the brand's. Refunds and all else that came of these orders until now count. It only
    reads, so it may run beside everything else or on a replica.
    """
    from_at, to_at = day_begins_at(from_day.date()), database_now()
    if to_day is not None:
        to_at = min(to_at, day_begins_at(to_day.date() + timedelta(days=1)))
    total = replaying.workload(from_at, to_at, plan_id)
    with Progress(console=Console(stderr=True, quiet=as_json)) as shown:
        task = shown.add_task("Replaying", total=total)

        def progress(done: int) -> None:
            shown.advance(task, done)

        report = replaying.replay(from_at, to_at, plan_id, progress=progress)
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        for one in report.differences:
            click.echo(str(one))
        counted = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()))
        click.echo(f"{counted or 'nothing'} decided again, {report.difference_count} differences")
    sys.exit(0 if report.is_empty else 1)

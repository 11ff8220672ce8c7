"""Commands for people and processes: `flask <command>`."""

import json
import sys

import click
from flask import Flask
from rich.console import Console
from rich.progress import track

from app import demo
from app.kernel import jobs
from app.kernel.db import db
from app.operations import (
    distributor_commands,
    draw_commands,
    insight_commands,
    invariants,
    month_commands,
    plan_commands,
    processes,
    setting_commands,
)
from app.operations.import_command import import_file
from app.operations.owner_command import owner_of
from app.operations.replay_command import replay
from app.operations.simulate_command import simulate


def init_app(app: Flask) -> None:
    """Add our commands to the application's."""
    own = (worker, scheduler, relay, audit, replay, simulate, seed, run_job, owner_of, import_file)
    of_distributors = (distributor_commands.levels, distributor_commands.statements)
    of_months = (month_commands.months_group, month_commands.explain)
    groups = (plan_commands.plans, insight_commands.insight, draw_commands.draws_group)
    of_settings = setting_commands.settings_group
    for command in (of_settings, *own, *of_distributors, *of_months, *groups):
        app.cli.add_command(command)


@click.command()
def worker() -> None:
    """Work off jobs until told to stop."""
    processes.worker()


@click.command()
def scheduler() -> None:
    """Ring the workers by the clock until told to stop."""
    processes.scheduler()


@click.command()
def relay() -> None:
    """Turn facts into tasks and ring the workers until told to stop."""
    processes.relay()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--skip", multiple=True, help="Leave an invariant out, by its code.")
def audit(*, as_json: bool, skip: tuple[str, ...]) -> None:
    """Check everything that must always hold; ends with status 1 where something does not."""
    wanted = [one for one in invariants.INVARIANTS if one.code not in skip]
    steps = invariants.check(db.session(), skip=frozenset(skip))
    shown = Console(stderr=True, quiet=as_json)
    findings = list(track(steps, "Checking", total=len(wanted), console=shown))
    broken = [one for one in findings if one.count]
    if as_json:
        listed = [
            {"code": one.code, "says": one.says, "violations": one.count, "examples": one.examples}
            for one in findings
        ]
        click.echo(json.dumps({"ok": not broken, "invariants": listed}, ensure_ascii=False))
    else:
        for one in broken:
            click.echo(f"{one.code}  {one.says}  {one.count}: {', '.join(one.examples)}")
        click.echo(f"{len(findings)} invariants checked, {len(broken)} broken")
    sys.exit(1 if broken else 0)


@click.command()
@click.option("--scenario", type=click.Choice(sorted(demo.SCENARIOS)), default="demo")
def seed(*, scenario: str) -> None:
    """Load a scenario. What is there already stays as it is."""
    for line in demo.SCENARIOS[scenario]():
        click.echo(line)


@click.command("run-job")
@click.argument("name", type=click.Choice(jobs.names()))
def run_job(*, name: str) -> None:
    """Run one job here and now; prints how much it did."""
    click.echo(jobs.run_by_name(name))

"""`flask simulate`: try a plan on invented growth or on own orders, without the back office.

Growth needs no database, so a plan can be tried anywhere. What is printed depends on nothing but
the plan, the parameters and the orders: the same seed gives the same bytes.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import Progress

from app.distribution.simulation import history
from app.distribution.simulation.errors import SimulationInvalid
from app.distribution.simulation.growth import Brand
from app.distribution.simulation.lane import Entry, Lane
from app.distribution.simulation.parameters import Growth, read_growth, read_history
from app.distribution.simulation.results import Result, result_of, to_bytes
from app.distribution.simulation.runner import run
from app.distribution.simulation.services import entry_of
from app.distribution.simulation.tables import sheets, to_csv
from app.engines.documents import load_rules
from app.engines.faults import PlanRulesInvalid
from app.kernel.db import atomic, database_now
from app.kernel.errors import DomainError
from app.kernel.i18n import ENGLISH, yuan
from app.kernel.i18n import translate as _translate
from app.kernel.money import percent
from app.plans.errors import PlanNotFound
from app.plans.models import PlanVersion
from app.plans.portable import FORMAT, read_file

FAILED: Final = 2
Tell = Callable[[int], None]


class Refused(click.ClickException):
    """What the core refused, in English; ends the command with status 2."""

    exit_code = FAILED

    def __init__(self, error: DomainError) -> None:
        """Name every wrong field where fields are wrong."""
        lines = [_translate(error.message(), ENGLISH)]
        if isinstance(error, PlanRulesInvalid | SimulationInvalid):
            lines += [
                f"  {one.path or '-'}: {_translate(one.message, ENGLISH)}" for one in error.faults
            ]
        super().__init__("\n".join(lines))


@click.command()
@click.argument("target")
@click.option("--growth", help="Invented growth, as members=10000,months=12 or as JSON.")
@click.option("--months", type=int, help="Own orders of so many months, and of the running one.")
@click.option("--against", help="Version or file to compare with.")
@click.option("--seed", type=int, help="Seed of invented growth (1).")
@click.option(
    "--csv",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for tables of people, months, levels and kinds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def simulate(
    *, target: str, against: str | None, folder: Path | None, as_json: bool, **source: Any
) -> None:
    """Try a version, by its number, or a plan in a file.

    By default on invented growth. Nothing is recorded: the simulation that lets a version go on to
    approval is asked for in the back office.
    """
    months, growth, seed = source["months"], source["growth"], source["seed"]
    if months is not None and (growth is not None or seed is not None):
        raise click.UsageError("--months is for own orders; --growth and --seed invent some.")
    try:
        entries = [entry_at(one) for one in (target, against) if one is not None]
        if months is not None:
            result = _on_orders(entries, months)
        else:
            result = _on_growth(entries, _growth(growth, seed))
    except DomainError as error:
        raise Refused(error) from error
    if folder is not None:
        _write(result, folder)
    click.echo(to_bytes(result) if as_json else "\n".join(summary(result)))


def entry_at(target: str) -> Entry:
    """Read a version by its number, a file of `flask plans export`, or bare rules in a file."""
    if target.isdigit():
        with atomic() as session:
            version = session.get(PlanVersion, int(target))
            if version is None:
                raise PlanNotFound
            return entry_of(version)
    path = Path(target)
    if not path.is_file():
        raise click.BadParameter(f"{target} is neither a version nor a file")
    text = path.read_bytes()
    if FORMAT.encode() not in text:
        return Entry(rules=load_rules(text))
    file = read_file(text)
    return Entry(
        rules=load_rules(file.rules),
        store_ids=file.scope.get("store_ids"),
        product_ids=file.scope.get("product_ids"),
    )


def _growth(text: str | None, seed: int | None) -> Growth:
    document = _parse(text or "")
    return read_growth(document if seed is None else document | {"seed": seed})


def _parse(text: str) -> dict[str, Any]:
    """Read `name=number,...` or JSON."""
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise click.BadParameter(f"this is no JSON: {error}", param_hint="--growth") from error
        return dict(found)
    document: dict[str, Any] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, _equals, value = part.partition("=")
        if not value.lstrip("-").isdecimal():
            raise click.BadParameter(
                f"{part!r} is not of the form name=number", param_hint="--growth"
            )
        document[name.strip()] = int(value)
    return document


def _on_growth(entries: Sequence[Entry], growth: Growth) -> Result:
    unlimited = [Entry(rules=one.rules) for one in entries]

    def act(tell: Tell) -> list[Lane]:
        return run(Brand(growth).happenings(), unlimited, levels_rise=True, progress=tell)

    lanes = _told(growth.orders, act)
    return result_of(lanes, kind="growth", parameters=growth.model_dump(mode="json"))


def _on_orders(entries: Sequence[Entry], months: int) -> Result:
    now = database_now()
    meant = read_history({"months": months, "until_at": now.isoformat()})
    window = history.window_of(meant, now=now)
    with atomic() as session:
        orders = history.count_orders(session, window, entries[0])

    def act(tell: Tell) -> list[Lane]:
        return run(
            history.happenings(window),
            entries,
            levels_rise=False,
            until_at=window.until_at,
            progress=tell,
        )

    return result_of(_told(orders, act), kind="orders", parameters={"months": months})


def _told(orders: int, act: Callable[[Tell], list[Lane]]) -> list[Lane]:
    """Act under a progress bar, which keeps off what is printed."""
    with Progress(console=Console(stderr=True)) as shown:
        task = shown.add_task("Simulating", total=orders)
        return act(lambda done: shown.update(task, completed=done))


def _write(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, sheet in sheets(result).items():
        (folder / f"{name}.csv").write_bytes(to_csv(sheet))


def summary(result: Result) -> list[str]:
    """Tell a result in a few lines."""
    lines = _of_plan("plan", result["plan"])
    if result["against"] is not None:
        found = result["comparison"]
        lines += _of_plan("against", result["against"])
        lines.append(
            f"{found['gaining']} people gain {yuan(found['gained_fen'])},"
            f" {found['losing']} lose {yuan(found['lost_fen'])}, {found['unchanged']} neither"
        )
    return lines


def _of_plan(name: str, found: Mapping[str, Any]) -> list[str]:
    bound, spread = found["bound"], found["spread"]
    turnover, cost = yuan(found["net_turnover_fen"]), yuan(found["cost_fen"])
    back, cut = yuan(found["reversed_fen"]), yuan(found["capped_fen"])
    share, gini, gini_all, top = (
        percent(one)
        for one in (
            found["share_bp"],
            spread["gini_bp"],
            spread["gini_of_active_bp"],
            spread["top_bp"],
        )
    )
    worst, most = percent(bound["worst_order_bp"]), percent(bound["order_bp"])
    worst_month, most_monthly = percent(bound["worst_month_bp"]), percent(bound["monthly_bp"])
    return [
        f"{name}: {found['model']}, {found['orders']} orders, {turnover} after refunds",
        f"  costs {cost}, {share} of it; refunds took back {back}, the cap {cut}",
        f"  dearest order {worst} of at most {most}, dearest month {worst_month} of {most_monthly}",
        f"  {spread['paid']} of {spread['active']} people earn; the first ten have {top}",
        f"  Gini {gini}, with those who earn nothing {gini_all}",
    ]

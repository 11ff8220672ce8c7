"""Commands about what is paid by the month, and why an order paid what it paid."""

import json
import sys
from typing import Final

import click
import sqlalchemy as sa

from app.distribution import months
from app.distribution.months import Due
from app.distribution.plan_records import ClosedMonth
from app.distribution.queries import order_explanation
from app.kernel.audit import SYSTEM
from app.kernel.db import atomic, database_now, db
from app.kernel.errors import DomainError
from app.kernel.i18n import CHINESE, ENGLISH, translate, yuan
from app.orders.models import Order

LANGUAGES: Final = {"en": ENGLISH, "zh": CHINESE}
_month = click.option("--month", required=True, help="As 2026-10.")
_plan = click.option("--plan", "plan_id", type=int, required=True, help="Number of the plan.")
_store = click.option("--store", "store_id", type=int, help="Where stores close one by one.")


@click.group("months")
def months_group() -> None:
    """Close months of plans that pay by the month."""


@months_group.command("due")
def due() -> None:
    """List the months that are over and not closed."""
    for one in months.due_months(db.session(), now=database_now()):
        where = f" store {one.store_id}" if one.store_id else ""
        click.echo(f"plan {one.plan_id} {one.month}{where}")


@months_group.command("preview")
@_plan
@_month
@_store
def preview(*, plan_id: int, month: str, store_id: int | None) -> None:
    """Print what closing a month would bring, as JSON; nothing is written."""
    try:
        books, outcome = months.preview(
            db.session(), Due(plan_id, month, store_id), now=database_now()
        )
    except DomainError as error:
        _give_up(error)
    told = {
        "net_fen": books.net_fen,
        "pool_fen": outcome.pool_fen,
        "awarded_fen": outcome.total_fen,
        "carried_fen": outcome.carried_fen,
        "deficit_fen": outcome.deficit_fen,
        "awards": [
            {"member_id": one.beneficiary_id, "kind": one.kind, "amount_fen": one.amount_fen}
            for one in outcome.awards
        ],
        "refusals": [
            {"member_id": one.beneficiary_id, "kind": one.kind, "reason": one.reason}
            for one in outcome.refusals
        ],
    }
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


@months_group.command("close")
@_plan
@_month
@_store
def close(*, plan_id: int, month: str, store_id: int | None) -> None:
    """Close a month that is over, for good; ends with status 1 where that is refused."""
    try:
        closed = months.close(Due(plan_id, month, store_id), actor=SYSTEM, now=database_now())
        with atomic() as session:
            awarded_fen = session.get_one(ClosedMonth, closed.id).awarded_fen
    except DomainError as error:
        _give_up(error)
    click.echo(f"closed {month}: {yuan(awarded_fen)}")


@click.command("explain")
@click.argument("order_number")
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), default="en")
def explain(*, order_number: str, language: str) -> None:
    """Tell why each seat of each line of an order was or was not paid."""
    session = db.session()
    order_id = session.scalar(sa.select(Order.id).where(Order.number == order_number))
    if order_id is None:
        click.echo("There is no such order.", err=True)
        sys.exit(1)
    for sentences in order_explanation(session, order_id):
        for position, sentence in enumerate(sentences):
            mark = "  " if position else "- "
            click.echo(mark + translate(sentence, LANGUAGES[language]))


def _give_up(error: DomainError) -> None:
    click.echo(translate(error.message(), ENGLISH), err=True)
    sys.exit(1)

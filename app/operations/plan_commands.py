"""`flask plans`: plans from the command line.

Drafts come in and go out as files. Publication is left to the back office, since it takes two
people. Ends with status 1 where the answer is no (the check blocks a plan, two plans differ), and
with 2 where something could not be done.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from app.access import settings
from app.distribution import compliance, drafting
from app.distribution.drafting import Parsed
from app.engines.bound import PayoutBound, explain_bound
from app.engines.compliance.findings import Severity
from app.engines.documents import dump_rules
from app.engines.faults import PlanRulesInvalid
from app.engines.registry import MODELS
from app.kernel.audit import Actor
from app.kernel.db import atomic, database_now, db, retrying
from app.kernel.errors import DomainError
from app.kernel.i18n import CHINESE, ENGLISH, Message, translate
from app.plans.differences import ABSENT, diff
from app.plans.errors import PlanNotFound
from app.plans.models import Plan, PlanVersion, PlanVersionState
from app.plans.portable import read_file, write_file
from app.stores.models import Staff

NO: Final = 1
FAILED: Final = 2
LANGUAGES: Final = {"en": ENGLISH, "zh": CHINESE}

_language = click.option(
    "--language", type=click.Choice(sorted(LANGUAGES)), default="en", help="Of the sentences."
)


class Refused(click.ClickException):
    """What the core refused, in English; ends the command with status 2."""

    exit_code = FAILED

    def __init__(self, error: DomainError) -> None:
        """Name every wrong field where rules are wrong."""
        lines = [translate(error.message(), ENGLISH)]
        if isinstance(error, PlanRulesInvalid):
            lines += [f"  {one.path or '-'}: {_say(one.message)}" for one in error.faults]
        super().__init__("\n".join(lines))


@dataclass(frozen=True, slots=True)
class Target:
    """A plan from a file, or a version by its number."""

    title: str
    parsed: Parsed


@click.group()
def plans() -> None:
    """Drafts, checks and files of distribution plans."""


@plans.command("list")
@click.option("--state", type=click.Choice([one.value for one in PlanVersionState]))
def list_versions(*, state: str | None) -> None:
    """List the versions of all plans, with the number that other commands take."""
    query = sa.select(PlanVersion, Plan).join(Plan).order_by(Plan.name, PlanVersion.number)
    if state is not None:
        query = query.where(PlanVersion.state == PlanVersionState(state))
    for version, plan in db.session.execute(query):
        begins = version.effective_from_at.isoformat() if version.effective_from_at else "-"
        label = f"{plan.name} v{version.number}"
        click.echo(f"{version.id}\t{label}\t{plan.model}\t{version.state.value}\t{begins}")


@plans.command()
@click.argument("target")
@_language
def show(*, target: str, language: str) -> None:
    """Tell the rules of a plan in sentences."""
    found = _read(target)
    rules = found.parsed.rules
    model = MODELS[rules.model]
    click.echo(f"{found.title}: {_say(Message(model.title), language)}")
    for sentence in model.describe(rules):
        click.echo(f"- {_say(sentence, language)}")
    click.echo(json.dumps(found.parsed.scope.to_json()))


@plans.command()
@click.argument("target")
@_language
def bound(*, target: str, language: str) -> None:
    """Derive what a plan can cost at worst."""
    rules = _read(target).parsed.rules
    _tell_bound(MODELS[rules.model].bound(rules), language)


@plans.command()
@click.argument("target")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@_language
def check(*, target: str, as_json: bool, language: str) -> None:
    """Check a file or a version; ends with status 1 where it may not be published.

    Nothing is recorded: the check that counts for publication is made in the back office.
    """
    parsed = _read(target).parsed
    found = compliance.preview(db.session(), parsed.rules, parsed.scope, settings())
    if as_json:
        findings = [compliance.finding_to_json(one) for one in found.findings]
        document = {
            "profile": settings().compliance_profile,
            "bound_bp": found.bound.bound_bp,
            "monthly_bp": found.bound.monthly_bp,
            "cap_bp": found.bound.cap_bp,
            "findings": findings,
        }
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        for one in found.findings:
            told = f"{one.severity.value}  {one.rule}  {_say(one.message, language)}"
            click.echo(f"{told}  [{_say(one.citation, language)}]")
        click.echo(f"{len(found.findings)} findings")
        _tell_bound(found.bound, language)
    if any(one.severity is Severity.BLOCK for one in found.findings):
        raise SystemExit(NO)


@plans.command("diff")
@click.argument("before")
@click.argument("after")
def differences(*, before: str, after: str) -> None:
    """Print each field in which two files or versions differ; status 1 where any does."""
    one, other = _document(_read(before)), _document(_read(after))
    found = diff(one, other)
    for each in found:
        click.echo(f"{each.path}\t{_json(each.before)}\t{_json(each.after)}")
    if found:
        raise SystemExit(NO)


@plans.command("export")
@click.argument("version_id", type=int)
def export_version(*, version_id: int) -> None:
    """Print a version as a file; the same version always gives the same bytes."""
    click.echo(write_file(_version(version_id)), nl=False)


@plans.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--plan", "plan_name", help="An existing plan; without it a new one is opened.")
@click.option("--author", required=True, help="E-mail of who drafts it; somebody else approves.")
def import_version(*, file: Path, plan_name: str | None, author: str) -> None:
    """Draft the version that stands in a file, in the name of a member of staff."""
    text, now = file.read_bytes(), database_now()

    def act() -> tuple[int, int]:
        with atomic() as session:
            plan_id = None
            if plan_name is not None:
                plan_id = session.scalar(sa.select(Plan.id).where(Plan.name == plan_name))
                if plan_id is None:
                    raise PlanNotFound
            staff_id = session.scalar(
                sa.select(Staff.id).where(
                    sa.func.lower(Staff.email) == author.lower(), Staff.active
                )
            )
            if staff_id is None:
                raise click.BadParameter("nobody on the staff has this e-mail", param_hint="author")
            version = drafting.import_file(
                session, text, plan_id=plan_id, actor=Actor("staff", staff_id), now=now
            )
            return version.id, version.number

    try:
        version_id, number = retrying(act)
    except DomainError as error:
        raise Refused(error) from error
    click.echo(f"version {version_id} drafted, number {number} of its plan")


def _read(target: str) -> Target:
    """Read a version by its number, or a file by its path."""
    try:
        if target.isdigit():
            version = _version(int(target))
            parsed = drafting.parse(db.session(), version.rules, version.scope)
            return Target(f"{version.plan.name} v{version.number}", parsed)
        path = Path(target)
        if not path.is_file():
            raise click.BadParameter(f"{target} is neither a version nor a file")
        file = read_file(path.read_bytes())
        return Target(file.name, drafting.parse(db.session(), file.rules, file.scope))
    except DomainError as error:
        raise Refused(error) from error


def _version(version_id: int) -> PlanVersion:
    version = db.session.scalar(
        sa.select(PlanVersion)
        .where(PlanVersion.id == version_id)
        .options(joinedload(PlanVersion.plan))
    )
    if version is None:
        raise Refused(PlanNotFound())
    return version


def _document(target: Target) -> Mapping[str, Any]:
    rules, scope = target.parsed.rules, target.parsed.scope
    return {"rules": dump_rules(rules), "scope": scope.to_json()}


def _json(value: Any) -> str:
    return "-" if value is ABSENT else json.dumps(value, ensure_ascii=False)


def _tell_bound(found: PayoutBound, language: str) -> None:
    sentences: Iterable[Message] = explain_bound(found)
    for sentence in sentences:
        click.echo(_say(sentence, language))


def _say(message: Message | str, language: str = "en") -> str:
    return translate(message, LANGUAGES[language])

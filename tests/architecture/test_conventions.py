"""What the tree itself must satisfy."""

import ast
import inspect
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import BigInteger, Column, DateTime

from app.kernel import jobs
from app.kernel.db import Base
from app.kernel.errors import DomainError
from app.reactions import BELLS, TASKS
from app.schedule import CRON, EVERY_SWEEP
from app.tables import orders  # noqa: F401 - fills the metadata

ROOT: Final = Path(__file__).parents[2]
SOURCES: Final = sorted(
    path
    for folder in ("app", "admin", "miniprogram_api", "scripts")
    for path in (ROOT / folder).rglob("*.py")
)
FUNCTION_LINES_MAX: Final = 60
FILE_LINES_MAX: Final = 400
COLUMNS: Final = [column for table in Base.metadata.sorted_tables for column in table.columns]


@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_columns_hold_whole_amounts_and_aware_instants(column: Column[object]) -> None:
    assert column.type.python_type is not float
    if column.name.endswith(("_fen", "_points", "_bp")):
        assert isinstance(column.type, BigInteger)
    if isinstance(column.type, DateTime):
        assert column.type.timezone
        assert column.name.endswith("_at") or column.name == "at"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_fit_the_eye(path: Path) -> None:
    source = path.read_text()
    long = [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert source.count("\n") <= FILE_LINES_MAX
    assert long == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_money_is_never_a_float(path: Path) -> None:
    """Fen are whole; true division and float() have no business near a name that ends in _fen."""
    offenders = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div))
            or (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "float"
            )
        )
        and "_fen" in ast.unparse(node)
    ]

    assert offenders == []


def test_only_the_transaction_opener_commits() -> None:
    """A commit elsewhere would end a transaction that its opener believes to be open."""
    committers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.is_relative_to(ROOT / "app") or path.is_relative_to(ROOT / "miniprogram_api")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    }

    assert committers == {"app/kernel/db.py"}


def test_every_job_that_is_named_exists() -> None:
    named = (
        {name for table in (TASKS, BELLS) for listed in table.values() for name in listed}
        | set(EVERY_SWEEP)
        | set(CRON)
    )

    assert named <= set(jobs.names())


def test_every_job_is_rung_by_something() -> None:
    """A job that neither an event, a sweep nor the clock rings would never run."""
    rung = (
        {name for table in (TASKS, BELLS) for listed in table.values() for name in listed}
        | set(EVERY_SWEEP)
        | set(CRON)
    )

    assert set(jobs.names()) == rung


def _errors(base: type[DomainError] = DomainError) -> list[type[DomainError]]:
    return [found for child in base.__subclasses__() for found in (child, *_errors(child))]


def test_every_error_has_a_code_of_its_own_and_a_text_that_its_facts_fill() -> None:
    import miniprogram_api  # noqa: F401, PLC0415 - loads every slice's errors

    errors = [error for error in _errors() if "code" in vars(error)]

    codes = [error.code for error in errors]
    assert len(codes) == len(set(codes))
    for error in errors:
        if "parameters" not in vars(error):  # some derive their facts and have tests of their own
            error.text % dict.fromkeys(inspect.signature(error).parameters, 0)


def test_advisory_locks_have_numbers_of_their_own() -> None:
    """Two locks with one number would wait for each other without any reason."""
    numbers = [
        node.value.value
        for path in SOURCES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id.upper().endswith("LOCK")
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, int)
    ]

    assert len(numbers) >= 5
    assert len(numbers) == len(set(numbers))

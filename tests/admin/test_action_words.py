"""Every action that the code writes to the audit trail has a name for people."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from flask import Flask

from admin.words import action_names, subject_names

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted(
    path for folder in ("app", "admin", "miniprogram_api") for path in (ROOT / folder).rglob("*.py")
)
RECORD: Final = {"audit.record", "record"}
AT: Final = 2
"""Which argument of `audit.record` the action is."""


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what names of a module are set to."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
    return found


def texts(node: ast.expr, known: dict[str, ast.expr]) -> Iterator[str]:
    """Yield each text that an expression can be; what is made at run time ends in an ellipsis."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one, known)
            yield from texts(other, known)
        case ast.Name(id=name) if name in known:
            yield from texts(known[name], known)
        case ast.Subscript(value=ast.Name(id=name)) if isinstance(known.get(name), ast.Dict):
            for value in known[name].values:  # type: ignore[attr-defined]
                yield from texts(value, known)
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_rest]):
            yield f"{text}…"
        case _:
            return


def callers(tree: ast.Module, function: ast.FunctionDef, name: str) -> Iterator[ast.expr]:
    """Yield what a module passes for one parameter of a function of its own."""
    positions = [one.arg for one in function.args.args]
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id != function.name:
            continue
        yield from (one.value for one in node.keywords if one.arg == name)
        if name in positions and positions.index(name) < len(node.args):
            yield node.args[positions.index(name)]


def recorded(tree: ast.Module) -> Iterator[str]:
    """Yield every action that a module writes, as far as it stands in the module."""
    known = constants(tree)
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        parameters = {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}
        for node in ast.walk(function):
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) in RECORD):
                continue
            if len(node.args) <= AT:
                continue
            action = node.args[AT]
            if isinstance(action, ast.Name) and action.id in parameters:
                for passed in callers(tree, function, action.id):
                    yield from texts(passed, known)
            else:
                yield from texts(action, known)


def all_recorded() -> dict[str, str]:
    """Return each action with the file that writes it."""
    return {
        action: str(path.relative_to(ROOT))
        for path in FILES
        for action in recorded(ast.parse(path.read_text()))
    }


def test_the_search_finds_what_is_written_out_named_chosen_and_passed_on() -> None:
    found = all_recorded()

    assert found["setting.changed"] == "app/preferences/services.py"
    assert found["phone_revealed"] == "admin/phones.py"
    assert found["payout.approved"] == "app/payouts/services.py"
    assert found["distributor_frozen"] == "app/members/team.py"
    assert "stock_…" in found
    assert len(found) > 60


def test_every_action_that_is_recorded_has_a_name(app: Flask) -> None:
    with app.test_request_context("/admin/"):
        names = action_names()

    nameless = {
        action: path
        for action, path in all_recorded().items()
        if action not in names
        and not (action.endswith("…") and any(one.startswith(action[:-1]) for one in names))
    }
    assert nameless == {}


def test_no_two_actions_are_called_the_same(app: Flask) -> None:
    """The filter would offer one word twice."""
    with app.test_request_context("/admin/", headers={"Accept-Language": "en"}):
        names = list(action_names().values())

    assert sorted({one for one in names if names.count(one) > 1}) == []


def test_every_kind_of_subject_that_is_recorded_has_a_name(app: Flask) -> None:
    kinds = {
        node.args[0].value
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] == "Subject"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    with app.test_request_context("/admin/"):
        names = set(subject_names()) | set(app.extensions["backoffice"])

    assert kinds - names == set()
    assert len(kinds) > 12

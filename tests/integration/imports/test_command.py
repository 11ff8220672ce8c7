"""`flask import`: the same checks and the same writing as in the back office."""

import json
from pathlib import Path

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.catalog.models import Product
from app.imports.models import ImportRun, ImportState
from tests.factories.imports import csv_of

HEADINGS = ["title", "kind", "price"]


def runs(session: Session) -> list[ImportState]:
    session.expire_all()
    return list(session.scalars(sa.select(ImportRun.state).order_by(ImportRun.id)))


def titles(session: Session) -> list[str]:
    return list(session.scalars(sa.select(Product.title).order_by(Product.id)))


def test_a_dry_run_names_wrong_rows_and_writes_nothing(
    app: Flask, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "products.csv"
    file.write_text(csv_of(HEADINGS, [["Facial", "service", "99"], ["Bad", "service", "x"]]))

    result = app.test_cli_runner().invoke(args=["import", "products", str(file), "--dry-run"])

    assert result.exit_code == 1
    assert "row 3  price: This is not an amount in yuan such as 128.00." in result.output
    assert "2 rows, 1 valid, 1 wrong, 0 done" in result.output
    assert (titles(session), runs(session)) == ([], [ImportState.CANCELLED])


def test_right_rows_are_written_and_told_as_json(
    app: Flask, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "products.csv"
    file.write_text(csv_of(HEADINGS, [["Facial", "service", "99"], ["Massage", "service", "88"]]))

    result = app.test_cli_runner().invoke(args=["import", "products", str(file), "--json"])

    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (told["state"], told["done"], told["wrong_rows"]) == ("done", 2, [])
    assert (titles(session), runs(session)) == (["Facial", "Massage"], [ImportState.DONE])


def test_a_file_that_is_refused_ends_with_status_two(
    app: Flask, session: Session, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(csv_of(["phone"], [["13911112222"]]))
    runner = app.test_cli_runner()

    without_consent = runner.invoke(args=["import", "members", str(file)])
    wrong_kind = runner.invoke(args=["import", "stock", str(file)])

    assert (without_consent.exit_code, wrong_kind.exit_code) == (2, 2)
    assert "consent" in without_consent.output
    assert "Missing columns: Store, Product." in wrong_kind.output
    assert runs(session) == []

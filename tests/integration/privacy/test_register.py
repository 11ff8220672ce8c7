"""Every table that knows a member is in the register, and says what a database can do."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.kernel.db import Base
from app.privacy.register import FROZEN, TRACES, WITHOUT, Trace

PEOPLE = {"members.id", "distributors.member_id"}
FINDS_A_PERSON = ("openid", "unionid", "phone", "real_name", "device_hash", "ip_hash", "birthday")
TABLES = Base.metadata.tables


def refers_to_people(table: sa.Table) -> bool:
    return any(key.target_fullname in PEOPLE for column in table.c for key in column.foreign_keys)


def test_every_table_that_refers_to_a_member_is_registered_or_has_a_reason() -> None:
    referring = {name for name, table in TABLES.items() if refers_to_people(table)}
    registered = {trace.table for trace in TRACES}

    assert referring <= registered | set(WITHOUT)
    assert set(WITHOUT) <= referring - registered


def test_every_column_that_finds_a_person_is_erased() -> None:
    erased = {f"{trace.table}.{column}" for trace in TRACES for column in trace.erased} | {
        f"{table}.{column}" for table, columns in FROZEN.items() for column in columns
    }
    deleted = {trace.table for trace in TRACES if trace.is_deleted}
    finding = {
        str(column)
        for name, table in TABLES.items()
        for column in table.c
        if name not in deleted
        and any(part in column.name for part in FINDS_A_PERSON)
        and not isinstance(column.type, sa.Boolean)
    }

    assert finding - erased <= OF_OTHERS


OF_OTHERS = {
    *("staff.phone_sealed", "staff.phone_hash", "stores.phone", "staff_sessions.ip_hash"),
    "membership_level_versions.birthday_gift",
}
"""Staff have an employment, stores are no people, and a gift is a rule of the brand."""


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.table)
def test_a_trace_names_columns_that_exist_and_a_condition_that_runs(
    session: Session, trace: Trace
) -> None:
    columns = ", ".join(filter(None, [trace.shown, *trace.opened, *trace.erased])) or "1"
    statement = f"SELECT {columns} FROM {trace.table} WHERE {trace.whose}"  # noqa: S608 - ours

    found: Any = session.execute(sa.text(statement), {"id": 1})

    assert found.all() == []
    assert trace.table in TABLES

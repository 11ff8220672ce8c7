"""The migrations build exactly what the models say, and can be taken back step by step."""

import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import alembic.command
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from tests.servers import Services, alembic_config, migrate

COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, is_identity, column_default,
           character_maximum_length
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> 'alembic_version'
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype NOT IN ('n', 't')
      AND conrelid <> 0 AND conrelid::regclass::text <> 'alembic_version'
"""
INDEXES = """
    SELECT tablename, indexname, indexdef
    FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""
OBJECTS = """
    SELECT relkind::text, relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'alembic_version%'
    UNION ALL
    SELECT 'function', proname FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'trigger', tgname FROM pg_trigger WHERE NOT tgisinternal
"""


@pytest.fixture
def fresh(services: Services) -> Iterator[str]:
    """The URL of an empty database, as the owner."""
    yield services.create_database("fresh")
    services.drop_database("fresh")


def rows(url: str, query: str) -> list[str]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return sorted(map(str, connection.execute(sa.text(query)).all()))


def revisions() -> list[str]:
    """Every revision, oldest first."""
    scripts = ScriptDirectory.from_config(alembic_config("unused"))
    return [script.revision for script in scripts.walk_revisions()][::-1]


def test_every_migration_can_be_taken_back_and_applied_again(fresh: str) -> None:
    for revision in revisions():
        before = rows(fresh, OBJECTS)
        migrate(fresh, revision)
        after = rows(fresh, OBJECTS)
        alembic.command.downgrade(alembic_config(fresh, "downgrade"), "-1")
        assert rows(fresh, OBJECTS) == before, f"{revision} leaves something behind"
        migrate(fresh, revision)
        assert rows(fresh, OBJECTS) == after, f"{revision} applies differently again"


def test_migrations_have_one_line_of_descent(services: Services) -> None:
    scripts = ScriptDirectory.from_config(alembic_config("unused"))
    assert len(scripts.get_heads()) == 1


def test_the_models_need_no_further_migration(services: Services) -> None:
    alembic.command.check(alembic_config(services.owner_database_url, "check"))


@pytest.mark.parametrize(
    "query", [COLUMNS, CONSTRAINTS, INDEXES], ids=["columns", "constraints", "indexes"]
)
def test_models_and_migrations_make_the_same_tables(
    services: Services, fresh: str, query: str
) -> None:
    """Beyond `alembic check`, which looks at neither CHECK nor EXCLUDE constraints."""
    metadata: sa.MetaData = importlib.import_module("app.tables").Base.metadata
    engine = sa.create_engine(fresh, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for (name,) in extensions(services.owner_database_url):
            connection.exec_driver_sql(f'CREATE EXTENSION IF NOT EXISTS "{name}"')
        metadata.create_all(connection)

    assert rows(services.owner_database_url, query) == rows(fresh, query)


def extensions(url: str) -> list[tuple[str]]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT extname FROM pg_extension")).all()
    return [(name,) for (name,) in found]


def privileges(services: Services) -> dict[str, set[str]]:
    """What the product's role may do to each table."""
    engine = sa.create_engine(services.owner_database_url, poolclass=sa.NullPool)
    found: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for table, privilege in connection.execute(
            sa.text(
                "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
                " WHERE grantee = 'tuoke_app' AND table_schema = 'public'"
            )
        ):
            found.setdefault(table, set()).add(privilege)
    return found


def test_the_product_may_add_to_the_ledger_and_never_change_it(services: Services) -> None:
    granted = privileges(services)
    for table in ("ledger_entries", "ledger_transfers", "ledger_seals", "touches", "audit_log"):
        assert granted[table] == {"SELECT", "INSERT"}


def test_the_product_reads_its_schema_version_and_writes_every_other_table(
    services: Services,
) -> None:
    granted = privileges(services)
    assert granted["alembic_version"] == {"SELECT"}
    assert granted["orders"] == {"SELECT", "INSERT", "UPDATE", "DELETE"}


def test_the_product_owns_nothing_and_may_create_nothing(services: Services) -> None:
    query = """
        SELECT (SELECT count(*) FROM pg_class WHERE relowner = 'tuoke_app'::regrole),
               has_schema_privilege('tuoke_app', 'public', 'CREATE'),
               (SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls
                FROM pg_roles WHERE rolname = 'tuoke_app')
    """
    assert rows(services.owner_database_url, query) == ["(0, False, False)"]


def waits_for_a_lock(connection: sa.Connection) -> bool:
    query = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation')"
    return bool(connection.execute(sa.text(query)).scalar())


def test_a_migration_gives_way_to_a_busy_table_and_tries_again(fresh: str) -> None:
    """Whoever queues behind a waiting ALTER TABLE would stand still, so it must not wait long."""
    migrate(fresh, "0009")
    engine = sa.create_engine(fresh, poolclass=sa.NullPool)
    with engine.connect() as writer, engine.connect() as watcher, ThreadPoolExecutor() as pool:
        writer.exec_driver_sql("LOCK TABLE ledger_entries IN ROW EXCLUSIVE MODE")
        migration = pool.submit(migrate, fresh, "0010")
        while not waits_for_a_lock(watcher):
            assert not migration.done(), migration.result()
        while waits_for_a_lock(watcher):
            assert not migration.done(), migration.result()
        assert rows(fresh, "SELECT version_num FROM alembic_version") == ["('0009',)"]
        writer.rollback()
        migration.result()
    assert rows(fresh, "SELECT version_num FROM alembic_version") == ["('0010',)"]

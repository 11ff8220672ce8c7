"""Run the migrations: as the owner of the tables, one at a time, without blocking the shop.

The address is MIGRATION_DATABASE_URL (the owner's role) or else DATABASE_URL. A statement that
must wait for a lock gives up after 200 ms and the migration is tried again, because whatever
queues behind a waiting ALTER TABLE stands still with it. An advisory lock lets the second of two
deployments wait for the first. Versions import nothing of the product; its models are loaded only
to compare them with the database (`alembic check`, `revision --autogenerate`).
"""

import importlib
import os
import time
from typing import Any

import sqlalchemy as sa
from alembic import context
from sqlalchemy.exc import OperationalError

APP_ROLE = "tuoke_app"
"""The product's role where the installation has one; it owns nothing and gets what follows."""

APPEND_ONLY = frozenset(
    {"audit_log", "ledger_entries", "ledger_seals", "ledger_transfers", "touches"}
)
"""What the product may add to and never change."""

READ_ONLY = frozenset({"alembic_version"})

NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""How constraints without a name of their own are named; the models follow the same rule."""

MIGRATION_LOCK = 0x74756F6B65  # "tuoke"
LOCK_TIMEOUT = "200ms"
TRIES = 50
PAUSE_SECONDS = 0.3
LOCK_NOT_AVAILABLE = "55P03"

config = context.config


def address() -> sa.URL:
    """Return whose database to change: the caller's, or the environment's."""
    text = (
        config.attributes.get("url")
        or os.environ.get("MIGRATION_DATABASE_URL")
        or os.environ.get("DATABASE_URL")
    )
    if not text:
        raise SystemExit("Set MIGRATION_DATABASE_URL or DATABASE_URL.")
    return sa.make_url(text)


def is_comparing() -> bool:
    """Tell whether this run compares models and database instead of migrating."""
    command = getattr(config.cmd_opts, "cmd", None)
    name = command[0].__name__ if command else config.attributes.get("command")
    return name in {"check", "revision"}


def options() -> dict[str, Any]:
    """Return what Alembic needs to know; the models only where they are compared."""
    metadata = sa.MetaData(naming_convention=NAMES)
    if is_comparing():
        metadata = importlib.import_module("app.tables").Base.metadata
    return {
        "target_metadata": metadata,
        "transaction_per_migration": True,
        "compare_type": True,
        "compare_server_default": True,
    }


def migrate(connection: sa.Connection) -> None:
    """Run what is due. Where a lock was busy, what was not yet committed runs again."""
    for attempt in range(1, TRIES + 1):
        context.configure(connection=connection, **options())
        try:
            with context.begin_transaction():
                context.run_migrations()
        except OperationalError as error:
            busy = getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE
            if not busy or attempt == TRIES:
                raise
            connection.rollback()
            time.sleep(PAUSE_SECONDS)
        else:
            return


def grant(connection: sa.Connection) -> None:
    """Give the product's role its rights, all in one transaction, so that it never lacks one."""
    role = sa.text("SELECT 1 FROM pg_roles WHERE rolname = :name AND NOT rolsuper")
    if not connection.execute(role, {"name": APP_ROLE}).scalar():
        return
    tables = set(sa.inspect(connection).get_table_names(schema="public"))
    statements = [
        f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {APP_ROLE}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE}",
    ]
    for name in sorted(tables & APPEND_ONLY):
        statements.append(f"REVOKE UPDATE, DELETE ON {name} FROM {APP_ROLE}")
    for name in sorted(tables & READ_ONLY):
        statements.append(f"REVOKE INSERT, UPDATE, DELETE ON {name} FROM {APP_ROLE}")
    connection.exec_driver_sql("; ".join(statements))


def online() -> None:
    """Migrate through a connection of our own."""
    engine = sa.create_engine(address(), poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        connection.commit()
        migrate(connection)
        if not is_comparing():
            grant(connection)
        connection.commit()
    engine.dispose()


def offline() -> None:
    """Print the SQL instead (`alembic upgrade head --sql`)."""
    context.configure(url=address(), literal_binds=True, **options())
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    offline()
else:
    online()

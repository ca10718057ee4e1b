"""Run migrations for Alembic: on the connection that `search.db.upgrade` hands over, or for its command line."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection

from search.db.schema import Base
from search.db.session import Database, database_url, settle_journal
from search.settings import load_settings


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite can roll DDL back as Postgres can, once the driver keeps its hands off transactions.
        transactional_ddl=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


def _migrate_from_command_line() -> None:
    settings = load_settings(os.environ)
    url = context.get_x_argument(as_dictionary=True).get("database_url", settings.database_url)
    if url is None:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(database_url(settings.home, url))
    try:
        settle_journal(database)
        with database.connect_for_writing() as connection:
            _migrate(connection)
    finally:
        database.close()


_handed_over = context.config.attributes.get("connection")
if _handed_over is None:
    _migrate_from_command_line()
else:
    _migrate(_handed_over)

"""Which ids a library gives next: after an import, too, no address of what was erased may show another thing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Table, func, select, text
from sqlalchemy.orm import Session

from search.db.schema import Embedding
from search.portable.tables import CARRIED


def numbered() -> list[Table]:
    """Tables whose ids are carried."""
    return [*CARRIED, Embedding.metadata.tables[Embedding.__tablename__]]


def next_ids(session: Session) -> dict[str, int]:
    """By table, an id that no row has had yet."""
    found = {table.name: (session.scalar(select(func.max(table.c.id))) or 0) + 1 for table in numbered()}
    if session.get_bind().dialect.name == "sqlite":
        used: dict[str, int] = dict(session.execute(text("SELECT name, seq FROM sqlite_sequence")).all())
        return {name: max(number, int(used.get(name, 0)) + 1) for name, number in found.items()}
    for name, number in found.items():
        sequence = session.scalar(_SEQUENCE, {"table": name})
        last, called = session.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()  # noqa: S608  # its own name
        found[name] = max(number, last + bool(called))
    return found


def continue_from(session: Session, wanted: Mapping[str, int], tables: Iterable[Table]) -> None:
    """Let tables give these ids next, or higher ones where rows have them already."""
    sqlite = session.get_bind().dialect.name == "sqlite"
    for table in tables:
        first = max(wanted.get(table.name, 1), (session.scalar(select(func.max(table.c.id))) or 0) + 1)
        if not sqlite:
            session.execute(_SET, {"table": table.name, "first": first})
        elif table.dialect_options["sqlite"]["autoincrement"]:
            session.execute(text("DELETE FROM sqlite_sequence WHERE name = :table"), {"table": table.name})
            row = {"table": table.name, "last": first - 1}
            session.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)"), row)


_SEQUENCE = text("SELECT pg_get_serial_sequence(:table, 'id')")
_SET = text("SELECT setval(pg_get_serial_sequence(:table, 'id'), :first, false)")

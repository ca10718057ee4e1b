"""How much an ordinary SQLite library holds, asked of the driver alone: no second of imports for a few counts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from search.errors import LibraryError, SettingsError
from search.folder_rules import read_rules
from search.index_info import IndexInfo
from search.results import LibraryStatus, RootInfo
from search.settings import Settings

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"
_PRESENT = "EXISTS (SELECT 1 FROM files WHERE files.image_id = images.id AND files.state = 'indexed')"
_COUNTS = {
    "images": f"SELECT count(*) FROM images WHERE {_PRESENT}",  # noqa: S608  # of constants
    "captions": "SELECT count(*) FROM captions",
    "regions": "SELECT count(*) FROM regions WHERE NOT is_read",
    "lines": "SELECT count(*) FROM regions WHERE is_read",
    "texts": "SELECT count(*) FROM texts",
    "facts": "SELECT count(*) FROM facts",
}
_RESTING = "SELECT 1 FROM caption_generations WHERE resting LIMIT 1"
_PUBLISHED = (
    "SELECT generations.kind, generations.vectors, generations.index_key, generations.measured "
    "FROM generations JOIN models ON models.id = generations.model_id "
    "WHERE models.active AND generations.active AND generations.kind <> 'catalogue' "
    "ORDER BY generations.kind"
)


def glance(settings: Settings) -> LibraryStatus | None:
    """What `SearchService.status` says of a library in SQLite, of this version's form, that belongs to its home.

    Returns:
        None for any other library, and wherever anything is out of the ordinary: `Library.open` says what it is.
    """
    if settings.database_url:
        return None
    from search.db.driver import DATABASE_FILE, sqlite_module  # noqa: PLC0415  # as small as this file

    path = settings.home / DATABASE_FILE
    if not path.is_file():
        return None
    driver = sqlite_module()
    try:
        connection = driver.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=1.0)
        try:
            connection.execute("BEGIN")
            ordinary = _is_ordinary(connection, settings.home) and not connection.execute(_RESTING).fetchone()
            return _counts(connection) if ordinary else None
        finally:
            connection.close()
    except (driver.Error, OSError, ValueError, KeyError, TypeError, LibraryError, SettingsError):
        return None


def _is_ordinary(connection: Any, home: Path) -> bool:
    from search.db.revisions import revisions  # noqa: PLC0415  # as above

    (form,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    (uid,) = connection.execute("SELECT uid FROM library").fetchone()
    mark = json.loads((home / "library.json").read_text(encoding="utf-8"))["uid"]
    return bool(form == revisions(MIGRATIONS)[-1] and uid == mark)


def _counts(connection: Any) -> LibraryStatus:
    states = dict(connection.execute("SELECT state, count(*) FROM files GROUP BY state").fetchall())
    model = connection.execute("SELECT name FROM models WHERE active").fetchone()
    counts = {name: connection.execute(query).fetchone()[0] for name, query in _COUNTS.items()}
    indexes = tuple(_index(*row) for row in connection.execute(_PUBLISHED).fetchall())
    return LibraryStatus(
        **counts,
        files_indexed=states.get("indexed", 0),
        files_refused=states.get("refused", 0),
        files_missing=states.get("missing", 0),
        model=model[0] if model else None,
        published={one.kind: one.vectors for one in indexes},
        roots=tuple(_root(*row) for row in connection.execute("SELECT path, rules FROM roots ORDER BY path")),
        indexes=indexes,
    )


def _index(kind: str, vectors: int, index_key: str, measured: str | None) -> IndexInfo:
    return IndexInfo(kind, vectors, index_key, None if measured is None else json.loads(measured))


def _root(raw: bytes, stored: str | None) -> RootInfo:
    path = os.fsdecode(raw)
    rules = read_rules(path, None if stored is None else json.loads(stored))
    return RootInfo(path, rules.exclude, rules.include, rules.follow_links, rules.archives)

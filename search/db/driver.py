"""Which SQLite reads and writes a library, and the name of its file; importable at no cost."""

from __future__ import annotations

import sqlite3
from types import ModuleType

DATABASE_FILE = "deixis.db"
"""Name of the default SQLite database inside the home folder."""


def sqlite_module() -> ModuleType:
    """The newest SQLite at hand: `pysqlite3` brings its own, Python's own may have the WAL-reset bug."""
    try:
        import pysqlite3.dbapi2 as bundled  # noqa: PLC0415  # optional: there is no wheel for every platform
    except ImportError:
        return sqlite3
    module: ModuleType = bundled
    return module

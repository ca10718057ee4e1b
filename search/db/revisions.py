"""The revisions of the database's form, by the names of the migrations' files."""

from __future__ import annotations

from pathlib import Path


def revisions(migrations: Path) -> list[str]:
    """Every revision, oldest first. Alembic itself costs a reader half a second to import.

    A script is `REVISION_slug.py`, and revisions are numbered in their order; a test holds Alembic to it.

    Args:
        migrations: Alembic's folder.
    """
    return sorted(path.name.partition("_")[0] for path in (migrations / "versions").glob("[0-9]*_*.py"))

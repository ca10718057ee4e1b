"""The table of archives that were read."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from search.db.base import Base
from search.db.columns import BigId, OsPath


class Archive(Base):
    """An archive that was read, and as what: it is read again when that changes. Owner: `search.db.archives`."""

    __tablename__ = "archives"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    path: Mapped[str] = mapped_column(OsPath, unique=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    mtime_ns: Mapped[int] = mapped_column(BigInteger)
    ctime_ns: Mapped[int] = mapped_column(BigInteger)
    rules_sha256: Mapped[str] = mapped_column(String(64))
    """Of what was said about passing over in it, hex."""
    members: Mapped[int] = mapped_column(Integer)
    """Files below it that are not missing, as of that reading."""
    faults: Mapped[list[list[str]]] = mapped_column(JSON)
    """Names in it that stand for no path, each with a reason."""

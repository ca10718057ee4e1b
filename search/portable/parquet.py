"""Parquet files written and read in row groups, so that memory does not grow with the library."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.errors import ExportFormatError
from search.vectors.durable import writing_to
from vision.errors import DeixisError

GROUP_ROWS = 4096
"""Rows of one row group: a vector of 1,152 numbers makes that 19 MB."""

_MOST_GROUP_BYTES = 1 << 29
"""A larger row group was not written here, and would have to be held in memory."""

_READ_ROWS = 1024


class ParquetMissingError(DeixisError):
    """The package that reads and writes Parquet is not installed."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What was written.

    Attributes:
        rows: how many.
        size_bytes: of the file.
        sha256: of its bytes, hex.
    """

    rows: int
    size_bytes: int
    sha256: str


class Parquet:
    """Reads and writes Parquet through pyarrow.

    Attributes:
        arrow: the package.

    Raises:
        ParquetMissingError: it is not installed.
    """

    def __init__(self) -> None:
        try:
            self.arrow: Any = importlib.import_module("pyarrow")
            self._files: Any = importlib.import_module("pyarrow.parquet")
        except ImportError as error:
            raise ParquetMissingError(
                "pyarrow is not installed", remedy="Install the extra: pip install 'deixis[parquet]'"
            ) from error

    def vectors_schema(self, owner: str, dim: int) -> Any:
        """Ids, owners and vectors of one space."""
        arrow = self.arrow
        vector = arrow.list_(arrow.field("element", arrow.float32()), dim)
        return arrow.schema([("id", arrow.int64()), (owner, arrow.int64()), ("vector", vector)])

    @contextmanager
    def writing(self, path: Path, schema: Any, *, split: Sequence[str] = ()) -> Iterator[Callable[[Any], None]]:
        """Write a file by the given function, which takes one row group of columns at a time; fsynced at the end.

        Args:
            path: a new file.
            schema: of its columns.
            split: columns of floats whose bytes are stored one kind after the other, which compresses them.

        Raises:
            LibraryError: it cannot be written.
        """
        options = {"use_byte_stream_split": list(split), "use_dictionary": False} if split else {}
        with writing_to(path), open(path, "xb") as file:
            with self._files.ParquetWriter(file, schema, compression="zstd", **options) as writer:

                def write(columns: Any) -> None:
                    table = self.arrow.Table.from_pydict(columns, schema=schema)
                    writer.write_table(table, row_group_size=max(table.num_rows, 1))

                yield write
            file.flush()
            os.fsync(file.fileno())

    def rows(self, path: Path, schema: Any, *, optional: Sequence[str] = ()) -> int:
        """How many rows a file says it has, once its columns and the sizes of its row groups are as they should be.

        Raises:
            ExportFormatError: it is no Parquet file, or not one of these columns.
        """
        with self._readable(path), self._files.ParquetFile(path, pre_buffer=False) as file:
            found = {field.name: field.type for field in file.schema_arrow}
            wanted = {field.name: field.type for field in schema}
            missing = [name for name in wanted if name not in found and name not in optional]
            wrong = [name for name, kind in found.items() if name not in wanted or wanted[name] != kind]
            if missing or wrong or len(found) != len(file.schema_arrow):
                said = [f"lacks the column {name}" for name in missing]
                said += [f"has a column {name} of another kind or meaning" for name in wrong]
                raise ExportFormatError(f"{path.name} {'; '.join(said) or 'names a column twice'}", remedy=FOREIGN)
            facts = file.metadata
            for number in range(facts.num_row_groups):
                if facts.row_group(number).total_byte_size > _MOST_GROUP_BYTES:
                    raise ExportFormatError(f"{path.name} has a row group too large to be read", remedy=FOREIGN)
            return int(facts.num_rows)

    def read(self, path: Path, size: int = _READ_ROWS) -> Iterator[Any]:
        """Record batches of a file, in order.

        Raises:
            ExportFormatError: it is damaged.
        """
        with self._readable(path), self._files.ParquetFile(path, pre_buffer=False) as file:
            yield from file.iter_batches(size, use_threads=False)

    def items(self, path: Path) -> Iterator[list[Mapping[str, Any]]]:
        """The rows of a file as dictionaries, some at a time, in order.

        Raises:
            ExportFormatError: it is damaged, or holds an instant that is none.
        """
        for batch in self.read(path):
            with self._readable(path):
                yield batch.to_pylist()

    @contextmanager
    def _readable(self, path: Path) -> Iterator[None]:
        """Say in words what is wrong with a file that cannot be read as Parquet."""
        try:
            yield
        except (self.arrow.ArrowException, OSError, ValueError, OverflowError) as error:
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise ExportFormatError(f"{path.name} cannot be read: {said[0][:200]}", remedy=DAMAGED) from error


FOREIGN = "Export the library again; these files were not made by `deixis export-library`, or by another version of it."
DAMAGED = "Copy the export again from where it came from, or export the library anew."


def written_file(path: Path, rows: int) -> WrittenFile:
    """The facts of a file that is complete."""
    return WrittenFile(rows, path.stat().st_size, sha256_of(path))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

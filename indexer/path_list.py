"""Lists of paths: one a line, or with NUL between them as `find -print0` writes them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from indexer.places import PathError, resolve_root
from indexer.report import RefusedFile

MAX_BYTES = 256 * 1024 * 1024
"""A longer list is refused."""


@dataclass(slots=True)
class PathList:
    """What a list names.

    Attributes:
        roots: paths that are there, absolute, each once.
        refused: those that are not, or are no paths.
    """

    roots: list[str] = field(default_factory=list)
    refused: list[RefusedFile] = field(default_factory=list)


def read_path_list(data: bytes, folder: str, *, nul: bool = False) -> PathList:
    """Read a list; what is not there costs its line alone.

    Args:
        data: the list. Of lines, an empty one says nothing, and a carriage return at the end is no part of a name.
        folder: where relative paths begin.
        nul: names are divided by NUL, and every other byte is part of one.

    Raises:
        PathError: the list is too long.
    """
    if len(data) > MAX_BYTES:
        raise PathError(f"the list has more than {MAX_BYTES:,} bytes", remedy="Name the folders instead.")
    lines = data.split(b"\0") if nul else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    return sorted_out(os.path.join(folder, os.fsdecode(line)) for line in dict.fromkeys(line for line in lines if line))


def sorted_out(paths: Iterable[str]) -> PathList:
    """Paths that are there, with links resolved, and the others."""
    found = PathList()
    roots: dict[str, None] = {}
    for path in paths:
        try:
            roots[resolve_root(path)] = None
        except PathError as error:
            found.refused.append(RefusedFile(path, f"not_found: {error.args[0]}"))
    found.roots = list(roots)
    return found

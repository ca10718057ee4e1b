"""Pictures that lie elsewhere on this machine: which beginnings of paths become which."""

from __future__ import annotations

import os
from collections.abc import Sequence

from search.checks.raw import Row
from search.db.images import display_name, name_key, path_fault
from search.errors import ExportFormatError, SettingsError
from vision.originals import in_moved_archive


class PathMap:
    """Replaces folders at the beginning of paths; of several that fit, the longest counts.

    Args:
        pairs: `(old, new)`, absolute.

    Raises:
        SettingsError: a path is not absolute, or one folder is to become two.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]] = ()) -> None:
        for path in (path for pair in pairs for path in pair):
            if not path.startswith("/"):
                raise SettingsError(f"{path or 'nothing'} is not an absolute path", remedy="Write --map /OLD=/NEW.")
        trimmed = [(os.fsencode(old.rstrip("/")), os.fsencode(os.path.normpath(new))) for old, new in pairs]
        if len({old for old, _ in trimmed}) < len(trimmed):
            raise SettingsError("one folder is to become two", remedy="Give each folder to --map once.")
        self._pairs = sorted(trimmed, key=lambda pair: len(pair[0]), reverse=True)
        self._used: set[bytes] = set()

    def move(self, row: Row, where: str) -> Row:
        """The row with the path that it has here, and the name and the place in an archive that follow from it.

        Raises:
            ExportFormatError: no path can be so long.
        """
        path: bytes = row["path"]
        for old, new in self._pairs:
            if path == old or path.startswith(old + b"/"):
                self._used.add(old)
                row = row | {"path": new.rstrip(b"/") + path[len(old) :] or b"/"}
                if isinstance(row.get("held"), str):
                    row |= {"held": in_moved_archive(row["held"], old, new.rstrip(b"/"))}
                break
        moved = os.fsdecode(row["path"])
        fault = path_fault(moved)
        if fault is not None:
            raise ExportFormatError(f"{where}: {fault.partition(': ')[2]}", remedy="Import below a shorter folder.")
        if "name" in row and row["path"] != path:
            row |= {"name": display_name(moved), "name_key": name_key(moved)}
        return row

    def check_used(self) -> None:
        """Make sure that each folder was there: a slip of the pen would leave every picture where it is not.

        Raises:
            SettingsError: nothing lay in one of them.
        """
        for old, _ in self._pairs:
            if old not in self._used:
                raise SettingsError(
                    f"--map {os.fsdecode(old)}: the export has nothing at or below this folder",
                    remedy="Its folders are in roots.parquet; `deixis status` names them where it was made.",
                )


def parsed_pairs(said: Sequence[str]) -> list[tuple[str, str]]:
    """`OLD=NEW` as people write it; the first sign divides them, and `~` is the home folder.

    Raises:
        SettingsError: there is no sign.
    """
    pairs = []
    for one in said:
        old, sign, new = one.partition("=")
        if not sign:
            raise SettingsError(f"{one!r} names one folder, not two", remedy="Write --map /OLD=/NEW.")
        pairs.append((os.path.expanduser(old), os.path.expanduser(new)))
    return pairs

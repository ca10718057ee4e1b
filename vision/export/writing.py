"""A folder that appears whole or not at all: written beside its place, marked when finished, then renamed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vision.errors import ModelError
from vision.whole_files import fsync_folder, write_whole

MARK = "deixis-export.json"
"""What was exported, from what and how faithfully; written last, and what tells an export from anybody's folder."""


@contextmanager
def whole_folder(out: Path, facts: dict[str, Any]) -> Iterator[Path]:
    """Give a folder to write into; at the end it takes the place of `out`, and on an error it is gone.

    A reader meets either nothing (or the former export) or everything: the mark is written last, and the folder comes
    by one rename.

    Args:
        out: where the export goes; absent, empty, or an earlier export, which is replaced.
        facts: for the mark; filled by the caller until the end.

    Raises:
        ModelError: `out` holds something that no export has put there, or cannot be written.
    """
    out = out.expanduser().absolute()
    _refuse_foreign(out)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}.unfinished")
    try:
        unfinished.mkdir(parents=True)
        yield unfinished
        write_whole(unfinished / MARK, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
        _put_in_place(unfinished, out)
    except OSError as error:
        raise ModelError(f"{out}: the export cannot be written: {error}", remedy="Choose another --out.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _refuse_foreign(out: Path) -> None:
    if out.is_dir() and ((out / MARK).is_file() or not any(out.iterdir())):
        return
    if out.exists() or out.is_symlink():
        raise ModelError(f"{out} holds something that is no export", remedy="Choose another folder with --out.")


def _put_in_place(finished: Path, out: Path) -> None:
    former = out.with_name(f".{out.name}.{os.getpid()}.former")
    if out.is_dir():
        out.rename(former)
    finished.rename(out)
    fsync_folder(out.parent)
    shutil.rmtree(former, ignore_errors=True)

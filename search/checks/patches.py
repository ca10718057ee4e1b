"""Are the patches that a library keeps what was written, and of pictures that are known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from search.checks.finding import VerifyReport
from search.db.schema import Image
from search.library import Library
from search.patches.store import unpacked


def check_patches(library: Library, report: VerifyReport) -> None:
    """Read every file of patches."""
    home = library.home
    for path, code, message in _sorted(library):
        if code:
            report.add(code, str(path.relative_to(home)), message)
        else:
            report.checked["patches"] += 1


def damaged_patches(library: Library) -> list[Path]:
    """What `rebuild` removes: the damaged, which the next `index` makes again, and the stray."""
    return [path for path, code, _ in _sorted(library) if code]


def _sorted(library: Library) -> Iterator[tuple[Path, str, str]]:
    """Each file with the code and the message of what is wrong with it, both empty where nothing is."""
    store = library.patches.store
    kept = store.kept()
    model = "" if kept is None else kept.model[:16]
    with library.read() as session:
        known = set(session.scalars(select(Image.sha256)))
    for path, sha256, of in store.files():
        if path.is_dir() and not path.is_symlink():
            continue
        if sha256 not in known or of != model:
            yield path, "stray_patches", "are of no picture of this library, or of a model that it keeps none of"
            continue
        try:
            problem = "" if unpacked(path.read_bytes()) is not None else "are not what was written"
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
        yield path, "patches_damaged" if problem else "", problem

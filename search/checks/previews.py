"""Are the previews what was written, of pictures that are known, and of the size that their names say."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from search.checks.finding import VerifyReport
from search.db.schema import Image
from search.library import Library
from search.previews import PreviewStore, sides_px, unsealed


@dataclass(slots=True)
class SortedPreviews:
    """The files among the previews.

    Attributes:
        stray: of no picture of the library, or nothing that is a preview by its name.
        known: the others, with their picture's hash.
    """

    stray: list[Path] = field(default_factory=list)
    known: list[tuple[Path, str]] = field(default_factory=list)


def sort_previews(store: PreviewStore, hashes: Collection[str]) -> SortedPreviews:
    """Tell the previews of these pictures from everything else that lies there; folders and links are nobody's."""
    found = SortedPreviews()
    for path, sha256 in store.files():
        if sha256 is not None and sha256 in hashes:
            found.known.append((path, sha256))
        elif path.is_symlink() or not path.is_dir():
            found.stray.append(path)
    return found


def check_previews(library: Library, report: VerifyReport) -> None:
    """Read every preview."""
    store = PreviewStore(library.home)
    with library.read() as session:
        sides = {row.sha256: (row.width_px, row.height_px) for row in session.execute(_SIDES)}
    found = sort_previews(store, sides)
    for path in found.stray:
        report.add("stray_preview", _name(store, path), "is of no picture of this library")
    for path, sha256 in found.known:
        report.checked["previews"] += 1
        problem = preview_problem(store, path, sides[sha256])
        if problem is not None:
            report.add("preview_damaged", _name(store, path), problem)


def preview_problem(store: PreviewStore, path: Path, picture_px: tuple[int, int]) -> str | None:
    """What is wrong with a preview, or None.

    Args:
        store: the library's.
        path: of the preview.
        picture_px: width and height of the picture.
    """
    try:
        data = unsealed(path.read_bytes())
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if data is None:
        return "its checksum does not match"
    sides = sides_px(data)
    longest = min(store.size_of(path), max(picture_px))
    if sides is None or max(sides) != longest:
        return f"it has {sides or 'no'} px, its longest side should have {longest}"
    return None


def damaged_previews(library: Library) -> list[Path]:
    """What `rebuild` removes, to be made again when it is asked for: the damaged and the stray."""
    store = PreviewStore(library.home)
    with library.read() as session:
        sides: Mapping[str, tuple[int, int]] = {
            row.sha256: (row.width_px, row.height_px) for row in session.execute(_SIDES)
        }
    found = sort_previews(store, sides)
    return found.stray + [path for path, sha in found.known if preview_problem(store, path, sides[sha]) is not None]


_SIDES = select(Image.sha256, Image.width_px, Image.height_px)


def _name(store: PreviewStore, path: Path) -> str:
    return str(path.relative_to(store.folder.parent))

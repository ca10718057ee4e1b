"""Which picture of the library an annotation file means by a name or by the end of a path."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexer.report import SkippedRecord
from search.db.chunks import chunks
from search.db.images import display_name, display_path, name_key, path_key
from search.db.schema import File, Image


@dataclass(frozen=True, slots=True)
class Target:
    """The picture that an annotation file means."""

    image_id: int
    width_px: int
    height_px: int


def find_picture(session: Session, file: str) -> Target | SkippedRecord:
    """The one picture that is meant, as `find_pictures` finds it."""
    return find_pictures(session, [file])[0]


def find_pictures(session: Session, files: Sequence[str]) -> list[Target | SkippedRecord]:
    """For each name or end of a path the one picture that is meant, or why there is none.

    The name as it is written comes first; only where no file has it, names are compared as people compare them, in NFC
    and without case: other systems spell the same name otherwise, and a copy may have changed `.JPG` to `.jpg`.
    """
    wanted = [os.path.normpath(file.replace("\\", "/")) for file in files]
    exact = _targets(session, File.name, display_name, display_path, wanted)
    left = [one for one in wanted if not exact[one]]
    alike = _targets(session, File.name_key, name_key, path_key, left)
    return [_meant(exact[one], alike.get(one, {})) for one in wanted]


def _meant(exact: dict[int, Target], alike: dict[int, Target]) -> Target | SkippedRecord:
    if exact:
        return _only(exact, "have this name")
    if alike:
        return _only(alike, "have this name but for its case or the spelling of its accents")
    return SkippedRecord("", "no_such_image", "no indexed file has this name")


def _targets(
    session: Session,
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    named: Callable[[str], str],
    spell: Callable[[str], str],
    wanted: Sequence[str],
) -> dict[str, dict[int, Target]]:
    """For each wanted path the pictures, by id, whose path, spelled in this way, ends in it."""
    found: dict[str, dict[int, Target]] = {one: {} for one in wanted}
    by_name: dict[str, list[tuple[str, dict[int, Target]]]] = {}
    for one, targets in found.items():
        by_name.setdefault(named(one), []).append(("/" + spell(one).lstrip("/"), targets))
    for some in chunks(list(by_name)):
        query = select(column, File.path, Image.id, Image.width_px, Image.height_px)
        for name, path, image_id, width, height in session.execute(
            query.join(Image, Image.id == File.image_id).where(column.in_(some))
        ):
            for end, targets in by_name[str(name)]:
                if spell(path).endswith(end):
                    targets[image_id] = Target(image_id, width, height)
    return found


def _only(targets: dict[int, Target], manner: str) -> Target | SkippedRecord:
    if len(targets) > 1:
        reason = f"{len(targets)} different pictures {manner}; give more of the path in the file"
        return SkippedRecord("", "ambiguous", reason)
    return next(iter(targets.values()))

"""Which picture of the library an annotation file means by a name or by the end of a path."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from indexer.report import SkippedRecord
from search.db.images import display_name, display_path, name_key, path_key
from search.db.schema import File, Image


@dataclass(frozen=True, slots=True)
class Target:
    """The picture that an annotation file means."""

    image_id: int
    width_px: int
    height_px: int


def find_picture(session: Session, file: str) -> Target | SkippedRecord:
    """The one picture that an annotation file means, or why there is none.

    The name as it is written comes first; only where no file has it, names are compared as people compare them, in NFC
    and without case: other systems spell the same name otherwise, and a copy may have changed `.JPG` to `.jpg`.
    """
    wanted = os.path.normpath(file.replace("\\", "/"))
    exact = _targets(session, File.name == display_name(wanted), display_path, wanted)
    if exact:
        return _only(exact, "have this name")
    alike = _targets(session, File.name_key == name_key(wanted), path_key, wanted)
    if alike:
        return _only(alike, "have this name but for its case or the spelling of its accents")
    return SkippedRecord("", "no_such_image", "no indexed file has this name")


def _targets(
    session: Session, named: ColumnElement[bool], spell: Callable[[str], str], wanted: str
) -> dict[int, Target]:
    """Pictures whose path, spelled in this way, ends in the wanted one, by id."""
    end = "/" + spell(wanted).lstrip("/")
    rows = session.execute(
        select(File.path, Image.id, Image.width_px, Image.height_px).join(Image, Image.id == File.image_id).where(named)
    )
    return {
        image_id: Target(image_id, width, height) for path, image_id, width, height in rows if spell(path).endswith(end)
    }


def _only(targets: dict[int, Target], manner: str) -> Target | SkippedRecord:
    if len(targets) > 1:
        reason = f"{len(targets)} different pictures {manner}; give more of the path in the file"
        return SkippedRecord("", "ambiguous", reason)
    return next(iter(targets.values()))

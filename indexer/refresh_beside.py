"""Keep what sidecars say as it is today: read where one has changed, without a look at the pictures themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from indexer.beside import Beside
from indexer.isolate import in_parts
from indexer.scan import Scan
from search.db.facts import replace_carried
from search.db.schema import Caption, Fact, File, Image, Region
from search.library import Library
from vision.carried.boxes import Frame
from vision.carried.facts import BESIDE, NOTHING, Carried, together
from vision.originals import archive_of

_BATCH = 100
"""Pictures per transaction."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def changed_beside(scan: Scan, beside: Beside, *, everything: bool) -> dict[str, str | None]:
    """Files with something beside them that is not what was read, by path, each with its token of today.

    Args:
        beside: finds it.
        everything: also what seems to be as it was.
    """
    known, found = scan.known, dict[str, str | None]()
    new = [fact.path for fact in scan.work]
    # What lies in an archive that is as it was is as it was.
    quiet = [file for file in scan.unchanged + scan.returned if archive_of(file.held, file.path) not in scan.as_before]
    files = scan.unchanged + scan.returned if everything else quiet
    settled = [*(file.path for file in files), *(fact.path for fact, _ in scan.touched)]
    for paths, whatever in ((new, True), (settled, everything)):
        for path in paths:
            before, token = known[path].beside if path in known else None, beside.token(path)
            if token != before or (whatever and token is not None):
                found[path] = token
    return found


def refresh_beside(library: Library, changes: Iterable[Any], beside: Beside) -> None:
    """Read what lies beside these files, and beside the others that hold the same pictures.

    Args:
        changes: path and token of today each, from `changed_beside`; files that hold no picture are passed over.
        beside: finds it.
    """
    left = iter(changes)
    while changed := dict(islice(left, _BATCH)):
        paths = list(changed)
        with library.read() as session:
            images = session.scalars(select(File.image_id).where(File.path.in_(paths), File.state == "indexed"))
            found = [(image_id, _read(session, image_id, beside)) for image_id in sorted({*images} - {None})]
        in_parts(found, lambda some: _write(library, some, changed), lambda item, code, reason: None)


def drop_unheld(session: Session) -> None:
    """Erase what lay beside files that are not in the library any more, of pictures that others hold."""
    told = or_(*(exists().where(one.image_id == Image.id, one.source.in_(BESIDE)) for one in (Fact, Caption, Region)))
    held = exists().where(File.image_id == Image.id, File.beside.is_not(None))
    for image_id in session.scalars(select(Image.id).where(told, ~held)).all():
        _set_date(session, image_id, NOTHING)
        replace_carried(session, image_id, NOTHING, BESIDE)


def _read(session: Session, image_id: int, beside: Beside) -> Carried:
    image = session.get_one(Image, image_id)
    turned = select(Fact.number).where(Fact.image_id == image_id, Fact.name == "orientation", Fact.source == "exif")
    frame = Frame((image.width_px, image.height_px), int(session.scalar(turned) or 1))
    paths = session.scalars(select(File.path).where(File.image_id == image_id, File.state == "indexed"))
    return together([beside.said(path, frame) for path in paths.all()])


def _write(library: Library, found: Sequence[tuple[int, Carried]], changed: Mapping[str, str | None]) -> None:
    with library.write() as session:
        for image_id, carried in found:
            _set_date(session, image_id, carried)
            replace_carried(session, image_id, carried, BESIDE)
            for path in session.scalars(select(File.path).where(File.image_id == image_id)).all():
                if path in changed:
                    session.execute(update(File).where(File.path == path).values(beside=changed[path]))


def _set_date(session: Session, image_id: int, carried: Carried) -> None:
    """A picture without a date of its own has that of Takeout, which is an instant in UTC."""
    image = session.get_one(Image, image_id)
    told = select(Fact.number).where(Fact.image_id == image_id, Fact.name == "taken", Fact.source.in_(BESIDE))
    before = session.scalar(told)
    given = None if before is None else (_EPOCH + timedelta(seconds=before), 0)
    if given == (image.taken_at, image.taken_offset_min):
        image.taken_at = image.taken_offset_min = None
    taken = next((fact.number for fact in carried.facts if fact.name == "taken"), None)
    if image.taken_at is None and taken is not None:
        image.taken_at, image.taken_offset_min = _EPOCH + timedelta(seconds=taken), 0
    session.flush()

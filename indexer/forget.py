"""`forget`: take a folder or file out of the library, with everything that hung on it alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import Session

from indexer.patterns import exactly
from indexer.prune import erase_unheld
from indexer.roots import remember
from search.db.archives import drop_archives
from search.db.images import below_or_at
from search.db.roots import covering_root, is_url, remembered_path, rules_of
from search.db.schema import Caption, File, Image, Region, Root
from search.erasing import erase, erase_vectors
from search.library import Library
from search.previews import SIZES_PX, PreviewStore
from search.publishing import publish


@dataclass(slots=True)
class ForgetReport:
    """What `forget` took out.

    Attributes:
        paths: what was forgotten, as the library had it.
        files: rows of files.
        pictures: pictures that no other file holds.
        captions: captions of those pictures.
        regions: boxes of those pictures.
        previews: preview files.
        roots: folders that `index` does not go through any more.
        excluded: root and pattern, where a root above would bring the pictures back.
    """

    paths: list[str] = field(default_factory=list)
    files: int = 0
    pictures: int = 0
    captions: int = 0
    regions: int = 0
    previews: int = 0
    roots: list[str] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)


def forget(library: Library, paths: Sequence[str | Path], *, trial: bool = False) -> ForgetReport:
    """Take folders or files out of the library; nothing on disk is touched, and they need not exist there any more.

    Args:
        library: open.
        paths: as a person names them.
        trial: only tell what it would be.

    Raises:
        NotFoundError: the library has nothing at or below one of the paths; then nothing is forgotten.
        LibraryBusyError: a bulk job runs on this library.
    """
    report = ForgetReport()
    with library.exclusive():
        with library.read() as session:
            report.paths = [remembered_path(session, os.fspath(path)) for path in paths]
            _count(session, library, report)
        if not trial:
            with library.write() as session:
                for path in report.paths:
                    _take_out(session, path, report)
            erase_unheld(library)
            _publish(library)
            erase_vectors(library)
    return report


def _count(session: Session, library: Library, report: ForgetReport) -> None:
    """How much the paths of a report stand for."""
    these = or_(*(below_or_at(File.path, path) for path in report.paths))
    report.files = session.scalar(select(func.count()).select_from(File).where(these)) or 0
    roots = or_(*(below_or_at(Root.path, path) for path in report.paths))
    report.roots = list(session.scalars(select(Root.path).where(roots).order_by(Root.path)))
    elsewhere = exists().where(File.image_id == Image.id, ~these)
    held = exists().where(File.image_id == Image.id, these)
    lost = select(Image.id).where(held, ~elsewhere)
    contents = session.scalars(select(Image.sha256).where(Image.id.in_(lost))).all()
    report.pictures = len(contents)
    report.captions = session.scalar(select(func.count()).where(Caption.image_id.in_(lost))) or 0
    report.regions = session.scalar(select(func.count()).where(Region.image_id.in_(lost))) or 0
    previews = PreviewStore(library.home)
    report.previews = sum(previews.path(sha256, px).is_file() for sha256 in contents for px in SIZES_PX)


def _take_out(session: Session, path: str, report: ForgetReport) -> None:
    is_file = session.scalar(select(File.id).where(File.path == path)) is not None
    erase(session, delete(File).where(below_or_at(File.path, path)))
    drop_archives(session, path)
    erase(session, delete(Root).where(below_or_at(Root.path, path)))
    above = covering_root(session, path)
    if above is not None and not is_url(path):  # Nothing brings a URL back but a list that names it.
        pattern = exactly(path, above.path, folder=not is_file)
        remember(above, rules_of(above).with_more(exclude=[pattern]))
        report.excluded.append((above.path, pattern))


def _publish(library: Library) -> None:
    """Let the searches know; without a model nothing can be searched."""
    with library.read() as session:
        model = library.active_model(session)
        model_id = None if model is None else model.id
    if model_id is not None:
        publish(library, model_id)

"""Who said what: the sources of captions, boxes and lines of text, and erasing what one of them said."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select, union
from sqlalchemy.orm import Session

from search.db.region_rows import hand_on_vectors
from search.db.schema import Caption, CaptionGeneration, Model, Reading, Region
from search.erasing import erase, erase_unused_texts, erase_vectors, release_regions
from search.errors import NotFoundError
from search.library import Library
from search.publishing import publish


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody whose captions, boxes or lines of text the library holds.

    Attributes:
        name: `import` for people's own annotations; else the name of a captioner or a reader, a colon and the start of
            its identity.
        captions: how many sentences.
        regions: how many boxes, those of lines included.
        images: on how many pictures; of a reader, how many it has looked at.
        languages: of the captions, as far as they are known, sorted.
    """

    name: str
    captions: int
    regions: int
    images: int
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What `forget_source` erased: captions, boxes, and texts that nobody else uses."""

    source: str
    captions: int
    regions: int
    texts: int


def list_sources(library: Library) -> list[Source]:
    """Every source that has a caption or a box here, by name."""
    with library.read() as session:
        return _sources(session)


def forget_source(library: Library, name: str) -> Forgotten:
    """Erase the captions and boxes of one source, and the texts that nobody else uses; pictures stay.

    Args:
        library: no other bulk job may run on it.
        name: a source, or how the name of just one begins.

    Raises:
        NotFoundError: no source is called so, or several begin so.
        LibraryBusyError: another bulk job runs on this library.
    """
    with library.exclusive():
        with library.write() as session:
            source = _matching(_sources(session), name)
            forgotten = erase_said(session, source, Caption.source == source, Region.source == source)
            erase(session, delete(Reading).where(Reading.source == source))
            session.execute(delete(CaptionGeneration).where(CaptionGeneration.source == source))
        publish_without(library)
    return forgotten


def erase_said(session: Session, source: str, captions: ColumnElement[bool], regions: ColumnElement[bool]) -> Forgotten:
    """Erase captions and boxes, and the texts that nobody else uses.

    Args:
        session: the writing one.
        source: whose they are, for the report.
        captions, regions: which.
    """
    # Boxes of others that hang on such a caption would go with it, unseen: counted with it instead.
    theirs = regions | Region.caption_id.in_(select(Caption.id).where(captions))
    hand_on_vectors(session, select(Region.id).where(theirs))
    boxes = erase(session, delete(Region).where(theirs))
    said = erase(session, delete(Caption).where(captions))
    release_regions(session)
    return Forgotten(source, said, boxes, erase_unused_texts(session))


def publish_without(library: Library) -> None:
    """Let indexes follow what was erased, and erase its vectors; the caller holds the library's lock."""
    with library.read() as session:
        model_ids = list(session.scalars(select(Model.id).order_by(Model.id)))
    for model_id in model_ids:
        publish(library, model_id, ("text", "region"))
    erase_vectors(library)


def _sources(session: Session) -> list[Source]:
    captions: dict[str, int] = dict(
        session.execute(select(Caption.source, func.count()).group_by(Caption.source)).all()
    )
    regions: dict[str, int] = dict(session.execute(select(Region.source, func.count()).group_by(Region.source)).all())
    spoken: dict[str, set[str]] = defaultdict(set)
    for source, language in session.execute(select(Caption.source, Caption.language).distinct()):
        if language is not None:
            spoken[source].add(language)
    told = (select(table.source, table.image_id) for table in (Caption, Region, Reading))
    pairs = union(*told).subquery()
    images: dict[str, int] = dict(session.execute(select(pairs.c.source, func.count()).group_by(pairs.c.source)).all())
    return [
        Source(name, captions.get(name, 0), regions.get(name, 0), images.get(name, 0), tuple(sorted(spoken[name])))
        for name in sorted(images)
    ]


def _matching(sources: list[Source], name: str) -> str:
    names = [source.name for source in sources]
    if name in names:
        return name
    found = [one for one in names if name and one.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"{name!r} begins {len(found)} sources: {', '.join(found)}", remedy="Write more of it.")
    there = f"There are: {', '.join(names)}." if names else "The library has no captions and no boxes."
    raise NotFoundError(f"no captions or boxes are from {name!r}", remedy=there)

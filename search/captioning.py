"""What captioners have said, by captioner, language and detail: which of these generations are told; erasing one."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from search.db.schema import Caption, CaptionGeneration, Image, Model, Region
from search.errors import LibraryBusyError, NotFoundError
from search.library import Library
from search.publishing import publish
from search.sources import Forgotten, erase_said, publish_without
from search.vectors.live import shown

ALL = "all"
"""Asks for every generation."""


@dataclass(frozen=True, slots=True)
class GenerationInfo:
    """What one captioner has said in one language and detail.

    Attributes:
        id: its number, never used again.
        source: as captions and boxes name it.
        language: BCP 47 tag; None where it is not known.
        detail: `brief` or `detailed`; None where an older version has not noted it.
        resting: it is kept, and neither searched nor shown.
        captions: how many sentences.
        regions: how many boxes.
        images: on how many of the pictures that can be shown.
        of_images: how many pictures can be shown.
        started_at: when its first caption was written.
    """

    id: int
    source: str
    language: str | None
    detail: str | None
    resting: bool
    captions: int
    regions: int
    images: int
    of_images: int
    started_at: datetime

    @property
    def name(self) -> str:
        """`kosmos2:0123456789ab (en, brief)`, as far as it is known."""
        known = ", ".join(one for one in (self.language, self.detail) if one)
        return f"{self.source} ({known})" if known else self.source


@dataclass(frozen=True, slots=True)
class Switched:
    """What came of a switch.

    Attributes:
        told: names of the generations that are searched and shown from now on.
        resting: names of those that are kept and not told.
        published: whether the indexes have followed; they do at the end of the job that runs now, where one does.
    """

    told: tuple[str, ...]
    resting: tuple[str, ...]
    published: bool


def list_generations(library: Library) -> list[GenerationInfo]:
    """Every generation, in the order in which they were begun."""
    with library.read() as session:
        return _generations(session)


def generation_of(library: Library, number: int) -> GenerationInfo | None:
    """One generation; None where it is gone."""
    return next((one for one in list_generations(library) if one.id == number), None)


def begin_generation(session: Session, source: str, language: str, detail: str) -> int:
    """The number of the generation to which a captioner adds; a new one is told beside the others.

    Args:
        session: the writing one.
    """
    same = (CaptionGeneration.source == source, CaptionGeneration.language == language)
    known = session.scalar(select(CaptionGeneration.id).where(*same))
    if known is not None:
        return known
    fresh = CaptionGeneration(
        source=source,
        language=language,
        detail=detail,
        resting=False,
        token=secrets.randbits(40),
        started_at=datetime.now(UTC),
    )
    session.add(fresh)
    session.flush()
    return fresh.id


def use_generations(library: Library, wanted: Sequence[str]) -> Switched:
    """Let some generations be told and all others rest, from the next query on; what people and files say stays.

    Nothing is embedded or erased, and the way back is the same. A job may run meanwhile.

    Args:
        wanted: numbers, sources or their beginnings; `all` for every one.

    Raises:
        NotFoundError: nothing is called so, or several sources begin so.
    """
    with library.write() as session:
        known = _generations(session)
        told = {one.id for name in wanted for one in (known if name == ALL else _matching(known, name))}
        session.execute(update(CaptionGeneration).values(resting=CaptionGeneration.id.not_in(told)))
    names = {one.id: one.name for one in known}
    return Switched(
        tuple(name for number, name in names.items() if number in told),
        tuple(name for number, name in names.items() if number not in told),
        _follow(library),
    )


def drop_generations(library: Library, wanted: str, agreed: Collection[int] | None = None) -> Forgotten:
    """Erase what a captioner has said: one generation by its number, or all of a source; pictures stay.

    Args:
        agreed: numbers of the generations that somebody has agreed to erase; others stay. None for all that are wanted.

    Raises:
        NotFoundError: nothing is called so, or several sources begin so.
        LibraryBusyError: another bulk job runs on this library.
    """
    with library.exclusive():
        with library.write() as session:
            gone = [one for one in _matching(_generations(session), wanted) if agreed is None or one.id in agreed]
            numbers = [one.id for one in gone]
            name = gone[0].name if len(gone) == 1 else wanted
            own = (Caption.generation_id.in_(numbers), Region.generation_id.in_(numbers))
            forgotten = erase_said(session, name, *own)
            session.execute(delete(CaptionGeneration).where(CaptionGeneration.id.in_(numbers)))
        publish_without(library)
    return forgotten


def matching_generations(library: Library, wanted: str) -> list[GenerationInfo]:
    """What `drop_generations` would erase.

    Raises:
        NotFoundError: nothing is called so, or several sources begin so.
    """
    return _matching(list_generations(library), wanted)


def _follow(library: Library) -> bool:
    """Publish what is told now, unless a job holds the library: that publishes at its end."""
    try:
        with library.exclusive():
            with library.read() as session:
                model_ids = list(session.scalars(select(Model.id).order_by(Model.id)))
            for model_id in model_ids:
                publish(library, model_id, ("text", "region"))
    except LibraryBusyError:
        return False
    return True


def _generations(session: Session) -> list[GenerationInfo]:
    captions = _counts(session, select(Caption.generation_id, func.count()).group_by(Caption.generation_id))
    regions = _counts(session, select(Region.generation_id, func.count()).group_by(Region.generation_id))
    of_images = session.scalar(select(func.count(Image.id)).where(shown(Image.id))) or 0
    infos = []
    for row in session.scalars(select(CaptionGeneration).order_by(CaptionGeneration.id)):
        said = exists().where(Caption.generation_id == row.id, Caption.image_id == Image.id)
        images = session.scalar(select(func.count(Image.id)).where(said, shown(Image.id))) or 0
        counted = (captions.get(row.id, 0), regions.get(row.id, 0), images, of_images)
        infos.append(
            GenerationInfo(row.id, row.source, row.language, row.detail, row.resting, *counted, row.started_at)
        )
    return infos


def _counts(session: Session, query: object) -> dict[int, int]:
    return {number: count for number, count in session.execute(query).all() if number is not None}  # type: ignore[call-overload]


def _matching(known: Sequence[GenerationInfo], wanted: str) -> list[GenerationInfo]:
    number = wanted.removeprefix("#")
    found = [one for one in known if number.isascii() and number.isdigit() and one.id == int(number)]
    found = found or [one for one in known if one.source == wanted]
    found = found or [one for one in known if wanted and one.source.startswith(wanted)]
    sources = dict.fromkeys(one.source for one in found)
    if len(sources) == 1:
        return found
    if found:
        raise NotFoundError(
            f"{wanted!r} begins {len(sources)} captioners: {', '.join(sources)}",
            remedy="Write more of it, or the number that `deixis captions list` shows.",
        )
    there = f"There are: {', '.join(one.name for one in known)}." if known else "No captioner has said anything here."
    raise NotFoundError(f"no captioner's captions are called {wanted!r}", remedy=there)

"""Make a catalogue from the rows, whole or from what came since another one was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from search.catalogue.catalogue import FOLDER, NAME, TEXT, Catalogue, link
from search.catalogue.join import joined
from search.catalogue.words import index_words
from search.db.schema import Caption, Embedding, File, Region, Root, TextBody
from search.words.terms import Term, name_terms, terms

_AT_ONCE = 20_000
"""Rows that are fetched from the database at a time."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the tables had grown: the highest id of each; what is above has not been seen."""

    caption: int = 0
    region: int = 0
    text: int = 0
    embedding: int = 0
    file: int = 0

    def only_grown(self, later: Marks) -> bool:
        """Whether no mark has gone back."""
        return all(getattr(later, name) >= getattr(self, name) for name in self.__slots__)


def marks(session: Session) -> Marks:
    """The marks of this moment: one statement over five primary keys."""
    return Marks(*session.execute(select(*highest_ids())).one())


def highest_ids() -> list[Any]:
    """The columns of `Marks`, as subqueries."""
    tables = (Caption, Region, TextBody, Embedding, File)
    return [select(func.coalesce(func.max(table.id), 0)).scalar_subquery() for table in tables]


@dataclass(frozen=True, slots=True)
class _New:
    """Rows that a catalogue lacks: ids of pictures and texts with their vectors, pairs of both, names of files."""

    images: dict[int, int]
    texts: dict[int, int]
    bodies: dict[int, list[Term]]
    pairs: NDArray[np.int64]
    names: list[tuple[int, str, str]]


def build(session: Session, model_id: int, before: Catalogue | None = None, since: Marks | None = None) -> Catalogue:
    """Make a catalogue of all rows, or of another one and the rows above its marks.

    Args:
        model_id: whose vectors count.
        before: a catalogue of the same model.
        since: its marks; both or neither.
    """
    new = _read(session, model_id, since or Marks())
    return _made(new) if before is None else joined(before, _made(new))


def _read(session: Session, model_id: int, since: Marks) -> _New:
    languages = _languages(session, since)
    bodies = {
        text_id: terms(body, languages.get(text_id), indexed=True)
        for text_id, body in _rows(session, select(TextBody.id, TextBody.body), TextBody.id, since.text)
    }
    images: dict[int, int] = {}
    texts = dict.fromkeys(bodies, 0)
    columns = (Embedding.id, Embedding.model_id, Embedding.image_id, Embedding.text_id)
    for embedding_id, of_model, image_id, text_id in _rows(session, select(*columns), Embedding.id, since.embedding):
        if of_model == model_id and image_id is not None:
            images[image_id] = embedding_id
        elif of_model == model_id and text_id is not None:
            texts[text_id] = embedding_id
    pairs = [
        pair
        for table, mark in ((Caption, since.caption), (Region, since.region))
        for pair in _rows(session, select(table.id, table.image_id, table.text_id), table.id, mark)
    ]
    files = select(File.id, File.image_id, File.path, Root.path, File.state).join(Root, Root.id == File.root_id)
    names = [
        (image_id, path, root)
        for _, image_id, path, root, state in _rows(session, files, File.id, since.file)
        if state == "indexed" and image_id is not None
    ]
    if since == Marks():
        # Of a whole catalogue, what no file holds any more is left out.
        shown = {image_id for image_id, _, _ in names}
        images = {image_id: vector for image_id, vector in images.items() if image_id in shown}
    return _New(images, texts, bodies, np.array([pair[1:] for pair in pairs], np.int64).reshape(-1, 2), names)


def _languages(session: Session, since: Marks) -> dict[int, tuple[str, ...]]:
    """In which languages texts are written, where a caption says so."""
    query = select(Caption.text_id, Caption.language).where(Caption.id > since.caption, Caption.language.is_not(None))
    return {text_id: (str(language).split("-")[0].lower(),) for text_id, language in session.execute(query)}


def _rows(session: Session, query: Any, key: Any, above: int) -> Iterable[Sequence[Any]]:
    """The rows whose key is above this one, by their key."""
    yield from session.execute(query.where(key > above).order_by(key).execution_options(yield_per=_AT_ONCE))


def _made(new: _New) -> Catalogue:
    """A catalogue of nothing but these rows; pairs may speak of pictures and texts that are older."""
    images = np.array(sorted({*new.images, *(name[0] for name in new.names), *new.pairs[:, 0].tolist()}), np.int64)
    text_ids = np.array(sorted({*new.texts, *new.pairs[:, 1].tolist()}), np.int64)
    named = _named(new.names)
    kinds = [TEXT] * len(text_ids) + [NAME if one.kind == NAME else FOLDER for one in named]
    pairs = [
        np.stack([np.searchsorted(images, new.pairs[:, 0]), np.searchsorted(text_ids, new.pairs[:, 1])], axis=1),
        *(
            np.stack([np.searchsorted(images, one.images), np.full(len(one.images), len(text_ids) + number)], axis=1)
            for number, one in enumerate(named)
        ),
    ]
    image_rows, doc_rows = np.concatenate(pairs).T
    return Catalogue(
        images=images,
        image_vectors=np.array([new.images.get(image_id, 0) for image_id in images.tolist()], np.int64),
        doc_kind=np.array(kinds, np.uint8),
        doc_id=np.concatenate([text_ids, np.arange(len(named))]),
        doc_vectors=np.array([*(new.texts.get(one, 0) for one in text_ids.tolist()), *[0] * len(named)], np.int64),
        documents=link(len(images), image_rows, doc_rows),
        pictures=link(len(kinds), doc_rows, image_rows),
        words=index_words([*(new.bodies.get(one, []) for one in text_ids.tolist()), *(one.terms for one in named)]),
    )


@dataclass(frozen=True, slots=True)
class _Named:
    """A file's name or the folders above it, and the pictures that lie so."""

    kind: int
    terms: list[Term]
    images: list[int]


def _named(names: Sequence[tuple[int, str, str]]) -> list[_Named]:
    found: dict[tuple[int, str], list[int]] = {}
    for image_id, path, root in names:
        below = PurePath(path).relative_to(root) if PurePath(path).is_relative_to(root) else PurePath(path).name
        parts = PurePath(below).parts or (PurePath(path).name,)
        found.setdefault((NAME, parts[-1]), []).append(image_id)
        folders = "/".join((PurePath(root).name, *parts[:-1]) if PurePath(path) != PurePath(root) else ())
        if folders:
            found.setdefault((FOLDER, folders), []).append(image_id)
    return [
        _Named(kind, [term for part in text.split("/") for term in name_terms(part)], images)
        for (kind, text), images in found.items()
    ]

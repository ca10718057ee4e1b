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

from search.ascending import is_member
from search.catalogue.catalogue import FOLDER, LINE, NAME, TEXT, Catalogue, link
from search.catalogue.join import joined
from search.catalogue.words import index_words
from search.db.chunks import chunks
from search.db.schema import Caption, Embedding, File, Region, Root, TextBody
from search.db.told import choice, told
from search.words.terms import Term, name_terms, terms, written

_AT_ONCE = 20_000
"""Rows that are fetched from the database at a time."""


@dataclass(frozen=True, slots=True)
class Marks:
    """How far the tables had grown: the highest id of each; what is above has not been seen.

    `choice` tells which generations of captions rested (`search.db.told`).
    """

    caption: int = 0
    region: int = 0
    text: int = 0
    embedding: int = 0
    file: int = 0
    choice: int = 0

    def only_grown(self, later: Marks) -> bool:
        """Whether no mark has gone back, and the same generations are told."""
        return self.choice == later.choice and all(
            getattr(later, name) >= getattr(self, name) for name in self.__slots__ if name != "choice"
        )


def marks(session: Session) -> Marks:
    """The marks of this moment: one statement over five primary keys and a handful of rows."""
    return Marks(*session.execute(select(*highest_ids())).one())


def highest_ids() -> list[Any]:
    """The columns of `Marks`, as subqueries."""
    tables = (Caption, Region, TextBody, Embedding, File)
    return [*(select(func.coalesce(func.max(table.id), 0)).scalar_subquery() for table in tables), choice()]


@dataclass(frozen=True, slots=True)
class _Told:
    """Texts that were said, or lines that were read: their ids, ascending, their vectors, 0 for none, their words as
    far as these are new, and pairs of a picture and one of them.
    """

    ids: NDArray[np.int64]
    vectors: list[int]
    words: list[list[Term]]
    pairs: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _New:
    """Rows that a catalogue lacks: ids of pictures with their vectors, texts, lines, names of files."""

    images: dict[int, int]
    texts: _Told
    lines: _Told
    names: list[tuple[int, str, str]]


def build(session: Session, model_id: int, before: Catalogue | None = None, since: Marks | None = None) -> Catalogue:
    """Make a catalogue of all rows, or of another one and the rows above its marks.

    Args:
        model_id: whose vectors count.
        before: a catalogue of the same model.
        since: its marks; both or neither.
    """
    new = _read(session, model_id, since or Marks(), before)
    return _made(new) if before is None else joined(before, _made(new))


def _read(session: Session, model_id: int, since: Marks, before: Catalogue | None) -> _New:
    images: dict[int, int] = {}
    vectors: dict[int, int] = {}
    columns = (Embedding.id, Embedding.model_id, Embedding.image_id, Embedding.text_id)
    for embedding_id, of_model, image_id, text_id in _rows(session, select(*columns), Embedding.id, since.embedding):
        if of_model == model_id and image_id is not None:
            images[image_id] = embedding_id
        elif of_model == model_id and text_id is not None:
            vectors[text_id] = embedding_id
    texts, lines = _told(session, model_id, since, before, vectors)
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
    return _New(images, texts, lines, names)


def _told(
    session: Session, model_id: int, since: Marks, before: Catalogue | None, vectors: dict[int, int]
) -> tuple[_Told, _Told]:
    """Texts that were said and lines that were read; a text that was only read is no text that was said."""
    said = np.concatenate([_pairs(session, Caption, since.caption), _pairs(session, Region, since.region)])
    read = _pairs(session, Region, since.region, read=True)
    bodies: dict[int, str] = {}
    for text_id, body in _rows(session, select(TextBody.id, TextBody.body), TextBody.id, since.text):
        bodies[text_id] = body
    ids = np.unique(np.array([*bodies, *vectors, *said[:, 1].tolist(), *read[:, 1].tolist()], np.int64))
    known = [_ids_of(before, kind) for kind in (TEXT, LINE)]
    is_line = np.isin(ids, read[:, 1]) | is_member(ids, known[1])
    is_text = np.isin(ids, said[:, 1]) | is_member(ids, known[0]) | ~is_line
    lacking = (is_text & ~is_member(ids, known[0])) | (is_line & ~is_member(ids, known[1]))
    older = [one for one in ids[lacking].tolist() if one not in bodies]
    _add_older(session, model_id, older, bodies, vectors)
    languages = _languages(session, since)
    found: list[_Told] = []
    for chosen, pairs in ((ids[is_text], said), (ids[is_line], read)):
        words = [
            []
            if one not in bodies
            else written(bodies[one])
            if pairs is read
            else terms(bodies[one], languages.get(one), indexed=True)
            for one in chosen.tolist()
        ]
        found.append(_Told(chosen, [vectors.get(one, 0) for one in chosen.tolist()], words, pairs))
    return found[0], found[1]


def _pairs(session: Session, table: Any, above: int, *, read: bool = False) -> NDArray[np.int64]:
    """`(p, 2)`, picture and text of captions or regions."""
    query = select(table.id, table.image_id, table.text_id).where(told(table))
    if table is Region:
        query = query.where(Region.is_read.is_(read))
    return np.array([row[1:] for row in _rows(session, query, table.id, above)], np.int64).reshape(-1, 2)


def _ids_of(before: Catalogue | None, kind: int) -> NDArray[np.int64]:
    return np.empty(0, np.int64) if before is None else before.doc_id[before.doc_kind == kind]


def _add_older(
    session: Session, model_id: int, ids: Sequence[int], bodies: dict[int, str], vectors: dict[int, int]
) -> None:
    """Add what is known of texts that an older catalogue has seen, and held for the other kind."""
    for some in chunks(ids):
        for text_id, body in session.execute(select(TextBody.id, TextBody.body).where(TextBody.id.in_(some))):
            bodies[text_id] = body
        known = select(Embedding.text_id, Embedding.id).where(Embedding.model_id == model_id)
        for owner, embedding_id in session.execute(known.where(Embedding.text_id.in_(some))):
            if owner is not None:
                vectors[owner] = embedding_id


def _languages(session: Session, since: Marks) -> dict[int, tuple[str, ...]]:
    """In which languages texts are written, where a caption says so."""
    said = (Caption.id > since.caption, Caption.language.is_not(None), told(Caption))
    query = select(Caption.text_id, Caption.language).where(*said)
    return {text_id: (str(language).split("-")[0].lower(),) for text_id, language in session.execute(query)}


def _rows(session: Session, query: Any, key: Any, above: int) -> Iterable[Sequence[Any]]:
    """The rows whose key is above this one, by their key."""
    yield from session.execute(query.where(key > above).order_by(key).execution_options(yield_per=_AT_ONCE))


def _made(new: _New) -> Catalogue:
    """A catalogue of nothing but these rows; pairs may speak of pictures and texts that are older."""
    told = (new.texts, new.lines)
    paired = [one.pairs[:, 0].tolist() for one in told]
    images = np.array(sorted({*new.images, *(name[0] for name in new.names), *paired[0], *paired[1]}), np.int64)
    named = _named(new.names)
    firsts = np.cumsum([0, *(len(one.ids) for one in told)])
    kinds = [TEXT] * len(new.texts.ids) + [LINE] * len(new.lines.ids)
    kinds += [NAME if one.kind == NAME else FOLDER for one in named]
    pairs = [
        np.stack([np.searchsorted(images, one.pairs[:, 0]), first + np.searchsorted(one.ids, one.pairs[:, 1])], axis=1)
        for one, first in zip(told, firsts, strict=False)
    ]
    pairs += [
        np.stack([np.searchsorted(images, one.images), np.full(len(one.images), firsts[-1] + number)], axis=1)
        for number, one in enumerate(named)
    ]
    image_rows, doc_rows = np.concatenate(pairs).T
    return Catalogue(
        images=images,
        image_vectors=np.array([new.images.get(image_id, 0) for image_id in images.tolist()], np.int64),
        doc_kind=np.array(kinds, np.uint8),
        doc_id=np.concatenate([new.texts.ids, new.lines.ids, np.arange(len(named))]),
        doc_vectors=np.array([*new.texts.vectors, *new.lines.vectors, *[0] * len(named)], np.int64),
        documents=link(len(images), image_rows, doc_rows),
        pictures=link(len(kinds), doc_rows, image_rows),
        words=index_words([*new.texts.words, *new.lines.words, *(one.terms for one in named)]),
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

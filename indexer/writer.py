"""Write batches: vectors into the segment, rows into the database, both in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from indexer.control import control_picture
from indexer.isolate import ItemError, blames_an_item, words
from indexer.rewritten import Rewrites, carry_to_copy, plan_rewrites
from indexer.stages.spool import IdSet
from search.db.contents import contents_with_vector, get_or_create_images
from search.db.facts import replace_carried
from search.db.images import (
    FileFact,
    ImageFact,
    KnownFile,
    mark_state,
    note_facts,
    record_file,
    record_files,
)
from search.db.limits import clock
from search.db.schema import Embedding, Model
from search.errors import LibraryError
from search.library import Library
from search.previews import GALLERY_PX, PreviewStore
from vision.carried.facts import EMBEDDED, NOTHING, VERSION
from vision.encoders.base import Encoder
from vision.images import Decoded
from vision.types import Embeddings, RgbImage

Vector: TypeAlias = NDArray[np.float32]
"""`(dim,)` float32, L2-normalised."""

NOT_EMBEDDED = "not_embedded"
"""Refusal code: the encoder fails on this picture or text, and not on others."""


@dataclass(frozen=True, slots=True)
class DecodedFile:
    """A decoded picture with the path it came from."""

    fact: FileFact
    root_id: int
    picture: Decoded
    again: bool = False


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A decoded picture with its vector; None where the library has it already."""

    file: DecodedFile
    vector: Vector | None


class Writer:
    """Commits finished work; a batch is either wholly in the library or not at all.

    Args:
        library: open, with the exclusive lock held by the caller.
        model: the row of the encoder's identity.
        encoder: makes the vectors.

    Attributes:
        unwritten: previews that could not be kept.
        problem: why, the first time.
        gone: ids of files that are no longer there: what looks like one of them may be that picture, rewritten.
        rewritten: pictures that kept their row although a program rewrote their files.
    """

    def __init__(self, library: Library, model: Model, encoder: Encoder) -> None:
        self._library = library
        self._model = model
        self._encoder = encoder
        self._previews = PreviewStore(library.home)
        self.unwritten = 0
        self.problem = ""
        self.gone = IdSet()
        self.rewritten = 0

    def embed_pictures(self, batch: Sequence[DecodedFile]) -> list[EmbeddedFile]:
        """Embed decoded pictures, but for those that have a vector; nothing is written."""
        distinct = {item.picture.sha256: item for item in batch}
        with self._library.read() as session:
            known = self._known(session, distinct, self._rewrites(session, batch))
        fresh = [item for sha, item in distinct.items() if sha not in known]
        vectors = dict(zip((item.picture.sha256 for item in fresh), self._embed(fresh), strict=True))
        return [EmbeddedFile(item, vectors.get(item.picture.sha256)) for item in batch]

    def write_pictures(self, batch: Sequence[EmbeddedFile]) -> int:
        """Store embedded pictures; returns how many vectors were new.

        Two files with the same content give one image and one vector.
        """
        files = [item.file for item in batch]
        distinct = {item.picture.sha256: item for item in files}
        facts = {sha: _image_fact(item.picture) for sha, item in distinct.items()}
        # Looked at again: what the batch before has written was not there yet when this one was embedded.
        with self._library.read() as session:
            rewrites = self._rewrites(session, files)
            known = self._known(session, distinct, rewrites)
        before = {sha: old for sha, (_, old) in rewrites.kept.items()}
        vectors = self._vectors(batch, known)
        with self._library.write() as session:
            rewrites.rewrite(session, facts, {sha: _paths(files, sha) for sha in before})
            image_ids, made = get_or_create_images(session, facts)
            record_files(session, [(item.fact, item.root_id, image_ids[item.picture.sha256]) for item in files])
            rewrites.carry(session, image_ids)
            for sha, item in distinct.items():
                if sha not in made or item.picture.carried != NOTHING:
                    replace_carried(session, image_ids[sha], item.picture.carried, EMBEDDED)
            if vectors:  # last: what is refused before it leaves no bytes behind the segment's committed end
                owners = [image_ids[sha] for sha in vectors]
                self._library.vectors.append(session, self._model, "image", owners, np.stack(list(vectors.values())))
        # Behind the commit: a picture that the database refuses leaves none, and one that is lost is made again.
        for sha, item in distinct.items():
            if sha not in known or sha in before:
                self._keep_preview(item.picture)
        self.rewritten += len(rewrites.kept) + len(rewrites.carried)
        for old in before.values():
            self._previews.discard(old)
        return len(vectors)

    def _rewrites(self, session: Session, batch: Sequence[DecodedFile]) -> Rewrites:
        return plan_rewrites(session, [(item.fact.path, _image_fact(item.picture)) for item in batch], self.gone)

    def _known(self, session: Session, distinct: Collection[str], rewrites: Rewrites) -> set[str]:
        """Which contents have a vector, under this hash or the one they had before they were rewritten."""
        stored = {sha: rewrites.kept[sha][1] if sha in rewrites.kept else sha for sha in distinct}
        there = contents_with_vector(session, list(stored.values()), self._model.id)
        return {sha for sha, old in stored.items() if old in there}

    def _vectors(self, batch: Sequence[EmbeddedFile], known: Collection[str]) -> dict[str, Vector]:
        """The vectors to store, by content. What was thought to have one, and has none, is embedded now."""
        wanted = {item.file.picture.sha256: item for item in batch if item.file.picture.sha256 not in known}
        late = [item.file for item in wanted.values() if item.vector is None]
        made = dict(zip((item.picture.sha256 for item in late), self._embed(late), strict=True))
        return {sha: made[sha] if item.vector is None else item.vector for sha, item in wanted.items()}

    def write_copies(self, copies: Sequence[tuple[FileFact, int, int]]) -> None:
        """Record files whose content is known: `(fact, root_id, image_id)` each."""
        with self._library.write() as session:
            for fact, root_id, image_id in copies:
                carry_to_copy(session, fact.path, image_id)
                record_file(session, fact, root_id, image_id=image_id)

    def write_refusals(self, refusals: Sequence[tuple[FileFact, int, str]]) -> None:
        """Record files that cannot be read: `(fact, root_id, reason)` each."""
        with self._library.write() as session:
            for fact, root_id, reason in refusals:
                record_file(session, fact, root_id, reason=reason)

    def mark(self, file_ids: Collection[int] | IdSet, state: str) -> None:
        """Set the state of files."""
        if file_ids:
            with self._library.write() as session:
                mark_state(session, file_ids, state)

    def note_facts(self, noted: Sequence[tuple[FileFact, KnownFile]]) -> None:
        """Remember what the file system says now of files that are otherwise unaltered."""
        if noted:
            with self._library.write() as session:
                note_facts(session, noted)

    def write_texts(self, texts: Sequence[tuple[int, str]]) -> int:
        """Embed and store texts given as `(text_id, body)`; returns how many vectors were new."""
        vectors = _embedded(lambda: self._encoder.encode_text([body for _, body in texts]))
        with self._library.write() as session:
            ids = [text_id for text_id, _ in texts]
            keep = self._without(session, Embedding.text_id, ids)
            self._library.vectors.append(session, self._model, "text", [ids[row] for row in keep], vectors[keep])
        return len(keep)

    def write_regions(self, crops: Sequence[tuple[int, RgbImage]]) -> int:
        """Embed and store what boxes show, given as `(region_id, pixels)`; returns how many vectors were new.

        Args:
            crops: regions without a vector; pixels HWC uint8 RGB.
        """
        vectors = _embedded(lambda: self._encoder.encode_images([pixels for _, pixels in crops]))
        with self._library.write() as session:
            owners = [region_id for region_id, _ in crops]
            keep = self._without(session, Embedding.region_id, owners)
            self._library.vectors.append(session, self._model, "region", [owners[row] for row in keep], vectors[keep])
        return len(keep)

    def _without(self, session: Session, owner: InstrumentedAttribute[int | None], ids: Sequence[int]) -> list[int]:
        """Places of the owners without a vector: a job beside this one may have embedded the same meanwhile."""
        done = set(session.scalars(select(owner).where(Embedding.model_id == self._model.id, owner.in_(ids))))
        return [row for row, owner_id in enumerate(ids) if owner_id not in done]

    def _keep_preview(self, picture: Decoded) -> None:
        """Previews are made again when somebody looks at one: what cannot be kept is counted and stops nothing."""
        if picture.preview is None:
            return
        try:
            self._previews.put(picture.sha256, GALLERY_PX, picture.preview)
        except (OSError, LibraryError) as error:
            self.unwritten += 1
            self.problem = self.problem or str(error.args[0] if isinstance(error, LibraryError) else error)

    def check_pictures(self) -> None:
        """Embed a picture of our own; raises where the encoder fails on any picture, not on one of a batch."""
        picture = control_picture(self._encoder.facts.preprocessing.output_hw)
        self._encoder.encode_prepared(picture[None])

    def check_crops(self) -> None:
        """Embed a crop of our own; raises where the encoder fails on any crop."""
        self._encoder.encode_images([control_picture(self._encoder.facts.preprocessing.output_hw)])

    def check_texts(self) -> None:
        """Embed a text of our own; raises where the encoder fails on any text."""
        self._encoder.encode_text(["a picture"])

    def _embed(self, fresh: Sequence[DecodedFile]) -> Embeddings:
        if not fresh:
            return np.empty((0, self._model.dim), np.float32)
        return _embedded(lambda: self._encoder.encode_prepared(np.stack([_pixels(item.picture) for item in fresh])))


def _embedded(encode: Callable[[], Embeddings]) -> Embeddings:
    """Run the encoder; what it does wrong is told apart from what the database refuses."""
    try:
        vectors = encode()
    except Exception as error:
        if not blames_an_item(error):
            raise
        raise ItemError(NOT_EMBEDDED, f"The encoder fails on it: {words(error)}") from error
    # Written so that a NaN fails as well.
    if not np.all(np.abs(np.linalg.norm(vectors, axis=1) - 1.0) < 1e-3):
        raise ItemError(NOT_EMBEDDED, "The encoder gives it a vector that is not finite or has no direction.")
    return vectors


def _paths(batch: Sequence[DecodedFile], sha256: str) -> set[str]:
    return {item.fact.path for item in batch if item.picture.sha256 == sha256}


def _pixels(picture: Decoded) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    if picture.pixels is None:
        raise ValueError(f"{picture.path} was decoded without pixels")
    return picture.pixels


def _image_fact(picture: Decoded) -> ImageFact:
    # Most cameras record no offset. Reading their clock as UTC keeps the date that the photographer saw.
    taken_at = clock(picture.taken_at)
    return ImageFact(
        sha256=picture.sha256,
        width_px=picture.width_px,
        height_px=picture.height_px,
        format=picture.format,
        size_bytes=picture.size_bytes,
        taken_at=taken_at,
        taken_offset_min=_offset_min(taken_at),
        pixels_sha256=picture.pixels_sha256,
        remark=picture.remark,
        perceptual_hash=picture.perceptual_hash,
        facts_version=VERSION,
    )


def _offset_min(taken_at: datetime | None) -> int | None:
    offset = None if taken_at is None else taken_at.utcoffset()
    return None if offset is None else round(offset.total_seconds() / 60)

"""Fills a library in bulk: the real tables and the real vector store, without a picture file or an encoder."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.vocabulary import Pictures, Vocabulary
from search.db.images import name_key
from search.db.schema import Caption, File, Image, Model, Region, Root, TextBody
from search.library import Library
from vision.encoders.base import EncoderFacts
from vision.preprocessing import Preprocessing
from vision.types import Embeddings, RgbImage

_BLOCK = 20_000
_NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
_SOURCE = "benchmark"


class PreparedEncoder:
    """Gives the vectors that the vocabulary has for words: no network computes, so its time is in no figure."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        square = Preprocessing("exact", (8, 8), 3, None, 1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        self.facts = EncoderFacts(
            "prepared", "colour", "0" * 40, vocabulary.dim, 8, square, "lower", "/nowhere/prepared"
        )

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        """`(n, dim)` float32, L2-normalised."""
        return self._vocabulary.text_vectors(list(texts))

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        """Not for pictures: the benchmark asks by words."""
        raise NotImplementedError

    def encode_prepared(self, pixels: object) -> Embeddings:
        """Not for pictures."""
        raise NotImplementedError


class Filling:
    """Puts made-up pictures into an empty library, each text once.

    Attributes:
        model_id: whose vectors they are.
        texts: how many distinct texts there are so far.
    """

    def __init__(self, library: Library, vocabulary: Vocabulary, facts: EncoderFacts) -> None:
        self._library = library
        self._vocabulary = vocabulary
        self._text_ids: dict[str, int] = {}
        self._captions = 0
        with library.write() as session:
            model = library.register_model(session, facts)
            library.activate_model(session, model)
            session.add(Root(id=1, path="/benchmark", last_scanned_at=_NOW))
            session.flush()
            session.expunge(model)
        self._model: Model = model
        self.model_id = model.id

    @property
    def texts(self) -> int:
        """Distinct texts so far."""
        return len(self._text_ids)

    def fill(self, count: int) -> float:
        """Write pictures, captions, boxes and vectors, and publish; returns the wall-clock seconds."""
        started = time.perf_counter()
        with self._library.exclusive():
            for first in range(0, count, _BLOCK):
                pictures = self._vocabulary.pictures(first, min(_BLOCK, count - first))
                with self._library.write() as session:
                    self._write(session, pictures, first + 1)
            publish(self._library, self.model_id)
        return time.perf_counter() - started

    def _write(self, session: Session, pictures: Pictures, first_id: int) -> None:
        ids = range(first_id, first_id + len(pictures.captions))
        session.execute(insert(Image), [_image(number) for number in ids])
        session.execute(insert(File), [_file(number) for number in ids])
        distinct = dict.fromkeys([*pictures.captions, *(phrase for three in pictures.phrases for phrase in three)])
        fresh = [text for text in distinct if text not in self._text_ids]
        self._text_ids.update(zip(fresh, range(self.texts + 1, self.texts + 1 + len(fresh)), strict=True))
        known = self._text_ids
        session.execute(insert(TextBody), [{"id": known[text], "sha256": _sha(text), "body": text} for text in fresh])
        captions = [
            {"id": number, "image_id": number, "text_id": known[text], "source": _SOURCE, "created_at": _NOW}
            for number, text in zip(ids, pictures.captions, strict=True)
        ]
        session.execute(insert(Caption), captions)
        session.execute(insert(Region), self._regions(pictures, first_id))
        self._library.vectors.append(session, self._model, "image", list(ids), pictures.vectors)
        vectors = self._vocabulary.text_vectors(fresh)
        self._library.vectors.append(session, self._model, "text", [known[text] for text in fresh], vectors)

    def _regions(self, pictures: Pictures, first_id: int) -> list[dict[str, object]]:
        boxes = pictures.boxes.tolist()
        return [
            {
                "image_id": first_id + row,
                "caption_id": first_id + row,
                "text_id": self._text_ids[phrase],
                "x0": box[0],
                "y0": box[1],
                "x1": box[2],
                "y1": box[3],
                "source": _SOURCE,
            }
            for row, three in enumerate(pictures.phrases)
            for phrase, box in zip(three, boxes[row], strict=True)
        ]


def publish(library: Library, model_id: int) -> None:
    """Make everything searchable."""
    library.publish(model_id)


def _image(number: int) -> dict[str, object]:
    return {
        "id": number,
        "sha256": _sha(f"picture {number}"),
        "width_px": 640,
        "height_px": 480,
        "format": "JPEG",
        "size_bytes": 100_000,
        "taken_at": None,
        "created_at": _NOW,
    }


def _file(number: int) -> dict[str, object]:
    name = f"IMG_{number:07}.jpg"
    return {
        "path": f"/benchmark/{number // 1000:04}/{name}",
        "name": name,
        "name_key": name_key(name),
        "root_id": 1,
        "image_id": number,
        "state": "indexed",
        "size_bytes": 100_000,
        "mtime_ns": 0,
        "device": "0",
        "seen_at": _NOW,
    }


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

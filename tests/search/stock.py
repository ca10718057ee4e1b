"""Fill a library with pictures and texts that have random vectors: storage does not care what they show."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from search.db.schema import Caption, File, Image, Model, Root, TextBody
from search.library import Library
from vision.encoders.base import EncoderFacts
from vision.preprocessing import Preprocessing

NOW = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def facts(dim: int = 16, name: str = "stock", revision: str = "0" * 40) -> EncoderFacts:
    """Facts of an encoder that nobody has to load."""
    square = Preprocessing("exact", (8, 8), 3, None, 1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    return EncoderFacts(name, "colour", revision, dim, 8, square, "lower", "/models/" + name)


def unit_vectors(seed: int, count: int, dim: int = 16) -> NDArray[np.float32]:
    """`(count, dim)` float32, L2-normalised, always the same for one seed."""
    raw = np.random.default_rng(seed).normal(size=(count, dim))
    return (raw / np.linalg.norm(raw, axis=1, keepdims=True)).astype(np.float32)


class Stock:
    """What has been put into a library so far: vectors by embedding id."""

    def __init__(self, library: Library, dim: int = 16) -> None:
        self.library = library
        self.dim = dim
        self.vectors: dict[int, NDArray[np.float32]] = {}
        self.images: list[int] = []
        self.texts: list[int] = []
        with library.write() as session:
            self.model = library.register_model(session, facts(dim))
            if not self.model.active:
                library.activate_model(session, self.model)
            root = Root(path=f"/pictures/{library.home.name}", last_scanned_at=NOW)
            known = session.query(Root).filter(Root.path == root.path).one_or_none()
            if known is None:
                session.add(root)
                session.flush()
            self.root_id = (known or root).id

    def add_pictures(self, count: int, seed: int = 0) -> list[int]:
        """Images with a file and a vector each, in one transaction; returns the embedding ids."""
        vectors = unit_vectors(seed, count, self.dim)
        with self.library.write() as session:
            hashes = [hashlib.sha256(f"{seed}/{number}".encode()).hexdigest() for number in range(count)]
            images = [
                Image(sha256=sha, width_px=640, height_px=480, format="PNG", size_bytes=9, created_at=NOW)
                for sha in hashes
            ]
            session.add_all(images)
            session.flush()
            session.add_all(self._file(image) for image in images)
            owners = [image.id for image in images]
            ids = self.library.vectors.append(session, self.model, "image", owners, vectors)
        self.images += owners
        self.vectors.update(zip(ids, vectors, strict=True))
        return ids

    def add_captions(self, bodies: list[str], image_id: int, seed: int = 1) -> list[int]:
        """Captions of one image with their vectors; returns the embedding ids."""
        vectors = unit_vectors(seed, len(bodies), self.dim)
        with self.library.write() as session:
            texts = [TextBody(sha256=hashlib.sha256(body.encode()).hexdigest(), body=body) for body in bodies]
            session.add_all(texts)
            session.flush()
            session.add_all(
                Caption(image_id=image_id, text_id=text.id, source="import", created_at=NOW) for text in texts
            )
            owners = [text.id for text in texts]
            ids = self.library.vectors.append(session, self.model, "text", owners, vectors)
        self.texts += owners
        self.vectors.update(zip(ids, vectors, strict=True))
        return ids

    def publish(self) -> tuple[bool, bool]:
        """Publish images and texts; returns whether each has a new generation."""
        store = self.library.vectors
        return store.publish(self.model.id, "image"), store.publish(self.model.id, "text")

    def stored(self, ids: list[int]) -> NDArray[np.float32]:
        """What was appended under these embedding ids."""
        return np.stack([self.vectors[id_] for id_ in ids])

    def _file(self, image: Image) -> File:
        path = f"/pictures/{self.library.home.name}/{image.sha256}.png"
        return File(
            path=path,
            name=path.rsplit("/", 1)[-1],
            root_id=self.root_id,
            image_id=image.id,
            state="indexed",
            size_bytes=9,
            mtime_ns=1,
            device="1",
            seen_at=NOW,
        )


__all__ = ["Model", "Stock", "facts", "unit_vectors"]

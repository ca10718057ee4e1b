"""Give every caption and phrase in use its vector."""

from __future__ import annotations

from indexer.report import OnProgress, Progress
from indexer.writer import Writer
from search.db.annotations import texts_without_vector
from search.db.schema import Model
from search.library import Library

BATCH = 256
"""Texts per transaction; short texts make small batches cheap."""


def embed_texts(library: Library, model: Model, writer: Writer, on_progress: OnProgress) -> int:
    """Embed what has no vector yet; returns how many texts were embedded."""
    done = 0
    while True:
        with library.read() as session:
            texts = texts_without_vector(session, model.id, BATCH)
        if not texts:
            return done
        done += writer.write_texts(texts)
        on_progress(Progress("texts", done, None))

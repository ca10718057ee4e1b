"""Give every caption and phrase in use its vector."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.isolate import in_parts
from indexer.report import OnProgress, Progress, SkippedRecord
from indexer.writer import Writer
from search.db.annotations import texts_without_vector
from search.db.schema import Model
from search.library import Library

BATCH = 256
"""Texts per transaction; short texts make small batches cheap."""

_SHOWN_CHARS = 80


def embed_texts(
    library: Library, model: Model, writer: Writer, on_progress: OnProgress, refused: list[SkippedRecord] | None = None
) -> int:
    """Embed what has no vector yet; returns how many texts were embedded.

    Args:
        refused: receives the texts that the encoder fails on; they are tried again next time.
    """
    left_out = [] if refused is None else refused
    done = last = 0

    def write(texts: Sequence[tuple[int, str]]) -> None:
        nonlocal done
        done += writer.write_texts(texts)

    def leave_out(text: tuple[int, str], code: str, reason: str) -> None:
        left_out.append(SkippedRecord(f"text {text[0]}: {text[1][:_SHOWN_CHARS]}", code, reason))

    with library.turn("texts", lambda: on_progress(Progress("texts", 0, None))):
        while True:
            with library.read() as session:
                # From behind the last one on: a text that cannot be embedded must not come again and again.
                texts = texts_without_vector(session, model.id, BATCH, after=last)
            if not texts:
                return done
            last = texts[-1][0]
            in_parts(texts, write, leave_out, control=writer.check_texts)
            on_progress(Progress("texts", done, None))

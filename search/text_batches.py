"""Texts of several queries that come at the same time go through the encoder together."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from vision.encoders.base import Encoder
from vision.types import Embeddings
from vision.wanted import Wanted, current_work, still_wanted

MOST_TOGETHER = 64
"""Texts in one batch; what is more goes into the next."""


class _Asked:
    """The texts of one query, until they are embedded."""

    def __init__(self, encoder: Encoder, texts: Sequence[str]) -> None:
        self.encoder = encoder
        self.texts = list(texts)
        self.wanted: Wanted | None = current_work()
        self.embedded: Embeddings | None = None
        self.done = False

    @property
    def is_wanted(self) -> bool:
        """Whether somebody still waits for them."""
        return self.wanted is None or not self.wanted.abandoned


class TextBatches:
    """Embeds texts for many threads: the first waits for nothing; those that come meanwhile go together in the next.

    Attributes:
        batches: how many there were.
        queries: how many queries were in them.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Asked] = []
        self._encoding = False
        self.batches = 0
        self.queries = 0

    def encode(self, encoder: Encoder, texts: Sequence[str]) -> Embeddings:
        """Embed texts as `Encoder.encode_text` does: `(n, dim)` float32, L2-normalised, in order.

        Raises whatever the encoder raises for these texts alone, and `NobodyWaitsError` where nobody does.
        """
        mine = _Asked(encoder, texts)
        with self._changed:
            self._waiting.append(mine)
            while self._encoding and not mine.done:
                self._changed.wait()
            if mine.done or not mine.is_wanted:
                batch = []
                self._leave(mine)
            else:
                batch = self._next(mine)
                self._encoding = True
        if batch:
            self._embed(batch)
        if mine.embedded is not None:
            return mine.embedded
        still_wanted()
        return encoder.encode_text(mine.texts)  # it failed in company: alone, each query gets its own error

    def _leave(self, mine: _Asked) -> None:
        if mine in self._waiting:
            self._waiting.remove(mine)
            self._changed.notify_all()

    def _next(self, mine: _Asked) -> list[_Asked]:
        """Whoever finds the encoder free takes along all who wait for the same one; those who left are let go."""
        batch, left, size = [mine], [], len(mine.texts)
        for one in self._waiting:
            if one is mine:
                continue
            if not one.is_wanted:
                one.done = True
            elif one.encoder is mine.encoder and size + len(one.texts) <= MOST_TOGETHER:
                batch.append(one)
                size += len(one.texts)
            else:
                left.append(one)
        self._waiting = left
        return batch

    def _embed(self, batch: list[_Asked]) -> None:
        try:
            texts = [text for one in batch for text in one.texts]
            embedded = batch[0].encoder.encode_text(texts)
            ends = np.cumsum([len(one.texts) for one in batch])
            for one, rows in zip(batch, np.split(embedded, ends[:-1]), strict=True):
                one.embedded = rows
        except Exception:
            if len(batch) == 1:
                raise
        finally:
            with self._changed:
                for one in batch:
                    one.done = True
                self._encoding = False
                self.batches += 1
                self.queries += len(batch)
                self._changed.notify_all()

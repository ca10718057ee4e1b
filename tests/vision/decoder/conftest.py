"""One decoder for all tests that do not harm it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from vision.images import Decoded, DecodeRequest, DecoderPool, Refused


@pytest.fixture(scope="session")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(workers=1) as pool:
        yield pool


class Reader:
    """Decodes bytes through the shared pool."""

    def __init__(self, pool: DecoderPool) -> None:
        self._pool = pool

    def answer(self, data: bytes, **asked: Any) -> Decoded | Refused:
        return self._pool.decode(DecodeRequest(asked.pop("path", "test"), data=data, **asked))

    def decoded(self, data: bytes, **asked: Any) -> Decoded:
        answer = self.answer(data, **asked)
        assert isinstance(answer, Decoded), answer
        return answer

    def refused(self, data: bytes, **asked: Any) -> Refused:
        answer = self.answer(data, **asked)
        assert isinstance(answer, Refused), answer
        return answer


@pytest.fixture(scope="session")
def reader(pool: DecoderPool) -> Reader:
    return Reader(pool)

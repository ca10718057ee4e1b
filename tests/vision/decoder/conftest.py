"""One decoder for all tests that do not harm it."""

from __future__ import annotations

from collections.abc import Iterator

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

    def answer(self, data: bytes) -> Decoded | Refused:
        return self._pool.decode(DecodeRequest("test", data=data))

    def decoded(self, data: bytes) -> Decoded:
        answer = self.answer(data)
        assert isinstance(answer, Decoded), answer
        return answer

    def refused(self, data: bytes) -> Refused:
        answer = self.answer(data)
        assert isinstance(answer, Refused), answer
        return answer


@pytest.fixture(scope="session")
def reader(pool: DecoderPool) -> Reader:
    return Reader(pool)

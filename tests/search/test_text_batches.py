"""Queries that come at the same time are embedded together, and nobody gets another's vectors or errors."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from search.text_batches import TextBatches
from vision.encoders.base import Encoder
from vision.encoders.colour import ColourEncoder
from vision.encoders.registry import load_encoder
from vision.types import Embeddings
from vision.wanted import NobodyWaitsError, Wanted, as_work


class Held(ColourEncoder):
    """The colour encoder; it encodes when it is let, and notes what came together."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()
        self.batches: list[list[str]] = []

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        self.batches.append(list(texts))
        assert self.go.wait(30)
        if "broken" in texts:
            raise ValueError("broken")
        return super().encode_text(texts)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_one_that_comes_alone_is_encoded_alone_and_the_same() -> None:
    encoder, batches = ColourEncoder(), TextBatches()
    texts = ["red", "a blue sky"]
    assert np.array_equal(batches.encode(encoder, texts), encoder.encode_text(texts))
    assert (batches.batches, batches.queries) == (1, 1)


def test_those_that_come_while_one_is_encoded_go_together() -> None:
    encoder, batches = Held(), TextBatches()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batches.encode, encoder, ["red"])
        until(lambda: encoder.batches == [["red"]])
        rest = [pool.submit(batches.encode, encoder, [colour, "sky"]) for colour in ("green", "blue", "pink")]
        until(lambda: len(batches._waiting) == 3)
        encoder.go.set()
        found = [one.result() for one in (first, *rest)]
    assert sorted(len(batch) for batch in encoder.batches) == [1, 6]
    assert (batches.batches, batches.queries) == (2, 4)
    plain = ColourEncoder()
    for texts, vectors in zip((["red"], ["green", "sky"], ["blue", "sky"], ["pink", "sky"]), found, strict=True):
        assert np.array_equal(vectors, plain.encode_text(texts))


def test_an_error_is_that_of_its_own_query() -> None:
    encoder, batches = Held(), TextBatches()
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batches.encode, encoder, ["red"])
        until(lambda: encoder.batches == [["red"]])
        good, bad = pool.submit(batches.encode, encoder, ["blue"]), pool.submit(batches.encode, encoder, ["broken"])
        until(lambda: len(batches._waiting) == 2)
        encoder.go.set()
        assert len(first.result()) == len(good.result()) == 1
        with pytest.raises(ValueError, match="broken"):
            bad.result()
    assert batches.encode(encoder, ["green"]).shape == (1, encoder.facts.dim), "it goes on"


def test_a_query_that_nobody_waits_for_is_not_encoded() -> None:
    encoder, batches, wanted = Held(), TextBatches(), Wanted()

    def ask() -> Embeddings:
        with as_work(wanted):
            return batches.encode(encoder, ["blue"])

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(batches.encode, encoder, ["red"])
        until(lambda: encoder.batches == [["red"]])
        gone = pool.submit(ask)
        until(lambda: len(batches._waiting) == 1)
        wanted.abandon()
        encoder.go.set()
        first.result()
        with pytest.raises(NobodyWaitsError):
            gone.result()
    assert encoder.batches == [["red"]]


def test_a_network_gives_the_same_vectors_in_company() -> None:
    encoder: Encoder = load_encoder("storybook-encoder", threads=1)
    texts = ["a red car", "two dogs in front of a white house behind a tree", "sky"]
    together = encoder.encode_text(texts)
    alone = np.concatenate([TextBatches().encode(encoder, [text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)

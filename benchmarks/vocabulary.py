"""Made-up pictures for a benchmark: captions and boxed phrases of Zipf-like words, and vectors that go with them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NOUNS = (
    "man woman dog tree car house table chair street cat ball boat bird horse child hat window bicycle flower cup bus "
    "bench train kite cow sheep phone plate bottle umbrella lamp bed boy girl wall sky field beach fence door truck"
).split()
_ADJECTIVES = "red blue green white black small large brown wooden yellow old young grey tall bright orange".split()
_LINKS = ("next to", "in front of", "with", "behind", "and", "holding", "on", "under")
_SYLLABLES = "ba ke lo mi nu pra ste vi zo dar fen gol hut jam kir lem mor nip ost pel quin rud sil tov".split()
_ZIPF = 1.05
_PLAIN = 0.4
"""Share of phrases without an adjective: "a man"."""
_WORD = 0.55
_OWN = 0.6
_SIDE = 0.5
"""How much of a vector is its words, its own, and the side of pictures or of texts."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Some made-up pictures.

    Attributes:
        phrases: `n` × 3 noun phrases.
        captions: `n` sentences over them.
        boxes: `(n, 3, 4)` float64, normalised xyxy.
        vectors: `(n, dim)` float32, L2-normalised.
    """

    phrases: list[tuple[str, str, str]]
    captions: list[str]
    boxes: NDArray[np.float64]
    vectors: NDArray[np.float32]


class Vocabulary:
    """Words with vectors; equal arguments give equal pictures.

    Args:
        dim: of the vectors.
        nouns: how many there are, the first of them everyday ones.
        seed: of everything.
    """

    def __init__(self, dim: int, nouns: int = 4000, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        made_up = (
            "".join(rng.choice(_SYLLABLES, size=3)) + _SYLLABLES[number % len(_SYLLABLES)] for number in range(10**9)
        )
        rare: dict[str, None] = {}
        while len(rare) < nouns - len(_NOUNS):
            rare[next(made_up)] = None
        self._seed = seed
        self.nouns = [*_NOUNS, *rare]
        self.adjectives = list(_ADJECTIVES)
        words = [*self.nouns, *self.adjectives]
        self._places = {word: place for place, word in enumerate(words)}
        self._vectors = rng.standard_normal((len(words) + 1, dim), dtype=np.float32)
        self._vectors[-1] = 0  # a word that nobody knows says nothing
        self._sides = rng.standard_normal((2, dim), dtype=np.float32)
        weights = 1 / np.arange(1, nouns + 1) ** _ZIPF
        self._nouns_p = weights / weights.sum()
        weights = 1 / np.arange(1, len(self.adjectives) + 1)
        self._adjectives_p = weights / weights.sum()

    @property
    def dim(self) -> int:
        """Of the vectors."""
        return int(self._vectors.shape[1])

    def pictures(self, first: int, count: int) -> Pictures:
        """Pictures number `first` to `first + count - 1`; a block is always the same for equal arguments."""
        rng = np.random.default_rng((self._seed, first, count))
        nouns = rng.choice(len(self.nouns), (count, 3), p=self._nouns_p)
        adjectives = rng.choice(len(self.adjectives), (count, 3), p=self._adjectives_p)
        plain = rng.random((count, 3)) < _PLAIN
        links = rng.integers(len(_LINKS), size=(count, 2))
        phrases, captions = [], []
        for row in range(count):
            one, two, three = (
                f"a {self.nouns[noun]}" if bare else f"a {self.adjectives[adjective]} {self.nouns[noun]}"
                for noun, adjective, bare in zip(nouns[row], adjectives[row], plain[row], strict=True)
            )
            phrases.append((one, two, three))
            captions.append(f"{one} {_LINKS[links[row, 0]]} {two} {_LINKS[links[row, 1]]} {three}")
        corners = np.sort(rng.random((count, 3, 2, 2)), axis=2)
        corners[:, :, 1] = np.minimum(1.0, corners[:, :, 1] + 0.02)
        corners[:, :, 0] = np.maximum(0.0, corners[:, :, 0] - 0.02)
        meaning = self._vectors[nouns].sum(axis=1)
        meaning += (self._vectors[len(self.nouns) + adjectives] * ~plain[:, :, None]).sum(axis=1)
        own = rng.standard_normal((count, self.dim), dtype=np.float32)
        vectors = _WORD * _unit(meaning) + _OWN * _unit(own) + _SIDE * _unit(self._sides[:1])
        return Pictures(phrases, captions, corners.reshape(count, 3, 4), _unit(vectors))

    def text_vectors(self, texts: list[str]) -> NDArray[np.float32]:
        """`(n, dim)` float32, L2-normalised: what an encoder would make of texts, stored ones and queries alike."""
        unknown = len(self._vectors) - 1
        split = [text.split() for text in texts]
        words = np.full((len(texts), max(map(len, split), default=1)), unknown)
        for row, some in enumerate(split):
            words[row, : len(some)] = [self._places.get(word, unknown) for word in some]
        meaning = np.zeros((len(texts), self.dim), np.float32)
        for column in words.T:
            meaning += self._vectors[column]
        return _unit(_unit(meaning) + _SIDE * _unit(self._sides[1:]))


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return np.asarray(vectors / lengths, np.float32)

"""Written captions against people's: BLEU-4, ROUGE-L and CIDEr-D, over words that this file cuts itself.

The definitions are those of the COCO caption server (Chen et al., 2015), but for its tokenizer (Penn Treebank's, in
Java): the figures compare with each other, and with published ones only roughly.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search.evaluation.ranking import Figure, bootstrap, mean

LONGEST = 4
"""Words of the longest n-gram."""

_BETA = 1.2
_SIGMA = 6.0
_CLIP_SCALE = 2.5

_SINGLE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_SINGLE}]|(?:(?![{_SINGLE}])[^\W_])+(?:['’-](?:(?![{_SINGLE}])[^\W_])+)*")

Grams: TypeAlias = Counter[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CaptionFigures:
    """How near written captions come to people's, times 100; bootstrap over pictures.

    Attributes:
        bleu_4: of the whole set, against the reference of the closest length (Papineni et al., 2002).
        rouge_l: mean of the F measure of the longest common subsequence, recall weighted 1.2 times (Lin, 2004); of
            several references the best precision and the best recall.
        cider_d: mean over pictures (Vedantam et al., 2015). Document frequencies are those of all references given.
    """

    bleu_4: Figure
    rouge_l: Figure
    cider_d: Figure


def words_of(text: str) -> list[str]:
    """A caption's words: lower case, runs of letters and digits with hyphens and apostrophes within.

    Chinese and Japanese characters are a word each. All else parts words and is dropped.
    """
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())


def caption_figures(captions: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionFigures:
    """Measure one caption a picture.

    Args:
        captions: as written.
        references: for each of them what people wrote, at least one.
    """
    written = [words_of(text) for text in captions]
    told = [[words_of(text) for text in some] for some in references]
    pairs = list(zip(written, told, strict=True))
    parts = np.array([_bleu_parts(ours, theirs) for ours, theirs in pairs], np.float64).reshape(
        len(pairs), 2 * LONGEST + 2
    )
    return CaptionFigures(
        bleu_4=bootstrap(len(parts), lambda chosen: _bleu(parts[chosen].sum(axis=0))),
        rouge_l=mean([_rouge(ours, theirs) for ours, theirs in pairs]),
        cider_d=mean(_ciders(written, told)),
    )


def clip_score(cosines: ArrayLike) -> Figure:
    """Mean of 2.5 times the cosine of picture and caption, 0 where it is negative (Hessel et al., 2021), times 100.

    Args:
        cosines: `(n,)` in [-1, 1].
    """
    return mean(_CLIP_SCALE * np.maximum(np.asarray(cosines, np.float64), 0))


def _grams(words: Sequence[str], size: int) -> Grams:
    return Counter(tuple(words[at : at + size]) for at in range(len(words) - size + 1))


def _bleu_parts(ours: Sequence[str], theirs: Sequence[Sequence[str]]) -> list[float]:
    """For each size the n-grams that a reference has as often, and all; then the lengths of caption and reference."""
    parts: list[float] = []
    for size in range(1, LONGEST + 1):
        most: Grams = Counter()
        for one in theirs:
            most |= _grams(one, size)
        parts += [(_grams(ours, size) & most).total(), max(len(ours) - size + 1, 0)]
    closest = min((len(one) for one in theirs), key=lambda length: (abs(length - len(ours)), length))
    return [*parts, len(ours), closest]


def _bleu(sums: NDArray[np.float64]) -> float:
    matched, total = sums[0 : 2 * LONGEST : 2], sums[1 : 2 * LONGEST : 2]
    ours, theirs = sums[-2:]
    if not matched.all():
        return 0.0
    brevity = min(0.0, 1 - theirs / ours)
    return float(np.exp(brevity + np.log(matched / total).mean()))


def _rouge(ours: Sequence[str], theirs: Sequence[Sequence[str]]) -> float:
    common = [(_common(ours, one), len(one)) for one in theirs]
    precision = max(length for length, _ in common) / max(len(ours), 1)
    recall = max(length / max(size, 1) for length, size in common)
    if not precision or not recall:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def _common(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, all of `first` at once in the bits of a number (Hyyrö, 2004)."""
    where: dict[str, int] = {}
    for at, word in enumerate(first):
        where[word] = where.get(word, 0) | 1 << at
    full = (1 << len(first)) - 1
    row = full
    for word in second:
        met = row & where.get(word, 0)
        row = (row + met | row - met) & full
    return len(first) - row.bit_count()


def _ciders(written: Sequence[Sequence[str]], told: Sequence[Sequence[Sequence[str]]]) -> list[float]:
    """Of each picture; a set of one picture has no rare words, so that its figure is 0."""
    scores = np.zeros(len(written))
    for size in range(1, LONGEST + 1):
        grams = [[_grams(one, size) for one in some] for some in told]
        holding = Counter(gram for some in grams for gram in set[tuple[str, ...]]().union(*some))
        rarity = {gram: float(np.log(len(told) / count)) for gram, count in holding.items()}
        unseen = float(np.log(max(len(told), 1)))
        for at, (ours, some) in enumerate(zip(written, grams, strict=True)):
            mine = _Weighted(_grams(ours, size), rarity, unseen)
            near = [
                _Weighted(one, rarity, unseen).likeness(mine) * _of_length(len(ours) - len(text))
                for one, text in zip(some, told[at], strict=True)
            ]
            scores[at] += sum(near) / len(near)
    found: list[float] = (10 * scores / LONGEST).tolist()
    return found


class _Weighted:
    """N-grams by how often they occur and how rare they are among pictures."""

    def __init__(self, grams: Grams, rarity: dict[tuple[str, ...], float], unseen: float) -> None:
        self._weights = {gram: count * rarity.get(gram, unseen) for gram, count in grams.items()}
        self._length = float(np.sqrt(_squares(self._weights.values())))

    def likeness(self, caption: _Weighted) -> float:
        """Of this reference to a caption; what the caption says too often does not count."""
        length = self._length * caption._length
        if not length:
            return 0.0
        shared = self._weights.keys() & caption._weights.keys()
        return sum(min(caption._weights[one], self._weights[one]) * self._weights[one] for one in shared) / length


def _squares(values: Iterable[float]) -> float:
    return sum(value * value for value in values)


def _of_length(difference: int) -> float:
    return float(np.exp(-(difference**2) / (2 * _SIGMA**2)))

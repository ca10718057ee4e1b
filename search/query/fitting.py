"""Learn what evidence is worth in one library, and where the line lies, from its own texts.

Every sampled text asks for its own picture, with itself left out. Half of the pictures keep their texts and half are
taken as if nothing were written about them, so that both kinds are judged on one scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from search.catalogue.catalogue import TEXT
from search.db.annotations import text_bodies
from search.query.evidence import AskedText, ask_texts, look_at
from search.query.fuse import DEFAULT, Weights
from search.query.relevance import Relevance
from search.snapshot import Snapshot

ASKED = 160
"""Texts that are asked for."""

AMONG = 1_500
"""Pictures among which each must be found."""

LEAST = 40
"""Texts from which on anything is learnt."""

_PRIOR = 0.02
"""Pull of the plain weights, per asked text: a library of a few texts keeps them."""

_RANGE = 1.5
"""By which factor a weight may leave its plain value."""

_LOST = 0.03
_LINE_SHARE = 0.5
_LINES = (1.5, 5.0)
"""The line lies at this share of what the worst 3 % of the library's own texts reach somewhere, within these bounds."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One text and the pictures: `(n, 5)` features in the order of `Weights`, which row is right, the best odds."""

    features: NDArray[np.float32]
    right: int
    best: float


def fit(session: Session, snapshot: Snapshot) -> Relevance | None:
    """Fit the relevance of a library; None where it has too few texts for that."""
    catalogue = snapshot.catalogue
    documents = np.flatnonzero((catalogue.doc_kind == TEXT) & (catalogue.doc_vectors > 0))
    documents = documents[catalogue.uses(documents) > 0]
    if len(documents) < LEAST:
        return None
    documents = documents[np.linspace(0, len(documents) - 1, ASKED * 2).astype(np.int64)]
    documents = np.unique(documents)
    bodies = text_bodies(session, catalogue.doc_id[documents].tolist())
    vectors = snapshot.texts.vectors(catalogue.doc_vectors[documents])
    rows = np.unique(np.linspace(0, len(catalogue.images) - 1, AMONG).astype(np.int64))
    silenced = np.random.default_rng(0).random(len(catalogue.images)) < 0.5
    cases: list[_Case] = []
    for document, vector in zip(documents.tolist(), vectors, strict=True):
        _, owners = catalogue.images_of(np.array([document]))
        text = bodies.get(int(catalogue.doc_id[document]))
        if text is None or not 0 < len(owners) <= 5 or len(cases) == ASKED:
            continue  # a text of many pictures asks for none of them
        cases.append(_case(snapshot, text, vector, document, np.union1d(rows, owners), int(owners[0]), silenced))
    if len(cases) < LEAST:
        return None
    weights = _fit_weights(cases)
    best = np.array([case.best for case in cases])
    line = float(np.clip(_LINE_SHARE * np.quantile(best, _LOST), *_LINES))
    slope = float(np.clip(np.log(9) / max(float(np.median(best)) - line, 0.5), 0.3, 1.5))
    return Relevance(weights, round(line, 4), round(slope, 4), snapshot.texts.size)


def _case(
    snapshot: Snapshot,
    text: str,
    vector: NDArray[np.float32],
    document: int,
    rows: NDArray[np.int64],
    owner: int,
    silenced: NDArray[np.bool_],
) -> _Case:
    asked = _without(ask_texts(snapshot, [text], vector[None])[0], document)
    evidence = look_at(snapshot, rows, [asked], vector[None], _UNIT)
    look, words, meaning = (
        part[:, 0] for part in (evidence.judged.look, evidence.judged.words, evidence.judged.meaning)
    )
    odds = look_at(snapshot, rows, [asked], vector[None], DEFAULT).judged.total[:, 0]
    quiet = evidence.silent | silenced[rows]
    spoken = (~quiet).astype(np.float32)
    features = np.stack([look * spoken, words * spoken, meaning * spoken, look * quiet, quiet.astype(np.float32)], 1)
    return _Case(features.astype(np.float32), int(np.searchsorted(rows, owner)), float(odds.max()))


_UNIT = Weights(look=1.0, words=1.0, meaning=0.06, look_alone=1.0, silence=0.0)
"""Weights that leave evidence in its own units; of words and meaning, in the ratio by which the best text is chosen."""


def _without(asked: AskedText, document: int) -> AskedText:
    by_words, by_meaning = asked.worded != document, asked.meant != document
    return replace(
        asked,
        worded=asked.worded[by_words],
        word_scores=asked.word_scores[by_words],
        covered=asked.covered[by_words],
        meant=asked.meant[by_meaning],
        meanings=asked.meanings[by_meaning],
    )


def _fit_weights(cases: Sequence[_Case]) -> Weights:
    """Maximum a posteriori of a conditional logit (which of the pictures is right), by Newton's method."""
    plain = np.array([DEFAULT.look, DEFAULT.words, DEFAULT.meaning, DEFAULT.look_alone, DEFAULT.silence])
    scale = np.array([1.0, 1.0, 1.0 / 0.06, 1.0, 1.0])  # meaning was measured in units of 0.06
    weights, prior = plain.copy(), _PRIOR * len(cases) / plain**2
    for _ in range(30):
        gradient, curvature = -prior * (weights - plain), np.diag(prior)
        for case in cases:
            features = case.features * scale
            odds = features @ weights
            chance = np.exp(odds - odds.max())
            chance /= chance.sum()
            mean = chance @ features
            gradient += features[case.right] - mean
            curvature += (features * chance[:, None]).T @ features - np.outer(mean, mean)
        step = np.linalg.solve(curvature, gradient)
        weights = np.clip(weights + step, plain / _RANGE, plain * _RANGE)
        if np.abs(step).max() < 1e-4:
            break
    return Weights(*(round(float(value), 4) for value in weights))

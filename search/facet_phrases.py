"""The facet of phrases: what the boxes of some pictures show, told in the fewest words."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from search.catalogue.catalogue import TEXT, Catalogue
from search.db.annotations import text_bodies
from search.db.chunks import chunks
from search.db.facet_counts import phrases_of
from search.facet_values import Facet, FacetValue
from search.words.folding import UNSPACED, split, unaccented
from search.words.terms import content

_LOOKED_AT = 1_000
"""Texts that most pictures have: phrases are among them, for hardly any caption is told of many pictures."""


def phrases(session: Session, catalogue: Catalogue, rows: NDArray[np.int64], most: int) -> Facet:
    """The most frequent phrases; "a dog" and "the dog" are one.

    Args:
        rows: of the pictures, ascending.
        most: values.
    """
    is_counted = np.zeros(len(catalogue.images), bool)
    is_counted[rows] = True
    _, docs = catalogue.docs_of(rows)
    docs = docs[catalogue.doc_kind[docs] == TEXT]
    often = np.bincount(docs, minlength=len(catalogue.doc_kind))
    frequent = np.argsort(-often, kind="stable")[:_LOOKED_AT]
    frequent = frequent[often[frequent] > 0]
    doc_of = dict(zip(catalogue.doc_id[frequent].tolist(), frequent.tolist(), strict=True))
    shown = {text for some in chunks(list(doc_of)) for text in phrases_of(session, some)}
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    labels: dict[tuple[str, ...], str] = {}
    for text_id, body in text_bodies(session, [one for one in doc_of if one in shown]).items():
        words = _without_articles(body)
        if words:
            groups[words].append(doc_of[text_id])
            labels.setdefault(words, _label(body, len(words)))
    counted: list[FacetValue] = []
    for words, same in groups.items():
        pictures = np.unique(catalogue.images_of(np.array(same))[1])
        token = f'"{" ".join(words)}"'
        counted.append(FacetValue(labels[words], int(is_counted[pictures].sum()), token, at_least=True))
    counted.sort(key=lambda value: (-value.count, value.text))
    return Facet("phrase", tuple(counted[:most]), more=len(counted) > most)


def _without_articles(body: str) -> tuple[str, ...]:
    """The words of a phrase from the first that says something."""
    words, said = split(body), content(body)
    for place, word in enumerate(words):
        if unaccented(word) in said or UNSPACED.search(word):
            return tuple(words[place:])
    return tuple(words)


def _label(body: str, count: int) -> str:
    """The last words of a phrase as they are written, where blanks alone stand between its words."""
    written = body.split()
    return " ".join(written[-count:]) if len(written) == len(split(body)) else " ".join(written)

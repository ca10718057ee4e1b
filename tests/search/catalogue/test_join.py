"""A catalogue that grew in steps is the one that is made at once, however its rows lie between each other."""

from __future__ import annotations

import numpy as np
import pytest

from search.catalogue.catalogue import FOLDER, NAME, TEXT, Catalogue, link
from search.catalogue.file import _arrays
from search.catalogue.join import joined
from search.catalogue.words import index_words
from search.words.terms import Term, terms

WORDS = "man dog car red house street lake snow bicycle hat".split()


class Library:
    """Rows as a database has them: pictures, texts, pairs of both, and a name for each picture."""

    def __init__(self, seed: int, pictures: int, texts: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.vectors = {int(one): number + 1 for number, one in enumerate(self.rng.permutation(pictures))}
        self.text_vectors = {int(one): 1000 + number for number, one in enumerate(self.rng.permutation(texts))}
        self.pairs = np.stack([self.rng.integers(0, pictures, 3 * texts), self.rng.integers(0, texts, 3 * texts)], 1)
        self.said = {text: " ".join(self.rng.choice(WORDS, 4)) for text in range(texts)}

    def part(self, images: set[int], texts: set[int], pairs: np.ndarray, named: list[int]) -> Catalogue:
        """The catalogue of these rows."""
        image_ids = np.array(sorted(images | set(pairs[:, 0].tolist()) | set(named)), np.int64)
        text_ids = np.array(sorted(texts | set(pairs[:, 1].tolist())), np.int64)
        kinds = [TEXT] * len(text_ids) + [NAME if one % 2 else FOLDER for one in named]
        image_rows = np.searchsorted(image_ids, np.concatenate([pairs[:, 0], named]).astype(np.int64))
        doc_rows = np.concatenate([np.searchsorted(text_ids, pairs[:, 1]), len(text_ids) + np.arange(len(named))])
        bodies: list[list[Term]] = [terms(self.said[one]) if one in texts else [] for one in text_ids.tolist()]
        return Catalogue(
            images=image_ids,
            image_vectors=np.array([self.vectors[i] if i in images else 0 for i in image_ids.tolist()], np.int64),
            doc_kind=np.array(kinds, np.uint8),
            doc_id=np.concatenate([text_ids, np.arange(len(named))]),
            doc_vectors=np.array(
                [*(self.text_vectors[i] if i in texts else 0 for i in text_ids.tolist()), *[0] * len(named)], np.int64
            ),
            documents=link(len(image_ids), image_rows, doc_rows),
            pictures=link(len(kinds), doc_rows, image_rows),
            words=index_words([*bodies, *(terms(f"picture {one}") for one in named)]),
        )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("pictures", "texts"), [(1, 0), (1, 1), (20, 30), (60, 25)])
def test_growing_in_steps_is_making_at_once(seed: int, pictures: int, texts: int) -> None:
    rows = Library(seed, pictures, texts)
    cuts = [np.sort(rows.rng.integers(0, size + 1, 2)) for size in (pictures, texts, len(rows.pairs), pictures)]
    order = [rows.rng.permutation(size) for size in (pictures, texts, len(rows.pairs), pictures)]
    steps = []
    for step in range(3):
        images, bodies, pairs, named = (
            some[slice(0 if step == 0 else cut[step - 1], len(some) if step == 2 else cut[step])]
            for some, cut in zip(order, cuts, strict=True)
        )
        steps.append((set(images.tolist()), set(bodies.tolist()), rows.pairs[pairs], named.tolist()))
    grown = rows.part(*steps[0])
    for one in steps[1:]:
        grown = joined(grown, rows.part(*one))
    pairs = np.concatenate([one[2] for one in steps])
    whole = rows.part(set(range(pictures)), set(range(texts)), pairs, [name for one in steps for name in one[3]])
    for (name, one), other in zip(_arrays(grown).items(), _arrays(whole).values(), strict=True):
        assert one.dtype == other.dtype, name
        assert np.array_equal(one, other), name


def test_a_newer_vector_stays() -> None:
    rows = Library(1, 3, 2)
    everything = ({0, 1, 2}, {0, 1}, rows.pairs, [0, 1, 2])
    first = rows.part(*everything)
    rows.vectors[1], rows.text_vectors[0] = 500, 5000
    twice = joined(first, rows.part({1}, {0}, rows.pairs, []))
    assert twice.image_vectors[1] == 500
    assert twice.doc_vectors[0] == 5000
    assert np.array_equal(twice.words.rows, first.words.rows)
    assert np.array_equal(twice.words.counts, first.words.counts)

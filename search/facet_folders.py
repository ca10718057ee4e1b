"""The facet of folders: those that hold some pictures, at any depth below what was indexed."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from search.catalogue.catalogue import FOLDER, Catalogue
from search.db.chunks import chunks
from search.db.images import display_path
from search.db.schema import File, Root
from search.facet_values import Facet, FacetValue, filter_token
from search.query.filters import FILTERS

_LOOKED_AT = 500
"""Lists of folders that most pictures have."""

_LONGEST = 400
"""Characters of a folder's path that a query has room for."""


def folders(session: Session, catalogue: Catalogue, rows: NDArray[np.int64], most: int) -> Facet:
    """Folders by how many of the pictures the filter finds in them; one that holds them all narrows nothing.

    Args:
        rows: of the pictures, ascending.
        most: values.
    """
    at, docs = catalogue.docs_of(rows)
    is_folder = catalogue.doc_kind[docs] == FOLDER
    at, docs = at[is_folder], docs[is_folder]
    kinds, first, often = np.unique(docs, return_index=True, return_counts=True)
    best = np.argsort(-often, kind="stable")[:_LOOKED_AT]
    samples = catalogue.images[rows[at[first[best]]]].tolist()
    guessed: Counter[str] = Counter()
    paths = _folders_of(session, samples)
    for image_id, number in zip(samples, often[best].tolist(), strict=True):
        for one in paths.get(image_id, ()):
            guessed[one] += number
    is_counted = np.zeros(len(catalogue.images), bool)
    is_counted[rows] = True
    rows_in = FILTERS["folder"].rows
    assert rows_in is not None  # the catalogue answers this filter
    values: list[FacetValue] = []
    for value, _ in guessed.most_common(most + 1):
        count = int(is_counted[rows_in(session, catalogue, value)].sum())
        if count > 0:
            values.append(FacetValue(value, count, filter_token("folder", value)))
    values.sort(key=lambda one: (-one.count, one.text))
    return Facet("folder", tuple(values[:most]), more=len(guessed) > most or len(kinds) > _LOOKED_AT)


def _folders_of(session: Session, image_ids: list[int]) -> dict[int, set[str]]:
    """The folders above the files of pictures, from what was indexed downwards, as the filter's values."""
    found: dict[int, set[str]] = {}
    for some in chunks(image_ids):
        query = (
            select(File.image_id, File.path, Root.path)
            .join(Root, Root.id == File.root_id)
            .where(File.image_id.in_(some), File.state == "indexed")
        )
        for image_id, path, root in session.execute(query):
            if image_id is not None:
                found.setdefault(image_id, set()).update(_above(path, root))
    return found


def _above(path: str, root: str) -> list[str]:
    folder, base = PurePath(path).parent, PurePath(root)
    try:
        parts = folder.relative_to(base).parts
    except ValueError:  # the file itself was given
        return []
    named = [base.name, *parts]
    values = ["/".join(named[: depth + 1]) for depth in range(len(named))]
    shown = [" ".join(display_path(value).replace('"', " ").split()) for value in values]
    return [value for value in shown if value.strip("/") and len(value) <= _LONGEST]

"""Does a search find what looking at every picture and comparing every vector finds?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from benchmarks.filling import PreparedEncoder
from benchmarks.vocabulary import Vocabulary
from search.library import Library
from search.query import candidates
from search.results import SearchRequest
from search.service import SearchService
from search.snapshot import take_snapshot

FIRST = 20
"""Hits that must be the same, in the same order."""


def differing(place: Path, dim: int, database_url: str | None, texts: Sequence[str]) -> list[str]:
    """A line for each query whose first hits are not those of the exhaustive computation."""
    with Library.open(place, database_url) as library:
        service = SearchService(library, PreparedEncoder(Vocabulary(dim)))
        found = {text: _hits(service, text) for text in texts}
        with _everything(library):
            whole = {text: _hits(service, text) for text in texts}
    return [_told(text, found[text], whole[text]) for text in texts if found[text] != whole[text]]


def _hits(service: SearchService, text: str) -> list[int]:
    return [hit.image_id for hit in service.search(SearchRequest(text=text, k=FIRST)).hits]


@contextmanager
def _everything(library: Library) -> Iterator[None]:
    """Searches within look at all pictures, and codes choose nothing."""
    with library.read() as session:
        snapshot = take_snapshot(library, session)
    assert snapshot is not None  # it was searched before
    for searcher in (snapshot.images, snapshot.texts):
        if searcher.index is not None:
            searcher.index.effort = None
    with patch.object(candidates, "ALL_UP_TO", len(snapshot.catalogue.images)):
        yield


def _told(text: str, found: Sequence[int], whole: Sequence[int]) -> str:
    place = next((at for at, (one, other) in enumerate(zip(found, whole, strict=False)) if one != other), len(found))
    return f"{text!r} differs from hit {place + 1} on; {len(set(whole) - set(found))} of {len(whole)} are missing"

"""From a request to a query that has been read: cleaned, checked, as a tree."""

from __future__ import annotations

import unicodedata

from search.errors import QueryError
from search.query.tree import Parsed
from search.results import SearchRequest

MAX_QUERY_CHARS = 1_000
"""Encoders read a few dozen words; a longer query is a mistake (a pasted page) that should be said."""

MAX_K = 1_000
MAX_OFFSET = 100_000
MAX_PICTURES = 8
"""Pictures that may come with one request."""


def clean_text(raw: str) -> str:
    """White space folded, control characters out, Unicode composed (NFC): what an encoder sees.

    Raises:
        QueryError: it is empty or too long.
    """
    if len(raw) > MAX_QUERY_CHARS:
        raise QueryError(
            f"the query has {len(raw)} characters; the limit is {MAX_QUERY_CHARS}", remedy="Ask in a sentence."
        )
    printable = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in raw)
    text = unicodedata.normalize("NFC", " ".join(printable.split()))
    if not text:
        raise QueryError("the query is empty", remedy="Describe the picture that you are looking for.")
    return text


def read_request(request: SearchRequest) -> Parsed:
    """The query of a request, read.

    Raises:
        QueryError: there is nothing to search for, a text and a tree, or something that the language refuses.
    """
    from search.query.language import parse  # noqa: PLC0415 (the parser is slow to load)

    if request.text is not None and request.tree is not None:
        raise QueryError("a search wants a text or a tree, not both")
    if len(request.pictures) > MAX_PICTURES:
        raise QueryError(f"{len(request.pictures)} pictures came with the query; the limit is {MAX_PICTURES}")
    if request.text is not None:
        return parse(request.text)
    given = bool(request.pictures) or request.like_image_id is not None or request.like_region_id is not None
    if request.tree is None and not given:
        raise QueryError("a search wants a text, a picture, or a picture of the library")
    return Parsed("", request.tree)


def check_page(k: int, offset: int) -> None:
    """Refuse a page that cannot be.

    Raises:
        QueryError: `k` or `offset` is out of range.
    """
    if not 1 <= k <= MAX_K:
        raise QueryError(f"k is {k}", remedy=f"Ask for 1 to {MAX_K} hits at a time.")
    if not 0 <= offset <= MAX_OFFSET:
        raise QueryError(f"offset is {offset}", remedy=f"It must lie between 0 and {MAX_OFFSET}.")

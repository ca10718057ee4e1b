"""From what a person typed to what is embedded and looked up."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from search.errors import QueryError

MAX_QUERY_CHARS = 1_000
"""Encoders read a few dozen words; a longer query is a mistake (a pasted page) that should be said."""

MAX_K = 1_000
MAX_OFFSET = 100_000

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """A query, understood.

    Attributes:
        text: white space folded, Unicode composed (NFC); what the encoder sees.
        words: its words, lower case, in order, without repeats.
    """

    text: str
    words: tuple[str, ...]


def plan_query(raw: str) -> QueryPlan:
    """Clean a query.

    Raises:
        QueryError: it is empty, too long, or holds nothing that could be searched for.
    """
    if len(raw) > MAX_QUERY_CHARS:
        raise QueryError(
            f"the query has {len(raw)} characters; the limit is {MAX_QUERY_CHARS}", remedy="Ask in a sentence."
        )
    printable = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in raw)
    text = unicodedata.normalize("NFC", " ".join(printable.split()))
    if not text:
        raise QueryError("the query is empty", remedy="Describe the picture that you are looking for.")
    words = tuple(dict.fromkeys(word.lower() for word in _WORD.findall(text)))
    return QueryPlan(text, words)


def check_page(k: int, offset: int) -> None:
    """Refuse a page that cannot be.

    Raises:
        QueryError: `k` or `offset` is out of range.
    """
    if not 1 <= k <= MAX_K:
        raise QueryError(f"k is {k}", remedy=f"Ask for 1 to {MAX_K} hits at a time.")
    if not 0 <= offset <= MAX_OFFSET:
        raise QueryError(f"offset is {offset}", remedy=f"It must lie between 0 and {MAX_OFFSET}.")

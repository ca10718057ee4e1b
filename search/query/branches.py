"""Alternatives of a query: brackets multiplied out, so that a picture fulfils it by fulfilling one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from search.errors import QueryError
from search.query.tree import And, Exact, Filter, Like, Node, Not, Or, Words

MOST = 16
"""Alternatives of one query: each is searched for by itself."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One alternative.

    Attributes:
        words: positive words in their order, embedded as one text.
        weighted: (text, weight) that count on their own, beside `words` where their weight is above 1.
        exact: what a text of the picture must hold.
        excluded: what must not be seen or said.
        excluded_exact: what no text of the picture may hold.
        filters: what must be true of it.
        likes: what it should look like; negative weights for what it should not.
    """

    words: str = ""
    weighted: tuple[tuple[str, float], ...] = ()
    exact: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    excluded_exact: tuple[str, ...] = ()
    filters: tuple[Filter | Not, ...] = ()
    likes: tuple[Like, ...] = ()


def branches(root: Node) -> tuple[Branch, ...]:
    """Multiply out.

    Raises:
        QueryError: there would be more than `MOST`.
    """
    return tuple(_branch(leaves) for leaves in _alternatives(root, excluded=False))


_Leaf = tuple[Words | Exact | Filter | Like, bool]


def _alternatives(node: Node, *, excluded: bool) -> list[tuple[_Leaf, ...]]:
    """Each alternative as its leaves, each with whether it is excluded."""
    if isinstance(node, Not):
        return _alternatives(node.part, excluded=not excluded)
    if isinstance(node, And | Or):
        parts = [_alternatives(part, excluded=excluded) for part in node.parts]
        if isinstance(node, And) is not excluded:  # not (a or b) is not a and not b
            found: list[tuple[_Leaf, ...]] = [()]
            for part in parts:
                found = [one + other for one in found for other in part]
                _check(len(found))
            return found
        joined = [one for part in parts for one in part]
        _check(len(joined))
        return joined
    return [((node, excluded),)]


def _check(count: int) -> None:
    if count > MOST:
        raise QueryError(
            f"the query has more than {MOST} alternatives", remedy="Use fewer OR, or search for some of them at a time."
        )


def _branch(leaves: tuple[_Leaf, ...]) -> Branch:
    branch = Branch()
    for leaf, excluded in leaves:
        branch = _with(branch, leaf, excluded=excluded)
    return branch


def _with(branch: Branch, leaf: Words | Exact | Filter | Like, *, excluded: bool) -> Branch:
    if isinstance(leaf, Filter):
        return replace(branch, filters=(*branch.filters, Not(leaf) if excluded else leaf))
    if isinstance(leaf, Like):
        weight = -abs(leaf.weight) if excluded else leaf.weight
        return replace(branch, likes=(*branch.likes, replace(leaf, weight=weight)))
    if isinstance(leaf, Exact):
        # What must be said is looked for as well, so that the pictures that show it come first.
        branch = _with(branch, Words(leaf.text, None, leaf.weight), excluded=excluded)
        if excluded:
            return replace(branch, excluded_exact=(*branch.excluded_exact, leaf.text))
        return replace(branch, exact=(*branch.exact, leaf.text))
    return _with_words(branch, leaf, excluded=excluded)


def _with_words(branch: Branch, leaf: Words, *, excluded: bool) -> Branch:
    if excluded:
        return replace(branch, excluded=(*branch.excluded, leaf.text))
    if leaf.weight <= 0:
        return replace(branch, weighted=(*branch.weighted, (leaf.text, leaf.weight)))
    words = f"{branch.words} {leaf.text}".strip()
    if leaf.weight == 1:
        return replace(branch, words=words)
    return replace(branch, words=words, weighted=(*branch.weighted, (leaf.text, leaf.weight - 1)))

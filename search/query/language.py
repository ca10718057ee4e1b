"""The query language: any text is read; pieces with a meaning become tokens, the rest are words."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from search.errors import QueryError
from search.query.filters import FILTERS, read_filter
from search.query.plan import clean_text
from search.query.repair import repair
from search.query.tree import And, Exact, Filter, Like, Node, Not, Or, Parsed, Token, Words
from vision.types import Span

if TYPE_CHECKING:
    from lark import Lark

LIKES = {"like": "image", "region": "region"}
SORTS = {"relevance": "most relevant first", "date": "newest first", "-date": "oldest first"}
MAX_WEIGHT = 10.0

# Documented in docs/query-language.md; a test holds the two together.
GRAMMAR = r"""
query: either?
either: all (OR all)*
all: piece+
piece: MINUS part -> excluded
     | part
part: atom WEIGHT?
atom: "(" either ")" -> group
    | QUOTED         -> exact
    | PAIR           -> pair
    | WORD           -> word

OR.4: /(?<![^\s(])OR(?=[\s(])/
MINUS.4: /(?<![^\s(])-(?=[^\s\-)^])/
PAIR.3: /(?<![^\s(\-])[a-z]+:(?:"[^"]*"|(?:[^\s()"^]|\^(?!-?[0-9]))+)/
QUOTED.2: /"[^"]*"/
WEIGHT.2: /(?<=[^\s(])\^-?[0-9]+(?:\.[0-9]+)?(?=[\s)]|$)/
WORD: /(?:[^\s()"^]|\^(?!-?[0-9]+(?:\.[0-9]+)?(?:[\s)]|$)))+/

%ignore /\s+/
"""

_PAIR = re.compile(r'([a-z]+):(?:"([^"]*)"|(.*))', re.DOTALL)
_NOT_A_FILTER = re.compile(r"[a-z]+:(?:$|[/:.,;!?)\-]|\d\d(?!\d)|[^\w\"<>=~*+])")
"""What has a colon and is no filter: `http://`, `std::`, `so:`."""


def parse(text: str, *, today: date | None = None) -> Parsed:
    """Read a query.

    Args:
        text: anything; what cannot be read as it is written is explained in `remarks` and searched as words.
        today: what "yesterday" counts from; None for the day of this machine.

    Raises:
        QueryError: it is empty or too long, names an unknown filter, or gives a filter a value that it does not know.
    """
    from lark.exceptions import LarkError  # noqa: PLC0415 (loaded with the parser, and only then)

    cleaned = clean_text(text)
    mended, remarks = repair(cleaned)
    reading = _Reading(cleaned, mended, today or date.today())
    try:
        root = reading.either(_parser().parse(mended)) if mended.strip() else None
    except LarkError:
        remarks = (*remarks, "The query could not be read as it is written; all of it was searched as words.")
        reading = _Reading(cleaned, mended, today or date.today())
        root = reading.words(0, len(cleaned), re.sub(r'["()^]+', " ", mended))
    tokens = tuple(sorted(reading.tokens, key=lambda token: token.span.start))
    if root is None and reading.sort == "relevance" and not tokens:
        root = reading.words(0, len(cleaned), cleaned)
    return Parsed(cleaned, root, reading.sort, tokens, remarks)


@lru_cache(maxsize=1)
def _parser() -> Lark:
    from lark import Lark  # noqa: PLC0415 (a quarter of a second that only a query should cost)

    return Lark(GRAMMAR, start="query", parser="lalr", lexer="contextual", propagate_positions=True)


class _Reading:
    """Turns a syntax tree into a query tree and notes the tokens on the way."""

    def __init__(self, text: str, mended: str, today: date) -> None:
        self.text = text
        self.mended = mended
        self.today = today
        self.sort = "relevance"
        self.tokens: list[Token] = []

    def either(self, tree: Any) -> Node | None:
        """`query` and `either`: alternatives."""
        if tree.data == "query":
            return self.either(tree.children[0]) if tree.children else None
        parts = [self._all(child) for child in tree.children if hasattr(child, "data")]
        kept = tuple(part for part in parts if part is not None)
        return kept[0] if len(kept) == 1 else Or(kept, self._span(tree)) if kept else None

    def words(self, start: int, end: int, text: str, weight: float = 1.0) -> Node | None:
        """Free text, as a node and as a token."""
        folded = " ".join(text.split())
        if not folded:
            return None
        span = Span(start, end)
        means = f"looks like “{folded}”" + ("" if weight == 1 else f", weighted {weight:g}")
        self.tokens.append(Token("words" if weight >= 0 else "excluded", self.text[start:end], means, span))
        return Words(folded, span, weight)

    def _all(self, tree: Any) -> Node | None:
        """Pieces side by side; plain words that stand together become one."""
        nodes: list[Node] = []
        run: list[Any] = []
        for piece in tree.children:
            if self._is_plain(piece):
                run.append(piece)
                continue
            nodes += self._joined(run)
            run = []
            node = self._piece(piece)
            nodes += [] if node is None else [node]
        nodes += self._joined(run)
        return nodes[0] if len(nodes) == 1 else And(tuple(nodes), self._span(tree)) if nodes else None

    def _is_plain(self, piece: Any) -> bool:
        part = piece.children[-1]
        atom = part.children[0]
        if piece.data == "excluded" or len(part.children) > 1:
            return False
        return atom.data == "word" or (atom.data == "pair" and self._is_word(str(atom.children[0])))

    def _joined(self, run: list[Any]) -> list[Node]:
        if not run:
            return []
        start, end = run[0].meta.start_pos, run[-1].meta.end_pos
        node = self.words(start, end, self.mended[start:end])
        return [] if node is None else [node]

    def _piece(self, piece: Any) -> Node | None:
        """One piece: excluded or not, weighted or not."""
        part = piece.children[-1]
        excluded = piece.data == "excluded"
        weight = _weight(str(part.children[1])) if len(part.children) > 1 else 1.0
        span = self._span(piece)
        node = self._atom(part.children[0], span, weight, excluded=excluded)
        return Not(node, span) if excluded and node is not None else node

    def _atom(self, atom: Any, span: Span, weight: float, *, excluded: bool) -> Node | None:
        if atom.data == "group":
            if excluded or weight != 1:
                return self._weighted_group(atom, span, weight, excluded=excluded)
            return self.either(atom.children[0])
        raw = str(atom.children[0])
        shown = self.text[span.start : span.end]
        if atom.data == "exact":
            held = " ".join(raw[1:-1].split())
            if not held:
                return None
            means = f"no text says “{held}”" if excluded else f"a text says “{held}”"
            self.tokens.append(Token("excluded" if excluded else "exact", shown, means, span))
            return Exact(held, span, weight)
        if atom.data == "pair" and not self._is_word(raw):
            return self._pair(raw, span, weight, excluded=excluded)
        means = f"without “{raw}”" if excluded else f"“{raw}”, weighted {weight:g}"
        self.tokens.append(Token("excluded" if excluded or weight < 0 else "words", shown, means, span))
        return Words(raw, span, weight)

    def _weighted_group(self, atom: Any, span: Span, weight: float, *, excluded: bool) -> Node | None:
        """Brackets with a minus or a weight: one token, for it is removed as one."""
        inner = _Reading(self.text, self.mended, self.today)
        node = inner.either(atom.children[0])
        if node is None:
            return None
        said = " ".join(token.text for token in inner.tokens)
        means = f"without “{said}”" if excluded else f"“{said}”, weighted {weight:g}"
        self.tokens.append(
            Token("excluded" if excluded or weight < 0 else "words", self.text[span.start : span.end], means, span)
        )
        return _scaled(node, weight)

    def _pair(self, raw: str, span: Span, weight: float, *, excluded: bool) -> Node | None:
        match = _PAIR.fullmatch(raw)
        assert match is not None  # the grammar's PAIR is of this form
        name, value = match[1], match[2] if match[2] is not None else match[3]
        shown = self.text[span.start : span.end]
        if name == "sort":
            if value not in SORTS or excluded:
                raise QueryError(f"{shown} is no order", remedy=f"Known: {', '.join('sort:' + key for key in SORTS)}.")
            self.sort = value
            self.tokens.append(Token("sort", shown, SORTS[value], span))
            return None
        if name in LIKES:
            return self._like(name, value, span, weight, excluded=excluded)
        reading = read_filter(name, value, self.today)
        means = f"not: {reading.means}" if excluded else reading.means
        self.tokens.append(Token("filter", shown, means, span))
        return Filter(name, value, span)

    def _like(self, name: str, value: str, span: Span, weight: float, *, excluded: bool) -> Node:
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise QueryError(f"{name}:{value} names no number", remedy=f"For example: {name}:42.")
        what = "picture" if name == "like" else "region"
        means = f"{'unlike' if excluded or weight < 0 else 'like'} {what} {value}"
        self.tokens.append(Token("like", self.text[span.start : span.end], means, span))
        return Like("image" if name == "like" else "region", int(value), span, weight)

    def _is_word(self, raw: str) -> bool:
        """Whether something with a colon is a word all the same."""
        name = raw.split(":", 1)[0]
        if name in FILTERS or name in LIKES or name == "sort":
            return raw.endswith(":")
        if _NOT_A_FILTER.match(raw) or len(name) == 1:
            return True
        known = ", ".join(sorted([*FILTERS, *LIKES, "sort"]))
        raise QueryError(
            f"there is no filter {name}:",
            remedy=f'Known: {known}. To search for the words, put them in quotes: "{raw}".',
        )

    def _span(self, tree: Any) -> Span:
        return Span(tree.meta.start_pos, tree.meta.end_pos)


def _weight(raw: str) -> float:
    return max(-MAX_WEIGHT, min(MAX_WEIGHT, float(raw[1:])))


def _scaled(node: Node, weight: float) -> Node:
    """The weight of brackets goes to what stands in them."""
    if isinstance(node, Words):
        return Words(node.text, node.span, node.weight * weight)
    if isinstance(node, Exact):
        return Exact(node.text, node.span, node.weight * weight)
    if isinstance(node, Like):
        return Like(node.of, node.id, node.span, node.weight * weight)
    if isinstance(node, And | Or):
        return type(node)(tuple(_scaled(part, weight) for part in node.parts), node.span)
    return node

"""The query tree as JSON: what programs send instead of a text, and what a text was read as."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from search.errors import QueryError
from search.query.filters import read_filter
from search.query.plan import MAX_QUERY_CHARS
from search.query.tree import And, Exact, Filter, Like, Node, Not, Or, Words

MAX_DEPTH = 32
MAX_NODES = 256
_KINDS = ("words", "exact", "filter", "like", "region", "not", "all", "any")


def to_json(node: Node) -> dict[str, Any]:
    """The tree as plain objects, each with one key that names its kind; spans are left out."""
    if isinstance(node, Words):
        return {"words": node.text, **_weight(node.weight)}
    if isinstance(node, Exact):
        return {"exact": node.text, **_weight(node.weight)}
    if isinstance(node, Filter):
        return {"filter": node.name, "value": node.value}
    if isinstance(node, Like):
        return {"region" if node.of == "region" else "like": node.id, **_weight(node.weight)}
    if isinstance(node, Not):
        return {"not": to_json(node.part)}
    return {"all" if isinstance(node, And) else "any": [to_json(part) for part in node.parts]}


def from_json(value: object) -> Node:
    """Read a tree.

    Raises:
        QueryError: it is none; says where, and what may stand there.
    """
    return _Reader().node(value, "tree", 0)


def _weight(weight: float) -> dict[str, float]:
    return {} if weight == 1 else {"weight": weight}


class _Reader:
    """Reads one tree and counts its nodes."""

    def __init__(self) -> None:
        self._count = 0

    def node(self, value: object, where: str, depth: int) -> Node:
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise QueryError(f"{where}: the tree is larger than a query can be", remedy=f"At most {MAX_NODES} parts.")
        if not isinstance(value, Mapping):
            raise _wrong(where, "an object with one of the keys " + ", ".join(_KINDS))
        kinds = [kind for kind in _KINDS if kind in value]
        if len(kinds) != 1:
            raise _wrong(where, "an object with exactly one of the keys " + ", ".join(_KINDS))
        kind = kinds[0]
        extra = set(value) - {
            kind,
            "weight" if kind in ("words", "exact", "like", "region") else "value" if kind == "filter" else kind,
        }
        if extra:
            raise QueryError(
                f"{where}: unknown key {sorted(map(str, extra))[0]!r}", remedy=f"Beside {kind!r} there is none such."
            )
        inside = f"{where}.{kind}"
        if kind in ("all", "any"):
            return self._parts(value[kind], inside, depth, all_of=kind == "all")
        if kind == "not":
            return Not(self.node(value[kind], inside, depth + 1))
        return _leaf(kind, value, where)

    def _parts(self, value: object, where: str, depth: int, *, all_of: bool) -> Node:
        if not isinstance(value, list) or not value:
            raise _wrong(where, "a list with at least one part")
        parts = tuple(self.node(part, f"{where}[{number}]", depth + 1) for number, part in enumerate(value))
        return And(parts) if all_of else Or(parts)


def _leaf(kind: str, value: Mapping[str, Any], where: str) -> Node:
    if kind == "filter":
        name, text = value["filter"], value.get("value")
        if not isinstance(name, str) or not isinstance(text, str):
            raise _wrong(where, 'a filter\'s name and its value, such as {"filter": "date", "value": "2024"}')
        read_filter(name, text, date.today())
        return Filter(name, text)
    weight = value.get("weight", 1.0)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight) or abs(weight) > 10:
        raise _wrong(f"{where}.weight", "a number between -10 and 10")
    if kind in ("like", "region"):
        number = value[kind]
        if isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 2**63:
            raise _wrong(f"{where}.{kind}", "the number of a picture or a region")
        return Like("image" if kind == "like" else "region", number, None, float(weight))
    text = value[kind]
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_QUERY_CHARS:
        raise _wrong(f"{where}.{kind}", f"a text of 1 to {MAX_QUERY_CHARS} characters")
    folded = " ".join(text.split())
    return Words(folded, None, float(weight)) if kind == "words" else Exact(folded, None, float(weight))


def _wrong(where: str, wanted: str) -> QueryError:
    return QueryError(f"{where} cannot be read", remedy=f"There should be {wanted}.")

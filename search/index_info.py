"""What is told of an index that answers queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """An index that answers queries.

    Attributes:
        kind: whose vectors it holds: `image`, `text` or `region`.
        index_key: FAISS factory string.
        measured: what its search was measured to find (docs/formats.md); None where all are compared.
    """

    kind: str
    vectors: int
    index_key: str
    measured: Mapping[str, Any] | None

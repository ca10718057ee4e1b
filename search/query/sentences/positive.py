"""A sentence without what it denies."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BLANKS = re.compile(r"\s+")
_BEFORE_MARK = re.compile(r"\s+([,.;:!?])")
_MARKS = " \t\n,;:，、；："


def without_spans(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text without these spans, its blanks single and no comma at either end; unchanged where there are none."""
    if not spans:
        return text
    kept, end = [], 0
    for start, stop in sorted(spans):
        kept.append(text[end : max(start, end)])
        end = max(end, stop)
    kept.append(text[end:])
    joined = _BLANKS.sub(" ", "".join(kept))
    return _BEFORE_MARK.sub(r"\1", joined).strip(_MARKS)

"""Crossmodal-3600: `captions.jsonl`, one picture a line with captions in 36 languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexer.annotations.records import Annotations, clean_text, file_of, language_of, listing, skipping
from search.db.annotations import CaptionFact

_KEY = "image/key"


def is_xm3600(record: Any) -> bool:
    """Whether a parsed line has this layout."""
    return isinstance(record, Mapping) and _KEY in record and "file" not in record


def read_xm3600(record: Mapping[str, Any], where: str, found: Annotations) -> None:
    """Add one line: `image/key`, and per language `caption`, an array; pictures are named KEY.jpg.

    Args:
        record: the parsed line.
        where: its place, for messages.
        found: what to add to; a language that is wrong is left out, and the others stay.
    """
    picture = found.picture(f"{file_of(record, _KEY, where)}.jpg", None)
    for language, told in record.items():
        if not isinstance(told, Mapping) or "caption" not in told:
            continue
        with skipping(found, f"{where} {language}"):
            tag = language_of(language, f"{where} language")
            texts = [clean_text(one, f"{where} {language}") for one in listing(told["caption"], f"{where} {language}")]
            picture.captions += [CaptionFact(text, tag) for text in texts]

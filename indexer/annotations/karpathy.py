"""Karpathy's splits of COCO, Flickr30k and Flickr8k: `dataset_coco.json` and its like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexer.annotations.records import Annotations, clean_text, each, file_of, listing, mapping, shown, skipping
from search.db.annotations import CaptionFact
from search.errors import ImportFormatError


def is_karpathy(document: Any) -> bool:
    """Whether a parsed JSON document has this layout: pictures that carry their own sentences."""
    images = document.get("images") if isinstance(document, Mapping) else None
    return isinstance(images, list) and any(isinstance(one, Mapping) and "sentences" in one for one in images)


def read_karpathy(document: Mapping[str, Any], name: str, split: str | None = None) -> Annotations:
    """Read the captions of one split, or of all.

    Args:
        document: the parsed JSON object.
        name: the file's name, for messages.
        split: `train`, `restval`, `val` or `test`; None for all.

    Raises:
        ImportFormatError: no picture is of this split.
    """
    found = Annotations()
    splits: set[str] = set()
    for where, image in each(listing(document.get("images"), f"{name} images"), f"{name} images", found):
        with skipping(found, where):
            own = str(image.get("split"))
            splits.add(own)
            if split is not None and own != split:
                continue
            file = file_of(image, "filename", where)
            sentences = listing(image.get("sentences"), f"{where} sentences")
            captions = [
                CaptionFact(clean_text(mapping(one, where).get("raw"), f"{where} sentences[{number}] raw"))
                for number, one in enumerate(sentences)
            ]
            found.picture(file, None).captions += captions
    if split is not None and split not in splits:
        raise ImportFormatError(
            f"{name} has no split {shown(split)}", remedy=f"It has {', '.join(sorted(splits)) or 'no picture'}."
        )
    return found

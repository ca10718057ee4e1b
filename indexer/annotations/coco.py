"""COCO's own files: captions, instances, and grounding pairs (caption, phrase, span, box)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from indexer.annotations.records import (
    Annotations,
    box_from_xywh_px,
    clean_text,
    each,
    file_of,
    listing,
    shown,
    size_wh,
    skipping,
    span_of,
    whole,
)
from search.db.annotations import CaptionFact
from search.errors import ImportFormatError
from vision.types import Region


def read_coco(document: Mapping[str, Any], name: str) -> Annotations:
    """Read a captions or instances file (or both in one).

    Args:
        document: the parsed JSON object, with `images` and `annotations`.
        name: the file's name, for messages.

    Raises:
        ImportFormatError: `images` or `annotations` is not what COCO's format says.
    """
    found = Annotations()
    images: dict[int, tuple[str, tuple[int, int] | None]] = {}
    for where, image in each(listing(document.get("images"), f"{name} images"), f"{name} images", found):
        with skipping(found, where):
            image_id, described = _image(image, where)
            images[image_id] = described
    categories: dict[int, str] = {}
    for where, category in each(
        listing(document.get("categories", []), f"{name} categories"), f"{name} categories", found
    ):
        with skipping(found, where):
            categories[whole(category.get("id"), f"{where} id")] = clean_text(category.get("name"), f"{where} name")
    annotations = listing(document.get("annotations"), f"{name} annotations")
    for where, annotation in each(annotations, f"{name} annotations", found):
        with skipping(found, where):
            _annotation(found, annotation, images, categories, where)
    return found


def read_grounding(pairs: list[Any], name: str) -> Annotations:
    """Read grounding pairs: an array of objects with `file`, `caption`, `phrase`, `span`, `bbox`, `width`, `height`.

    Args:
        pairs: the parsed JSON array; boxes are COCO's x, y, width, height in pixels.
        name: the file's name, for messages.
    """
    found = Annotations()
    by_caption: dict[tuple[str, str], list[Region]] = {}
    for where, pair in each(pairs, name, found):
        with skipping(found, where):
            _pair(found, by_caption, pair, where)
    for (file, caption), regions in by_caption.items():
        found.picture(file, None).captions.append(CaptionFact(caption, regions=tuple(regions)))
    return found


def _image(image: Mapping[str, Any], where: str) -> tuple[int, tuple[str, tuple[int, int] | None]]:
    file = file_of(image, "file_name", where)
    return whole(image.get("id"), f"{where} id"), (file, size_wh(image, where))


def _annotation(
    found: Annotations,
    annotation: Mapping[str, Any],
    images: Mapping[int, tuple[str, tuple[int, int] | None]],
    categories: Mapping[int, str],
    where: str,
) -> None:
    image_id = whole(annotation.get("image_id"), f"{where} image_id")
    if image_id not in images:
        raise ImportFormatError(f"{where} names image {shown(image_id)}, which `images` does not list")
    file, resolution_wh = images[image_id]
    record = found.picture(file, resolution_wh)
    if "caption" in annotation:
        record.captions.append(CaptionFact(clean_text(annotation["caption"], f"{where} caption")))
        return
    if "bbox" not in annotation:
        raise ImportFormatError(f"{where} has neither a caption nor a bbox")
    category = whole(annotation.get("category_id"), f"{where} category_id")
    if category not in categories:
        raise ImportFormatError(f"{where} names category {shown(category)}, which `categories` does not list")
    box = box_from_xywh_px(annotation["bbox"], resolution_wh, f"{where} bbox")
    record.loose.append(Region(categories[category], box))


def _pair(
    found: Annotations,
    by_caption: dict[tuple[str, str], list[Region]],
    pair: Mapping[str, Any],
    where: str,
) -> None:
    file = file_of(pair, "file_name" if "file" not in pair else "file", where)
    resolution_wh = size_wh(pair, where)
    raw = pair.get("caption")
    caption = clean_text(raw, f"{where} caption")
    assert isinstance(raw, str)  # clean_text has checked it
    span = span_of(pair.get("span"), raw, f"{where} span")
    phrase = clean_text(pair.get("phrase"), f"{where} phrase")
    if caption[span.start : span.end] != phrase:
        raise ImportFormatError(
            f"{where} span covers {shown(caption[span.start : span.end])}, but the phrase is {shown(phrase)}"
        )
    box = box_from_xywh_px(pair.get("bbox"), resolution_wh, f"{where} bbox")
    found.picture(file, resolution_wh)
    by_caption.setdefault((file, caption), []).append(Region(phrase, box, span))

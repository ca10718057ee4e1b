"""ECCV Caption (Chun et al., 2022): COCO captions by their ids, and all pictures and captions that fit each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.annotations.karpathy import is_karpathy
from indexer.annotations.reading import read_document
from indexer.annotations.records import (
    Annotations,
    clean_text,
    each,
    file_of,
    listing,
    mapping,
    shown,
    skipping,
    whole,
)
from indexer.report import SkippedRecord
from search.errors import ImportFormatError

TO_IMAGES = "caption_to_image.json"
TO_CAPTIONS = "image_to_caption.json"


@dataclass(slots=True)
class NumberedCaptions:
    """Captions of pictures by the ids that COCO gave them.

    Attributes:
        files: file name by picture id.
        captions: picture id and text by caption id.
        skipped: records that are not what the layout says.
    """

    files: dict[int, str] = field(default_factory=dict)
    captions: dict[int, tuple[int, str]] = field(default_factory=dict)
    skipped: list[SkippedRecord] = field(default_factory=list)


@dataclass(slots=True)
class Positives:
    """Ids of everything that fits: pictures by caption id, captions by picture id."""

    images: dict[int, frozenset[int]] = field(default_factory=dict)
    captions: dict[int, frozenset[int]] = field(default_factory=dict)
    skipped: list[SkippedRecord] = field(default_factory=list)


def read_numbered(path: Path, split: str | None = None) -> NumberedCaptions:
    """Read the ids of a COCO captions file, or of one split of Karpathy's.

    Raises:
        ImportFormatError: it is neither.
    """
    document, found, notes = read_document(path), NumberedCaptions(), Annotations()
    if is_karpathy(document):
        for where, image in each(document["images"], f"{path.name} images", notes):
            with skipping(notes, where):
                if split in (None, image.get("split")):
                    _karpathy(found, image, where)
    else:
        records = mapping(document, path.name)
        for where, image in each(listing(records.get("images"), f"{path.name} images"), f"{path.name} images", notes):
            with skipping(notes, where):
                found.files[whole(image.get("id"), f"{where} id")] = file_of(image, "file_name", where)
        name = f"{path.name} annotations"
        for where, one in each(listing(records.get("annotations"), name), name, notes):
            with skipping(notes, where):
                image_id, text = whole(one.get("image_id"), where), clean_text(one.get("caption"), f"{where} caption")
                found.captions[whole(one.get("id"), f"{where} id")] = (image_id, text)
    if not found.captions:
        raise ImportFormatError(
            f"{path}: no caption in it has an id",
            remedy="--positives needs COCO's captions_val2014.json, or Karpathy's dataset_coco.json.",
        )
    found.skipped = notes.skipped
    return found


def read_positives(paths: Sequence[Path]) -> Positives:
    """Read `…caption_to_image.json` and `…image_to_caption.json`: an array of ids for each id.

    Raises:
        ImportFormatError: a file has another name or is no JSON object, or none of its entries can be read.
    """
    found, notes = Positives(), Annotations()
    for path in paths:
        if not path.name.endswith((TO_IMAGES, TO_CAPTIONS)):
            raise ImportFormatError(
                f"{path}: its name does not say what leads to what",
                remedy=f"Name it as ECCV Caption does: eccv_{TO_IMAGES} or eccv_{TO_CAPTIONS}.",
            )
        known = found.images if path.name.endswith(TO_IMAGES) else found.captions
        before = len(known)
        for key, ids in mapping(read_document(path), path.name).items():
            with skipping(notes, f"{path.name} {shown(key)}"):
                known[_id(key)] = frozenset(_id(one) for one in listing(ids, "the ids"))
        if len(known) == before:
            raise ImportFormatError(f"{path}: no id leads to others", remedy="Expected {id: [id, …], …}.")
    found.skipped = notes.skipped
    return found


def _karpathy(found: NumberedCaptions, image: Mapping[str, Any], where: str) -> None:
    image_id = whole(image.get("cocoid"), f"{where} cocoid")
    found.files[image_id] = file_of(image, "filename", where)
    for number, one in enumerate(listing(image.get("sentences"), f"{where} sentences")):
        place = f"{where} sentences[{number}]"
        sentence = mapping(one, place)
        caption_id = whole(sentence.get("sentid"), f"{place} sentid")
        found.captions[caption_id] = (image_id, clean_text(sentence.get("raw"), f"{place} raw"))


def _id(value: Any) -> int:
    """An id, which JSON's keys hold as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return whole(value, "an id")

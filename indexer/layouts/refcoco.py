"""RefCOCO, RefCOCO+ (Kazemzadeh et al., 2014; Yu et al., 2016), RefCOCOg (Mao et al., 2016): what boxes are called."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from indexer.annotations.parsing import parse_json
from indexer.annotations.reading import read_document, read_file
from indexer.annotations.records import (
    Annotations,
    box_from_xywh_px,
    clean_text,
    each,
    file_of,
    listing,
    mapping,
    shown,
    size_wh,
    skipping,
    whole,
)
from indexer.layouts.grounded import GroundedPhrase, GroundedSet, inside
from indexer.layouts.plain_pickle import read_plain_pickle
from search.errors import ImportFormatError
from vision.types import Box

TRAIN = "train"
_MOST = 2_000_000
"""Expressions that are read; the largest of the sets has 150 thousand."""


def read_refcoco(refs: Path, instances: Path, split: str | None = None) -> GroundedSet:
    """Read the expressions of one split, or of all but `train`.

    Args:
        refs: `refs(unc).p` and its like, or the same as JSON.
        instances: COCO instances, for the boxes.
        split: `val`, `testA`, `testB`, `test` or `train`.

    Raises:
        ImportFormatError: a file is not what its layout says, or holds no such expression.
    """
    found, notes = GroundedSet(), Annotations()
    records = listing(_document(refs), refs.name)
    drawn = _Instances(instances, notes)
    splits: set[str] = set()
    for where, ref in each(records, refs.name, notes):
        with skipping(notes, where):
            own = clean_text(ref.get("split"), f"{where} split")
            splits.add(own)
            if own == split or (split is None and own != TRAIN):
                _read_ref(found, notes, drawn, ref, where)
    if not found.phrases:
        first = f": {notes.skipped[0].where}: {notes.skipped[0].reason}" if notes.skipped else ""
        raise ImportFormatError(
            f"{refs}: no expression of this split{first}", remedy=f"It has {', '.join(sorted(splits)) or 'no split'}."
        )
    found.phrases.sort(key=lambda phrase: phrase.file)
    found.skipped = notes.skipped
    return found


class _Instances:
    """Pictures and boxes of a COCO instances file, by their ids."""

    def __init__(self, path: Path, notes: Annotations) -> None:
        document = mapping(read_document(path), path.name)
        self._images: dict[int, tuple[str, tuple[int, int]]] = {}
        self._boxes: dict[int, Mapping[str, Any]] = {}
        for where, image in each(listing(document.get("images"), f"{path.name} images"), f"{path.name} images", notes):
            with skipping(notes, where):
                size = size_wh(image, where)
                if size is None:
                    raise ImportFormatError(f"{where} does not say how large it is")
                file = inside(file_of(image, "file_name", where), where)
                self._images[whole(image.get("id"), f"{where} id")] = (file, size)
        name = f"{path.name} annotations"
        for where, one in each(listing(document.get("annotations"), name), name, notes):
            with skipping(notes, where):
                self._boxes[whole(one.get("id"), f"{where} id")] = one

    def of(self, ref: Mapping[str, Any], where: str) -> tuple[str, tuple[int, int], Box]:
        """File, size and box of what an expression means."""
        box_id = whole(ref.get("ann_id"), f"{where} ann_id")
        if box_id not in self._boxes:
            raise ImportFormatError(f"{where} names annotation {shown(box_id)}, which `annotations` does not list")
        drawn = self._boxes[box_id]
        image_id = whole(drawn.get("image_id"), f"annotation {box_id} image_id")
        if image_id not in self._images:
            raise ImportFormatError(f"{where} names image {shown(image_id)}, which `images` does not list")
        file, size = self._images[image_id]
        return file, size, box_from_xywh_px(drawn.get("bbox"), size, f"annotation {box_id} bbox")


def _read_ref(found: GroundedSet, notes: Annotations, drawn: _Instances, ref: Mapping[str, Any], where: str) -> None:
    file, size, box = drawn.of(ref, where)
    for place, sentence in each(listing(ref.get("sentences"), f"{where} sentences"), f"{where} sentences", notes):
        with skipping(notes, place):
            text = clean_text(sentence.get("sent"), f"{place} sent")
            if len(found.phrases) >= _MOST:
                raise ImportFormatError(f"beyond {_MOST} expressions")
            found.phrases.append(GroundedPhrase(place, str(ref["split"]), file, size, text, None, (box,)))


def _document(path: Path) -> Any:
    """JSON, or a pickle of plain values: both begin otherwise."""
    data = read_file(path)
    if data.lstrip()[:1] in (b"[", b"{"):
        try:
            return parse_json(data.decode("utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise ImportFormatError(f"{path}: not JSON: {error}", remedy="Convert the set's own file again.") from error
    try:
        return read_plain_pickle(data)
    except ImportFormatError as error:
        raise ImportFormatError(f"{path}: {error.args[0]}", remedy=error.remedy) from error

"""Phrases put to what can point: a captioner that writes boxes, or the patches of the search's encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from indexer.isolate import in_parts
from indexer.layouts.grounded import GroundedPhrase
from indexer.report import SkippedRecord
from search.evaluation.grounding import BoxAnswer, BoxFigures, box_figures
from search.patches.boxes import derived_boxes
from vision.boxing import box_from_heat
from vision.encoders.base import Encoder
from vision.grounding.base import Decoding, GroundedCaptioner
from vision.images import DecodeLimits, DecodeRequest, DecoderPool, Refused
from vision.localize import heat_maps, locating
from vision.looks import look_at_pictures
from vision.types import Box, RgbImage

_PICTURES = 8
"""Pictures whose phrases are asked together."""

_SHAPE_TOLERANCE = 0.02
"""Relative: boxes that were drawn on another shape belong to another picture."""

Shown: TypeAlias = tuple[RgbImage, GroundedPhrase]
Pointer: TypeAlias = Callable[[Sequence[Shown]], list[Box | None]]
"""Gives each phrase of a picture one box, or none."""


def by_captioner(captioner: GroundedCaptioner) -> Pointer:
    """The first box that a captioner writes: within the sentence where the phrase has one, else for the words alone."""
    decoding = Decoding(max_new_tokens=8)

    def point(asked: Sequence[Shown]) -> list[Box | None]:
        found: list[Box | None] = [None] * len(asked)
        for within in (True, False):
            chosen = [at for at, (_, one) in enumerate(asked) if (one.sentence is not None) is within]
            images = [asked[at][0] for at in chosen]
            phrases = [asked[at][1].phrase for at in chosen]
            if within:
                sentences = [asked[at][1].sentence or "" for at in chosen]
                told = captioner.ground(images, [[one] for one in phrases], sentences=sentences, decoding=decoding)
            else:
                told = captioner.refer(images, phrases, decoding=decoding)
            for at, regions in zip(chosen, told, strict=True):
                found[at] = regions[0].box if regions else None
        return found

    return point


def by_patches(encoder: Encoder) -> Pointer:
    """A box around the warm part of a phrase's heat map, of one look at the whole picture.

    Raises:
        NoHeatMapError: the encoder has no patches in the space of its texts.
    """

    def point(picture: RgbImage, phrases: Sequence[str]) -> list[Box | None]:
        maps = heat_maps(encoder, picture, phrases)
        return [box_from_heat(heat, maps.covers) for heat in maps.maps]

    return _by_picture(encoder, point)


def by_page(encoder: Encoder) -> Pointer:
    """The box that a hit gets where nobody drew one: from five looks, at the whole picture and at parts of it.

    Raises:
        NoHeatMapError: the encoder has no patches in the space of its texts.
    """

    def point(picture: RgbImage, phrases: Sequence[str]) -> list[Box | None]:
        (looks,) = look_at_pictures(encoder, [picture])
        cosines = looks.cosines(encoder.encode_text(phrases))
        return [derived_boxes([looks], [cosines[:, at]])[0] for at in range(len(phrases))]

    return _by_picture(encoder, point)


def _by_picture(encoder: Encoder, point: Callable[[RgbImage, Sequence[str]], list[Box | None]]) -> Pointer:
    """Look at each picture once, for all phrases that are asked of it."""
    locating(encoder)

    def of_all(asked: Sequence[Shown]) -> list[Box | None]:
        found: list[Box | None] = []
        for _, some in groupby(asked, key=lambda one: id(one[0])):
            shown = list(some)
            found += point(shown[0][0], [one.phrase for _, one in shown])
        return found

    return of_all


@dataclass(slots=True)
class Pointed:
    """Every answer with its split, and the pictures and phrases that could not be asked."""

    answers: list[tuple[str, BoxAnswer]] = field(default_factory=list)
    skipped: list[SkippedRecord] = field(default_factory=list)

    def figures(self) -> dict[str, BoxFigures]:
        """Of each split, in the order in which they first occur."""
        splits = dict.fromkeys(split for split, _ in self.answers)
        return {one: box_figures([answer for split, answer in self.answers if split == one]) for one in splits}


def point_at_all(
    phrases: Sequence[GroundedPhrase],
    pictures: Path,
    point: Pointer,
    limits: DecodeLimits,
    workers: int,
    report: Callable[[str], None],
) -> Pointed:
    """Ask for every phrase, some pictures at a time.

    Args:
        phrases: those of one picture stand together.
        pictures: the folder below which the files lie.
        limits: what one picture may cost.
        workers: processes that decode.
        report: receives how far it is.
    """
    found = Pointed()
    of_pictures = [(file, list(some)) for file, some in groupby(phrases, key=lambda one: one.file)]
    numbers = {file: number for number, (file, _) in enumerate(of_pictures)}
    requests = (DecodeRequest(path=str(pictures / file)) for file, _ in of_pictures)
    waiting: list[Shown] = []
    with DecoderPool(limits, workers) as pool:
        for number, answer in enumerate(pool.map(requests), start=1):
            file, asked = of_pictures[number - 1]
            if isinstance(answer, Refused) or answer.pixels is None:
                code, reason = (answer.code, answer.reason) if isinstance(answer, Refused) else ("empty", "no pixels")
                found.skipped.append(SkippedRecord(file, code, reason))
            else:
                waiting += _of_same_shape(answer.pixels, asked, found)
            if number % _PICTURES == 0 or number == len(of_pictures):
                _ask(found, waiting, point, numbers)
                waiting = []
                report(f"{number} of {len(of_pictures)} pictures, {len(found.answers)} phrases")
    return found


def _of_same_shape(image: RgbImage, asked: Sequence[GroundedPhrase], found: Pointed) -> list[Shown]:
    height, width = image.shape[:2]
    kept: list[Shown] = []
    for one in asked:
        drawn = one.size_wh[0] / one.size_wh[1]
        if abs(drawn - width / height) <= _SHAPE_TOLERANCE * drawn:
            kept.append((image, one))
            continue
        reason = f"its boxes were drawn on {one.size_wh[0]}×{one.size_wh[1]} px, the picture is {width}×{height} px"
        found.skipped.append(SkippedRecord(f"{one.file} {one.where}", "other_shape", reason))
    return kept


def _ask(found: Pointed, waiting: Sequence[Shown], point: Pointer, numbers: Mapping[str, int]) -> None:
    def work(some: Sequence[Shown]) -> None:
        boxes = point(some)
        found.answers += [
            (one.split, BoxAnswer(numbers[one.file], box, one.boxes)) for (_, one), box in zip(some, boxes, strict=True)
        ]

    def leave_out(one: Shown, code: str, reason: str) -> None:
        found.skipped.append(SkippedRecord(f"{one[1].file} {one[1].where}", "malformed", reason))

    in_parts(waiting, work, leave_out)

"""What every captioner does with a batch: looks at each picture once, and writes with beams or by sampling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor

from vision.batching import Batches
from vision.encoders.arrays import check_images
from vision.grounding.base import Decoding
from vision.grounding.beams import BeamPlan, write_with_beams
from vision.grounding.decoding import Row, Sampling, Written, write
from vision.grounding.roles import Grammar, RowReader, RowsInReading
from vision.types import RgbImage

_Result = TypeVar("_Result")
_Rows = TypeVar("_Rows", bound=RowsInReading)


def look_in_batches(
    batches: Batches,
    images: Sequence[RgbImage],
    see: Callable[[Sequence[RgbImage]], Tensor],
    work: Callable[[Tensor, Sequence[int], slice], Sequence[_Result]],
    *,
    bytes_per_input: int,
    turn: AbstractContextManager[object] | None = None,
) -> list[_Result]:
    """Look at pictures and call `work`, as many at once as fit into memory; results in order.

    Args:
        batches: how many that are.
        images: HWC uint8 RGB; an array that comes again within a batch is looked at once.
        see: makes latents `(pictures, image_tokens, width)` of pictures.
        work: called with latents, for each input the row of its latents, and the inputs' half-open slice.
        bytes_per_input: the estimate before anything is measured.
        turn: held during each batch, where batches share buffers.

    Raises:
        ModelError: an image is not HWC uint8 RGB, or a single one does not fit into memory.
    """
    check_images(images)
    # Pictures are told apart by their ids, which a stacked array's passing views would share.
    images = list(images)
    results: list[_Result] = []

    def run(part: slice) -> None:
        distinct: dict[int, int] = {}
        picture_of = [distinct.setdefault(id(image), len(distinct)) for image in images[part]]
        shown = [images[part][picture_of.index(number)] for number in range(len(distinct))]
        with torch.inference_mode(), turn or nullcontext():
            results.extend(work(see(shown), picture_of, part))

    batches.each(len(images), run, bytes_per_input=bytes_per_input)
    return results


def write_rows(
    reader: RowReader[_Rows], latents: Tensor, rows: Sequence[Row], *, grammar: Grammar | None, decoding: Decoding
) -> list[Written]:
    """Write every row as `decoding` says; beams follow the most probable, so rows with a seed are sampled instead."""
    if decoding.beams > 1 and all(row.seed is None for row in rows):
        plan = BeamPlan(decoding.beams, decoding.length_penalty)
        return write_with_beams(reader, latents, rows, grammar=grammar, plan=plan)
    sampling = Sampling(decoding.temperature, decoding.top_p)
    return write(reader, latents, rows, grammar=grammar, sampling=sampling)

"""The graph that embeds a picture's patches, beside the two towers of a folder in the hub's ONNX layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.batching import Batches
from vision.encoders.arrays import check_images, to_unit_length
from vision.encoders.base import EncoderFacts
from vision.errors import ModelError, NoHeatMapError
from vision.types import RgbImage

PATCH_GRAPH = "onnx/patch_model.onnx"
"""Ours alone: the hub's layout has no such graph. One in float32 serves every precision of the towers."""

PATCH_OUTPUT = "patch_embeds"
"""`(n, rows, columns, dim)` float32, not normalised, of `pixel_values`."""


class PatchTower(Protocol):
    """What is asked of an opened graph."""

    @property
    def outputs(self) -> Mapping[str, Sequence[int | None]]:
        """Name → axes, None for one of any length."""

    def run(self, output: str, inputs: Mapping[str, NDArray[np.generic]]) -> NDArray[np.floating]:
        """Compute one output."""


class PatchGraph:
    """Embeds patches; the graph is opened by the first who asks, for most encoders are never asked.

    It is no part of an encoder's identity: the vectors of pictures and texts are the same with and without it.

    Args:
        folder: the model folder.
        opener: loads a graph.
        batches: how many pictures are looked at together.
    """

    def __init__(self, folder: Path, opener: Callable[[Path], PatchTower], batches: Batches) -> None:
        self._path = folder / PATCH_GRAPH
        self._opener = opener
        self._batches = batches
        self._tower: PatchTower | None = None
        self._lock = Lock()

    @property
    def is_there(self) -> bool:
        """Whether the folder has the graph."""
        return self._path.is_file()

    def encode(self, images: Sequence[RgbImage], facts: EncoderFacts) -> NDArray[np.float32]:
        """Embed every patch of images of any size; see `LocatingEncoder`.

        Raises:
            NoHeatMapError: the folder has no such graph.
            ModelError: it cannot be loaded or run or has another shape, an image is not HWC uint8 RGB, or a patch is
                not finite.
        """
        check_images(images)
        tower = self._opened(facts)
        rows, columns = self._grid(tower, facts)
        patches = np.empty((len(images), rows, columns, facts.dim), dtype=np.float32)

        def embed(part: slice) -> None:
            prepared = np.stack([facts.preprocessing.prepare(image) for image in images[part]])
            raw = self._run(tower, facts.preprocessing.normalise(prepared))
            if raw.shape != (len(prepared), rows, columns, facts.dim):
                raise self._unfit(f"an array {raw.shape} came out")
            unit = to_unit_length(raw.reshape(-1, facts.dim), first=part.start * rows * columns, kind="patch")
            patches[part] = unit.reshape(-1, rows, columns, facts.dim)

        self._batches.each(len(images), embed)
        return patches

    def _opened(self, facts: EncoderFacts) -> PatchTower:
        with self._lock:
            if self._tower is None:
                if not self._path.is_file():
                    raise NoHeatMapError(
                        f"{facts.name} ({facts.backend}) has no {PATCH_GRAPH}, so it has no heat maps",
                        remedy="Write the model's graphs with `deixis export`, or use its folder with "
                        "model.safetensors.",
                    )
                self._tower = self._opener(self._path)
            return self._tower

    def _grid(self, tower: PatchTower, facts: EncoderFacts) -> tuple[int, int]:
        axes = tower.outputs.get(PATCH_OUTPUT)
        if axes is None or len(axes) != 4 or axes[3] != facts.dim or axes[1] is None or axes[2] is None:
            raise self._unfit(f"its outputs are {dict(tower.outputs)}")
        return axes[1], axes[2]

    def _run(self, tower: PatchTower, pixels: NDArray[np.float32]) -> NDArray[np.floating]:
        try:
            return tower.run(PATCH_OUTPUT, {"pixel_values": pixels})
        except Exception as error:  # the runtimes' exceptions share no base class below Exception
            raise self._unfit(
                str(error).strip().splitlines()[-1] if str(error).strip() else "no reason given"
            ) from error

    def _unfit(self, why: str) -> ModelError:
        return ModelError(
            f"{self._path}: expected pixel_values → {PATCH_OUTPUT} (n, rows, columns, dim): {why}",
            remedy="Write the model's graphs again with `deixis export`.",
        )

"""From an upright picture to the pixels a vision tower expects, bit for bit as its `preprocessor_config.json` says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vision.errors import ModelError
from vision.types import RgbImage

_SQUASHING_PROCESSORS = ("Siglip", "Siglip2", "ViT")

_MAX_RESIZED_PX = 50_000_000
"""Beyond this size a resized picture is not made whole when most of it would be cropped away."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Resize → centre crop → rescale → normalise, equal to transformers' Pillow processors in every bit.

    The geometry runs in uint8; the rescale in float64, rounded to float32; the rest in float32.

    Attributes:
        resize: `shortest_edge` and `within` keep the aspect ratio, `within` so that no side exceeds the edge and
            nothing is enlarged; `exact` squashes to `size_hw`, `none` leaves the size alone.
        size_hw: target of the resize in pixels; for `shortest_edge` and `within` both entries are the edge.
        resample: Pillow's filter number (3 is bicubic), antialiased as Pillow does it.
        crop_hw: centre crop in pixels after the resize; None for no crop. A smaller image is padded with black.
        rescale: factor from [0, 255] (1/255 for most models, 1 for those that read raw bytes).
        mean: per channel, subtracted after the rescale.
        std: per channel, divided by after the subtraction.
        long_edge: how the long side of a `shortest_edge` resize becomes whole pixels. transformers truncates; the
            scripts behind ONNX exports round. One pixel, yet it moved photo-tiny's R@1 on 515 queries by a point.
    """

    resize: Literal["shortest_edge", "exact", "within", "none"]
    size_hw: tuple[int, int]
    resample: int
    crop_hw: tuple[int, int] | None
    rescale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    long_edge: Literal["floor", "nearest"] = "floor"

    @property
    def output_hw(self) -> tuple[int, int]:
        """Height and width in pixels of what `prepare` returns; with `within`, what they are at most."""
        return self.crop_hw or self.size_hw

    def prepared_hw(self, height_px: int, width_px: int) -> tuple[int, int]:
        """Height and width of what `prepare` returns for an upright picture of this size."""
        if self.resize != "within" or self.crop_hw is not None:
            return self.output_hw
        width, height = self.resized_wh(width_px, height_px)
        return height, width

    def prepare(self, image: RgbImage) -> RgbImage:
        """Resize and crop one image.

        Args:
            image: HWC uint8, RGB, [0, 255], upright, at least 1×1.

        Returns:
            `(height, width, 3)` uint8 at `prepared_hw`.
        """
        return self.prepare_picture(Image.fromarray(image))

    def prepare_picture(
        self,
        picture: Image.Image,
        full_wh: tuple[int, int] | None = None,
        extent_wh: tuple[float, float] | None = None,
    ) -> RgbImage:
        """Do what `prepare` does to a Pillow picture in mode RGB, upright; saves two copies of all its pixels.

        Args:
            picture: the picture, or a reduced copy of it.
            full_wh: width and height of the whole picture, where `picture` is reduced: the geometry is the whole's.
            extent_wh: how much of `picture` the whole picture covers; all of it when None.
        """
        target_wh = self.resized_wh(*(full_wh or picture.size))
        if target_wh != picture.size:
            picture = self._resize(picture, target_wh, extent_wh or picture.size)
        if self.crop_hw is not None:
            picture = _centre_crop(picture, self.crop_hw)
        return np.array(picture, dtype=np.uint8)

    def view(self, resolution_wh: tuple[int, int]) -> tuple[float, float, float, float]:
        """Say which part of a picture `prepare` keeps.

        Args:
            resolution_wh: width and height in pixels of the upright picture.

        Returns:
            Left, top, right and bottom in sides of the picture: (0, 0, 1, 1) where nothing is cropped, and below 0 or
            above 1 where a small picture is padded.
        """
        if self.crop_hw is None:
            return 0.0, 0.0, 1.0, 1.0
        width, height = self.resized_wh(*resolution_wh)
        left, top = (width - self.crop_hw[1]) // 2, (height - self.crop_hw[0]) // 2
        return left / width, top / height, (left + self.crop_hw[1]) / width, (top + self.crop_hw[0]) / height

    def normalise(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn `(n, height, width, 3)` uint8 into `(n, 3, height, width)` float32, rescaled and normalised."""
        # A byte has 256 values, so all arithmetic fits into one table per channel.
        scaled = (np.arange(256, dtype=np.float64) * self.rescale).astype(np.float32)
        normalised = np.empty((pixels.shape[0], 3, *pixels.shape[1:3]), dtype=np.float32)
        for channel in range(3):
            table = (scaled - np.float32(self.mean[channel])) / np.float32(self.std[channel])
            normalised[:, channel] = table[pixels[..., channel]]
        return normalised

    def _resize(self, picture: Image.Image, target_wh: tuple[int, int], extent_wh: tuple[float, float]) -> Image.Image:
        """Resize; of a very long picture (a panorama, a hostile 1 × 40,000,000) only what the crop keeps."""
        resample = Image.Resampling(self.resample)
        if self.crop_hw is None or target_wh[0] * target_wh[1] <= _MAX_RESIZED_PX:
            return picture.resize(target_wh, resample=resample, box=(0, 0, *extent_wh))
        across = _kept_part(extent_wh[0], target_wh[0], self.crop_hw[1])
        down = _kept_part(extent_wh[1], target_wh[1], self.crop_hw[0])
        # Pillow keeps the box in float32: cut first, so that its numbers stay small and exact.
        part = picture.crop((across.start_px, down.start_px, across.end_px, down.end_px))
        box = (across.box_start, down.box_start, across.box_end, down.box_end)
        return part.resize((across.kept_px, down.kept_px), resample=resample, box=box)

    def resized_wh(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after the resize, before any crop, of a picture of the given size in pixels."""
        if self.resize == "none":
            return width, height
        if self.resize == "exact":
            return self.size_hw[1], self.size_hw[0]
        edge = self.size_hw[0]
        if self.resize == "within":
            factor = min(edge / max(width, height), 1.0)
            return max(round(width * factor), 1), max(round(height * factor), 1)
        whole = round if self.long_edge == "nearest" else int
        if width <= height:
            return edge, max(edge, whole(edge * height / width))
        return max(edge, whole(edge * width / height)), edge


def preprocessing_from_config(
    config: Mapping[str, Any], *, long_edge: Literal["floor", "nearest"] = "floor"
) -> Preprocessing:
    """Read a hub `preprocessor_config.json`.

    Args:
        config: the parsed file.
        long_edge: the backend's rounding, which the file does not tell.

    Returns:
        The same steps, explicit.

    Raises:
        ModelError: a size is missing or of a form that no image processor writes.
    """
    squashes = str(config.get("image_processor_type", "")).startswith(_SQUASHING_PROCESSORS)
    do_resize = bool(config.get("do_resize", True))
    do_crop = bool(config.get("do_center_crop", not squashes))
    rescale = float(config.get("rescale_factor", 1 / 255)) if config.get("do_rescale", True) else 1.0
    normalise = bool(config.get("do_normalize", True))
    crop_hw = _size_hw(config.get("crop_size"), "crop_size")[1] if do_crop else None
    kind: Literal["shortest_edge", "exact", "none"] = "none"
    size_hw = crop_hw or (0, 0)
    if do_resize:
        kind, size_hw = _size_hw(config.get("size"), "size")
    if kind == "none" and crop_hw is None:
        raise ModelError("preprocessor_config.json neither resizes nor crops: the input size is unknown")
    if kind == "shortest_edge" and crop_hw is None:
        raise ModelError("preprocessor_config.json keeps the aspect ratio without a crop: images would differ in size")
    return Preprocessing(
        resize=kind,
        size_hw=size_hw,
        resample=int(config.get("resample", 3)),
        crop_hw=crop_hw,
        rescale=rescale,
        mean=_triple(config["image_mean"]) if normalise else (0.0, 0.0, 0.0),
        std=_triple(config["image_std"]) if normalise else (1.0, 1.0, 1.0),
        long_edge=long_edge,
    )


def _size_hw(size: Any, field: str) -> tuple[Literal["shortest_edge", "exact"], tuple[int, int]]:
    if isinstance(size, int):
        return ("exact" if field == "crop_size" else "shortest_edge"), (size, size)
    if isinstance(size, Mapping):
        if "shortest_edge" in size:
            return "shortest_edge", (int(size["shortest_edge"]), int(size["shortest_edge"]))
        if "height" in size and "width" in size:
            return "exact", (int(size["height"]), int(size["width"]))
    raise ModelError(
        f"preprocessor_config.json: {field!r} is {size!r}",
        remedy="Expected an integer, {'shortest_edge': n} or {'height': h, 'width': w}.",
    )


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue


@dataclass(frozen=True, slots=True)
class _KeptPart:
    """Along one side: the source pixels to cut out, and within them the box that becomes `kept_px` pixels."""

    start_px: int
    end_px: int
    box_start: float
    box_end: float
    kept_px: int


def _kept_part(source_px: float, target_px: int, crop_px: int) -> _KeptPart:
    kept_px = min(target_px, crop_px)
    scale = source_px / target_px
    first = (target_px - kept_px) // 2 * scale
    last = min(first + kept_px * scale, source_px)
    reach = math.ceil(3 * max(scale, 1.0)) + 1  # the widest filter, Lanczos, looks three (scaled) pixels around
    start_px, end_px = max(0, math.floor(first) - reach), min(math.ceil(source_px), math.ceil(last) + reach)
    return _KeptPart(start_px, end_px, first - start_px, last - start_px, kept_px)


def _centre_crop(picture: Image.Image, crop_hw: tuple[int, int]) -> Image.Image:
    height, width = crop_hw
    top = (picture.height - height) // 2
    left = (picture.width - width) // 2
    # Pillow fills what lies outside with black, which is what the hub's processors do for small images.
    return picture.crop((left, top, left + width, top + height))

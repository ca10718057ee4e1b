"""A reader of two ONNX graphs, one that finds lines and one that spells them; before both a first look at little cost.

The detection graph takes `(1, 3, h, w)` float32 in [-1, 1], blue first, sides of 32 px, and gives `(1, 1, h, w)`
chances; the recognition graph `(n, 3, 48, w)` of the same kind, and gives `(n, t, characters)` chances.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vision.errors import ModelError
from vision.onnx_sessions import open_session
from vision.preprocessing import Preprocessing
from vision.readers.base import ReaderFacts, Reading, ReadLine
from vision.readers.lines import Corners, cut_line, find_lines
from vision.readers.opencv import opencv
from vision.readers.presets import MOST_PX
from vision.readers.spelling import readable, script_of, scripts_of, spell
from vision.types import Box, RgbImage

_VERSION = 1
"""Of everything here that decides what is read."""

_STEP_PX = 32
_LINE_PX = 48
_WIDEST_PX = 3200
_TOGETHER_PX = 4096
"""Height of a line as the recognition graph wants it, the widest that it is given, and the width of one batch."""

_NARROWEST_PX = 48
_ENLARGED_MOST = 4.0
_DOUBTED = 0.8
"""Below this confidence a line is read upside down as well, and what is surer is believed."""


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How closely a picture is looked at.

    Attributes:
        least_side_px: of the shorter side as the detection graph sees it: smaller pictures are enlarged.
        most_side_px: of the longer side; it wins.
        glance_side_px: longer side of the first look, where a line must be found for a second; 0 for none.
        believed: confidence from which on a line is kept.
    """

    least_side_px: int = 736
    most_side_px: int = 1600
    glance_side_px: int = 512
    believed: float = 0.6


class GraphReader:
    """Reads with a detection and a recognition graph.

    Args:
        detection: the `.onnx` file that finds lines.
        recognition: the `.onnx` file that spells them.
        alphabet: its characters in their order, without the blank and the space.
        name: as the user calls it.
        threads: cores per call.

    Raises:
        ModelError: a graph cannot be loaded, or does not fit the alphabet.
    """

    def __init__(
        self,
        detection: Path,
        recognition: Path,
        alphabet: Sequence[str] | None = None,
        *,
        name: str,
        threads: int = 1,
        options: ReadingOptions | None = None,
    ) -> None:
        self._options = options or ReadingOptions()
        remedy = "Bring the file again, or give another reader with --reader."
        self._detection = open_session(detection, threads, remedy=remedy)
        self._recognition = open_session(recognition, threads, remedy=remedy)
        self._alphabet = _whole_alphabet(self._recognition, recognition, alphabet)
        told = {"version": _VERSION, **asdict(self._options), "alphabet": self._alphabet}
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        for path in (detection, recognition):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        self._facts = ReaderFacts(name, digest.hexdigest(), _PREPROCESSING, scripts_of(self._alphabet))

    @property
    def facts(self) -> ReaderFacts:
        """Who it is and what it wants."""
        return self._facts

    def read(self, pictures: Sequence[RgbImage]) -> list[Reading]:
        """Read pictures one after the other: they differ in size.

        Raises:
            ModelError: a graph fails.
        """
        return [self._read(picture) for picture in pictures]

    def glance(self, picture: RgbImage) -> bool:
        """The first look alone: whether the picture may hold text."""
        height, width = picture.shape[:2]
        scale = min(self._options.glance_side_px / max(height, width), 1.0)
        return bool(find_lines(self._chances(picture, scale), width, height))

    def _read(self, picture: RgbImage) -> Reading:
        options = self._options
        if options.glance_side_px and not self.glance(picture):
            return Reading(glanced=True)
        height, width = picture.shape[:2]
        scale = min(max(options.least_side_px / min(height, width), 1.0), _ENLARGED_MOST)
        scale = min(scale, options.most_side_px / max(height, width))
        places = find_lines(self._chances(picture, scale), width, height)
        lines = [cut_line(picture, place.corners) for place in places]
        spelled = self._spell(lines)
        doubted = [number for number, (_, sure) in enumerate(spelled) if sure < _DOUBTED]
        turned = self._spell([np.ascontiguousarray(lines[number][::-1, ::-1]) for number in doubted])
        for number, other in zip(doubted, turned, strict=True):
            spelled[number] = max(spelled[number], other, key=lambda one: one[1])
        found = [
            _line(readable(text), sure, place.corners, width, height)
            for place, (text, sure) in zip(places, spelled, strict=True)
            if sure >= options.believed
        ]
        return Reading(tuple(line for line in found if line is not None))

    def _chances(self, picture: RgbImage, scale: float) -> NDArray[np.float32]:
        """`(h, w)`, how surely each pixel of the scaled picture is text."""
        height, width = (max(round(side * scale / _STEP_PX), 1) * _STEP_PX for side in picture.shape[:2])
        cv2 = opencv()
        filtering = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = cv2.resize(picture, (width, height), interpolation=filtering)
        found: NDArray[np.float32] = _run(self._detection, _normalised(scaled)[None])[0, 0]
        return found

    def _spell(self, lines: Sequence[RgbImage]) -> list[tuple[str, float]]:
        """Text and confidence of each line; lines of much the same width together."""
        widths = [_width(line) for line in lines]
        spelled = [("", 0.0)] * len(lines)
        batch: list[int] = []
        for number in sorted(range(len(lines)), key=lambda at: widths[at]):
            if batch and widths[number] * (len(batch) + 1) > max(_TOGETHER_PX, widths[number]):
                self._spell_batch(lines, widths, batch, spelled)
                batch = []
            batch.append(number)
        if batch:
            self._spell_batch(lines, widths, batch, spelled)
        return spelled

    def _spell_batch(
        self, lines: Sequence[RgbImage], widths: Sequence[int], batch: Sequence[int], into: list[tuple[str, float]]
    ) -> None:
        cv2 = opencv()
        pixels = np.zeros((len(batch), 3, _LINE_PX, max(widths[number] for number in batch)), np.float32)
        for row, number in enumerate(batch):
            level = cv2.resize(lines[number], (widths[number], _LINE_PX), interpolation=cv2.INTER_LINEAR)
            pixels[row, :, :, : widths[number]] = _normalised(level)
        strips = _run(self._recognition, pixels)
        for row, number in enumerate(batch):
            into[number] = spell(strips[row], self._alphabet)


_PREPROCESSING = Preprocessing(
    resize="within",
    size_hw=(MOST_PX, MOST_PX),
    resample=3,
    crop_hw=None,
    rescale=1.0,
    mean=(0.0, 0.0, 0.0),
    std=(1.0, 1.0, 1.0),
)


def _width(line: RgbImage) -> int:
    height, width = line.shape[:2]
    return int(np.clip(round(_LINE_PX * width / height), _NARROWEST_PX, _WIDEST_PX))


def _normalised(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """`(3, h, w)` float32 in [-1, 1], blue first."""
    return np.ascontiguousarray(pixels[..., ::-1].transpose(2, 0, 1), np.float32) / np.float32(127.5) - np.float32(1)


def _run(session: Any, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    try:
        found: NDArray[np.float32] = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    except Exception as error:  # onnxruntime's exceptions share no base class below Exception
        raise ModelError(f"the reader's graph fails on {pixels.shape}: {error}") from error
    return found


def _whole_alphabet(session: Any, path: Path, alphabet: Sequence[str] | None) -> tuple[str, ...]:
    """The blank, the characters that were given or that the graph carries, and the space."""
    carried = session.get_modelmeta().custom_metadata_map.get("character")
    if alphabet is None and carried is None:
        raise ModelError(
            f"{path} carries no alphabet, and there is none beside it",
            remedy="Put its dictionary, one character a line, into the same folder as dictionary.txt.",
        )
    whole = ("", *(carried.splitlines() if alphabet is None else alphabet), " ")
    columns = session.get_outputs()[0].shape[-1]
    if isinstance(columns, int) and columns != len(whole):
        raise ModelError(
            f"{path} tells {columns} characters apart, its dictionary has {len(whole)} with the blank and the space",
            remedy="Bring the dictionary that belongs to the graph.",
        )
    return whole


def _line(text: str, sure: float, corners: Corners, width: int, height: int) -> ReadLine | None:
    """A line on the picture; None where nothing of it is writing, or nothing of its box remains."""
    ends = np.clip(corners / np.array([width, height], np.float32), 0, 1).astype(float)
    (x0, y0), (x1, y1) = ends.min(axis=0), ends.max(axis=0)
    if not text or x1 <= x0 or y1 <= y0:
        return None
    around = tuple((float(x), float(y)) for x, y in ends)
    return ReadLine(text, Box(float(x0), float(y0), float(x1), float(y1)), around, round(sure, 4), script_of(text))

"""Readers that are known by a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderPreset:
    """A reader whose graphs an installed package carries.

    Attributes:
        package: that has them in a folder `models`; it is looked for and never imported.
        detection: pattern of the name of the graph that finds lines.
        recognition: pattern of the name of the graph that spells them.
        note: one line for people.
    """

    name: str
    package: str
    detection: str
    recognition: str
    licence: str
    note: str


READERS: Mapping[str, ReaderPreset] = {
    "rapidocr": ReaderPreset(
        name="rapidocr",
        package="rapidocr",
        detection="*_det_*.onnx",
        recognition="*_rec_*.onnx",
        licence="Apache-2.0",
        note="Latin letters, Chinese, Japanese, Greek, digits; in the extra ocr",
    )
}

DEFAULT_READER = "rapidocr"

MOST_PX = 2048
"""Of the longer side of a picture that is read: what is larger is decoded smaller."""

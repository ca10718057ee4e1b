"""OpenCV, which finds outlines and turns pictures: it comes with an extra, and is imported only where it is used."""

from __future__ import annotations

import importlib
from typing import Any

from vision.errors import ModelMissingError

EXTRA = "Install the extra: pip install 'deixis[ocr]'"


def opencv() -> Any:
    """The module.

    Raises:
        ModelMissingError: it is not installed.
    """
    try:
        return importlib.import_module("cv2")
    except ImportError as error:
        raise ModelMissingError("a reader needs OpenCV, which is not installed", remedy=EXTRA) from error

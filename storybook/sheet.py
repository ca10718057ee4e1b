"""`python -m storybook.sheet`: test scenes in one picture, with the captions and boxes of the captioner."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.errors import DeixisError
from vision.grounding.base import GroundedCaption
from vision.grounding.registry import load_captioner

_SIDE_PX = 240
_TEXT_PX = 50
_GAP_PX = 8
_COLUMNS = 8
_LETTERS = 40
# Okabe and Ito's colours, which every kind of colour vision tells apart.
_COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


def draw_sheet(pictures: Sequence[Image.Image], captions: Sequence[GroundedCaption]) -> Image.Image:
    """Pictures in reading order, eight a row, with the captions' boxes on them and their words below.

    Args:
        pictures: at least one, square.
        captions: one for each.
    """
    font = ImageFont.load_default(size=11)
    rows = -(-len(pictures) // _COLUMNS)
    across, down = _SIDE_PX + _GAP_PX, _SIDE_PX + _TEXT_PX + _GAP_PX
    sheet = Image.new("RGB", (_COLUMNS * across + _GAP_PX, rows * down + _GAP_PX), "white")
    pen = ImageDraw.Draw(sheet)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left, top = _GAP_PX + number % _COLUMNS * across, _GAP_PX + number // _COLUMNS * down
        sheet.paste(picture.resize((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS), (left, top))
        for place, region in enumerate(caption.regions):
            x0, y0, x1, y1 = (value * (_SIDE_PX - 1) for value in region.box.as_xyxy())
            corners = (left + x0, top + y0, left + x1, top + y1)
            pen.rectangle(corners, outline="black", width=4)
            pen.rectangle(corners, outline=_COLOURS[place % len(_COLOURS)], width=2)
        for line, words in enumerate(textwrap.wrap(caption.text, _LETTERS)[:3]):
            pen.text((left, top + _SIDE_PX + 3 + 15 * line), words, "black", font)
    return sheet


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the sheet of the shipped captioner; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m storybook.sheet", description=__doc__)
    parser.add_argument("out", type=Path, help="picture to write; the ending says in which format")
    parser.add_argument("--scenes", type=int, default=40, help="test scenes, from the first on")
    parser.add_argument("--captioner", default="storybook-captioner")
    read = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        captioner = load_captioner(read.captioner)
        pictures = [render(generate_scene(seed, "test", False), 512).image for seed in range(read.scenes)]
        captions = captioner.caption([np.asarray(picture) for picture in pictures])
    except DeixisError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    draw_sheet(pictures, captions).save(read.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())

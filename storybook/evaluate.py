"""`python -m storybook.evaluate encoder|captioner|looking`: measures built-in models on test scenes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from storybook.evaluate_captioner import evaluate_captioner
from storybook.evaluate_encoder import evaluate_encoder
from storybook.evaluate_looking import point_by_attention, point_by_patches
from vision.encoders.registry import load_encoder
from vision.errors import DeixisError
from vision.grounding.registry import load_captioner
from vision.grounding.seeing import SeeingCaptioner
from vision.whole_files import write_whole

_CAPTIONER = "storybook-captioner"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one evaluation; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m storybook.evaluate", description=__doc__)
    parser.add_argument("model", choices=("encoder", "captioner", "looking"))
    parser.add_argument(
        "--folder", help="the model's folder (default: the shipped one); `looking` measures both shipped ones"
    )
    parser.add_argument("--scenes", type=int, default=1000, help="test scenes")
    parser.add_argument("--threads", type=int, help="CPU cores (default: all that may be used)")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    read = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        figures = _measure(read.model, read.folder, scenes=read.scenes, threads=read.threads)
    except DeixisError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name, value in figures.items():
        sys.stdout.write(f"{name:28} {value:8.2f}\n")
    if read.json:
        write_whole(read.json, json.dumps(figures, indent=2) + "\n")
    return 0


def _measure(model: str, folder: str | None, *, scenes: int, threads: int | None) -> dict[str, float]:
    if model == "captioner":
        return evaluate_captioner(load_captioner(folder or _CAPTIONER, threads=threads), scenes=scenes)
    encoder = load_encoder(folder or "storybook-encoder", threads=threads)
    if model == "encoder":
        return evaluate_encoder(encoder, scenes=scenes, singles=scenes)
    captioner = load_captioner(_CAPTIONER, threads=threads)
    assert isinstance(captioner, SeeingCaptioner)
    by_patches = point_by_patches(encoder, scenes=scenes)
    by_attention = point_by_attention(captioner, scenes=scenes)
    return {f"patches_{name}": value for name, value in by_patches.items()} | {
        f"attention_{name}": value for name, value in by_attention.items()
    }


if __name__ == "__main__":
    sys.exit(main())

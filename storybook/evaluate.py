"""`python -m storybook.evaluate encoder|captioner`: measures a built-in model on test scenes, prints, writes JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from storybook.evaluate_captioner import evaluate_captioner
from storybook.evaluate_encoder import evaluate_encoder
from vision.encoders.registry import load_encoder
from vision.errors import DeixisError
from vision.grounding.registry import load_captioner


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one evaluation; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m storybook.evaluate", description=__doc__)
    parser.add_argument("model", choices=("encoder", "captioner"))
    parser.add_argument("--folder", help="the model's folder (default: the shipped one)")
    parser.add_argument("--scenes", type=int, default=1000, help="test scenes")
    parser.add_argument("--threads", type=int, help="CPU cores (default: all that may be used)")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    read = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        if read.model == "encoder":
            encoder = load_encoder(read.folder or "storybook-encoder", threads=read.threads)
            figures = evaluate_encoder(encoder, scenes=read.scenes, singles=read.scenes)
        else:
            captioner = load_captioner(read.folder or "storybook-captioner", threads=read.threads)
            figures = evaluate_captioner(captioner, scenes=read.scenes)
    except DeixisError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name, value in figures.items():
        sys.stdout.write(f"{name:28} {value:8.2f}\n")
    if read.json:
        read.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

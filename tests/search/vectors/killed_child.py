"""Append, commit and publish until killed; tells its parent on stdout after each step. Run by test_kills.py."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stock import Stock

from search.library import Library


def main(home: str, url: str, seed: int) -> None:
    """Fill the library with ever new pictures."""
    with Library.open(Path(home), url) as library, library.exclusive():
        library.vectors.segment_limit_bytes = 20_000  # So that a new segment is begun again and again.
        stock = Stock(library, dim=64)
        for round_ in range(10_000):
            stock.add_pictures(20, seed=seed * 10_000 + round_)
            _tell("appended")
            stock.add_captions([f"{seed} {round_} {n}" for n in range(3)], stock.images[-1], seed=round_)
            stock.publish()
            _tell("published")


def _tell(step: str) -> None:
    sys.stdout.write(step + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

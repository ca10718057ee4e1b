"""How well text is read and found: drawn pages, screens and signs whose words are known, and photographs.

    python -m benchmarks.reading [--pictures 60] [--seed 5000] [--photos FOLDER] [--peer]

For each kind of drawn picture: the share of words that were read where they stand, the share of words read that stand
there, how well the box of a line covers its words (IoU, axis-parallel), CPU seconds a picture. Words are compared as
`text:` compares them. Then the first look: how many pictures it sends on, what that costs and saves, and how many words
are lost by it. Then the search: every word that stands on one picture alone is asked for, as `text:WORD` and bare, and
the share of pictures that come first is printed. With `--photos`, signs are drawn on every second photograph of a
folder of JPEG files, and the others are read with and without the first look. With `--peer`, rapidocr's own pipeline
reads the same pictures with the same graphs.

The first look was chosen on pictures of the seeds 1000 to 1059; on photographs, docs/reading.md says how.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.hardware import cpu_seconds
from benchmarks.reading_pictures import KINDS, DrawnPicture, draw, fonts
from indexer.pipeline import IndexOptions, index_paths
from indexer.read import read_library
from search.db.spellings import read_words
from search.evaluation.ranking import Figure, mean_by, share
from search.library import Library
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.colour import ColourEncoder
from vision.geometry import iou_matrix
from vision.readers.base import Reader, ReadLine
from vision.readers.registry import load_reader

Box = tuple[float, float, float, float]
ReadOne = Callable[[NDArray[np.uint8]], list[tuple[str, Box]]]
SURE = 0.8
"""Confidence from which on a line of a photograph is taken to be one; nobody has written down what is on these."""


@dataclass(slots=True)
class Tally:
    """What came out for some pictures: per word or line with the number of its picture, and CPU seconds in all."""

    found: list[tuple[float, int]] = field(default_factory=list)
    true: list[tuple[float, int]] = field(default_factory=list)
    ious: list[tuple[float, int]] = field(default_factory=list)
    seconds: float = 0.0
    pictures: int = 0

    def row(self, name: str) -> str:
        """One line for people; intervals by resampling pictures, for the words of one are not independent."""
        figures = [
            mean_by([value for value, _ in some], [picture for _, picture in some])
            for some in (self.found, self.true, self.ious)
        ]
        cells = "".join(f"{one!s:>22}" for one in figures)
        return f"{name:<26}{cells}{self.seconds / max(self.pictures, 1):>9.3f}{self.pictures:>7}"


def compare(picture: DrawnPicture, lines: Sequence[tuple[str, Box]], tally: Tally) -> None:
    """Hold lines against the words that stand there: a word was read if a line around its middle has it."""
    left = [Counter(read_words(text)) for text, _ in lines]
    covered: list[list[Box]] = [[] for _ in lines]
    for word in picture.words:
        x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
        around = [n for n, (_, box) in enumerate(lines) if box[0] <= x <= box[2] and box[1] <= y <= box[3]]
        for number in around[:1]:
            covered[number].append(word.box)
        for part in read_words(word.text):
            holder = next((number for number in around if left[number][part]), None)
            tally.found.append((float(holder is not None), tally.pictures))
            if holder is not None:
                left[holder][part] -= 1
                tally.true.append((1.0, tally.pictures))
    tally.true += [(0.0, tally.pictures)] * sum(sum(one.values()) for one in left)
    for (_, box), words in zip(lines, covered, strict=True):
        if words:
            corners = np.array(words)
            whole = (*corners[:, :2].min(axis=0), *corners[:, 2:].max(axis=0))
            overlap = iou_matrix(np.array([box], float), np.array([whole], float))
            tally.ious.append((float(overlap[0, 0]), tally.pictures))


def measure(pictures: Sequence[DrawnPicture], read: ReadOne) -> Tally:
    """Read some pictures."""
    tally = Tally()
    for picture in pictures:
        started = cpu_seconds()
        lines = read(picture.pixels)
        tally.seconds += cpu_seconds() - started
        tally.pictures += 1
        compare(picture, lines, tally)
    return tally


def by(reader: Reader) -> ReadOne:
    """Read with one of ours."""
    return lambda pixels: [(line.text, line.box.as_xyxy()) for line in reader.read([pixels])[0].lines]


def peer() -> ReadOne:
    """Read with rapidocr's own pipeline, on one core as ours."""
    from rapidocr import RapidOCR  # noqa: PLC0415 (only where it is asked for)

    engine = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )

    def read(pixels: NDArray[np.uint8]) -> list[tuple[str, Box]]:
        found: Any = engine(pixels[..., ::-1])
        if found.boxes is None:
            return []
        size = np.array([pixels.shape[1], pixels.shape[0]])
        ends = [(*(box.min(axis=0) / size), *(box.max(axis=0) / size)) for box in np.asarray(found.boxes)]
        return list(zip(found.txts, ends, strict=True))

    return read


def searched(pictures: Sequence[DrawnPicture], reader: Reader) -> dict[str, Figure]:
    """Put pictures into a library, read them there, and ask for each word that stands on one of them alone."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "pictures").mkdir()
        for number, picture in enumerate(pictures):
            Image.fromarray(picture.pixels).save(place / "pictures" / f"p{number}.png")
        encoder = ColourEncoder()
        with Library.open(place / "home", create=True) as library:
            index_paths(library, encoder, [place / "pictures"], IndexOptions(decode_workers=1))
            read_library(library, encoder, reader)
            service = SearchService(library, encoder)
            held = [{part for word in one.words for part in read_words(word.text)} for one in pictures]
            often = Counter(part for words in held for part in words)
            asked = [(word, number) for number, words in enumerate(held) for word in sorted(words) if often[word] == 1]
            return {
                form: share([_is_first(service, f"{form}{word}", number) for word, number in asked])
                for form in ("text:", "")
            }


def _is_first(service: SearchService, query: str, number: int) -> bool:
    hits = service.search(SearchRequest(text=query, k=1)).hits
    return bool(hits) and Path(hits[0].path).stem == f"p{number}"


def photographs(paths: Sequence[Path], quick: Reader, thorough: Reader) -> None:
    """Print what the first look costs and saves on photographs, and what it misses of what a close look reads."""
    kept: list[bool] = []
    holding: list[bool] = []
    passed = seconds = whole_seconds = 0.0
    for path in paths:
        with Image.open(path) as opened:
            pixels = np.array(opened.convert("RGB"), np.uint8)
        started = cpu_seconds()
        (looked,) = quick.read([pixels])
        between = cpu_seconds()
        (whole,) = thorough.read([pixels])
        whole_seconds += cpu_seconds() - between
        seconds += between - started
        passed += not looked.glanced
        sure = [line for line in whole.lines if _is_sure(line)]
        kept += [not looked.glanced] * len(sure)
        holding += [not looked.glanced] if sure else []
    count = len(paths)
    print(f"\n{count} photographs: {passed:.0f} sent on by the first look")
    print(f"of those on which a close look reads something for sure, sent on: {share(holding)} %, n {len(holding)}")
    print(f"of the lines that a close look reads for sure, read: {share(kept)} %, n {len(kept)}")
    print(
        f"CPU-s a photograph: {seconds / count:.3f} with the first look, {whole_seconds / count:.3f} without: "
        f"{whole_seconds / seconds:.2f} times as fast"
    )


def _is_sure(line: ReadLine) -> bool:
    return line.confidence >= SURE and len(line.text) > 1


def main() -> None:
    """Measure and print."""
    options = _options()
    photos = sorted(options.photos.glob("*.jpg")) if options.photos else []
    grounds = []
    for path in photos[::2]:
        with Image.open(path) as opened:
            grounds.append(np.array(opened.convert("RGB"), np.uint8))
    faces = fonts()
    quick, thorough = load_reader("rapidocr"), load_reader("rapidocr", thorough=True)
    drawn = {
        kind: [one for n in range(options.pictures) if (one := draw(kind, options.seed + n, faces, grounds)).words]
        for kind in KINDS
    }
    print(f"{platform.processor() or platform.machine()}, one core; {len(faces)} fonts; reader {quick.facts.name}")
    print(f"{'':<26}{'words read %':>22}{'words true %':>22}{'IoU %':>22}{'CPU-s':>9}{'n':>7}")
    for kind, some in drawn.items():
        closely = measure(some, by(thorough))
        looked = measure(some, by(quick))
        print(closely.row(f"{kind}, every one closely"))
        print(looked.row(f"{kind}, first look first"))
        if options.peer:
            other = measure(some, peer())
            print(other.row(f"{kind}, rapidocr itself"))
            print(f"  {other.seconds / looked.seconds:.2f} times as fast as rapidocr's own pipeline")
    everything = [one for some in drawn.values() for one in some]
    for form, figure in searched(everything, quick).items():
        print(f"{form + 'WORD':<12} finds its picture first: {figure} %, n {figure.n}")
    if photos:
        photographs(photos[1::2], quick, thorough)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=60, help="of each kind")
    parser.add_argument("--seed", type=int, default=5000)
    parser.add_argument("--photos", type=Path, help="folder of JPEG photographs")
    parser.add_argument("--peer", action="store_true", help="also measure rapidocr's own pipeline")
    return parser.parse_args()


if __name__ == "__main__":
    main()

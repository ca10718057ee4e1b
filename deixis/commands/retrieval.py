"""`deixis eval retrieval`: measured quality on pictures whose captions are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from deixis import exit_codes
from deixis.context import library_encoder, open_library, read_settings
from deixis.figures import figure_table
from deixis.options import DatabaseUrl, Home, Json, LibraryModelName, Threads
from deixis.output import err, out, print_json
from deixis.retrieval_sets import both_directions, by_search, read_captions, true_or_false, with_positives
from indexer.report import SkippedRecord
from search.errors import SettingsError
from search.evaluation.fusion import HALVES, FusionFigures, Measured
from search.evaluation.retrieval import CUTOFFS, RetrievalFigures
from search.library import Library
from vision.encoders.base import Encoder

METHOD = (
    "Cosine of the encoder's own vectors, exact; captions and boxes in the library take no part. "
    "Ties count in the query's favour (rank = 1 + answers that score strictly higher); "
    "percentages are rounded to one decimal for display only, the JSON holds them unrounded."
)
FUSION_METHOD = (
    "The search itself, over all pictures of the library; the caption that asks is left out, and the phrases boxed in "
    f"it. Uncaptioned: nothing is written about the pictures asked for, {HALVES} random halves of those with captions. "
    "Picture alone: the cosine. Intervals are 95 %, bootstrap over pictures."
)
POSITIVES_METHOD = "All that fits is right (ECCV Caption). Intervals are 95 %: bootstrap, Wilson's for R@1."
PAIRS_METHOD = "The picture is nearer to the true caption than to the false one; chance is 50. 95 %, Wilson's."


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is read and asked."""

    captions: Path | None
    split: str | None
    language: str | None
    fusion: bool
    positives: Sequence[Path]
    pairs: Sequence[Path]


def retrieval(
    captions: Annotated[
        Path | None, typer.Option("--captions", help="COCO captions, Karpathy's splits, XM3600, or Deixis JSON lines.")
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help="Of Karpathy's splits: val, test, …")] = None,
    language: Annotated[str | None, typer.Option("--language", help="Only captions of this language.")] = None,
    fusion: Annotated[
        bool, typer.Option("--fusion", help="Ask the search, too: captions take part, but the one that asks.")
    ] = False,
    positives: Annotated[
        list[Path] | None,
        typer.Option("--positives", help="ECCV Caption's JSON files; --captions must be COCO's.", show_default=False),
    ] = None,
    pairs: Annotated[
        list[Path] | None,
        typer.Option("--pairs", help="SugarCrepe's JSON files; may be given again.", show_default=False),
    ] = None,
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: LibraryModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Text→image and image→text R@1, R@5, R@10 and median rank, with 95 % intervals.

    COCO 5k and Flickr30k 1k as papers report them: index the split's pictures, then --split test; XM3600: --language.
    --positives adds mAP@R, R-Precision and R@1 where several answers are right, --pairs the choice between a true
    caption and a false one, --fusion what the search makes of all that is written.

    Exit code 3 when captions were left out because their picture is not indexed: the figures are then of the rest.
    """
    if captions is None and (not pairs or fusion or positives):
        raise SettingsError(
            "there is nothing to ask", remedy="Give --captions FILE, or --pairs FILE for SugarCrepe alone."
        )
    settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
    wanted = _Wanted(captions, split, language, fusion, positives or (), pairs or ())
    with open_library(settings) as library:
        encoder = library_encoder(settings, library)
        found, skipped = _measure(library, encoder, wanted)
    if json:
        print_json(_document(found, encoder.facts.name, skipped))
    else:
        _print(found, encoder.facts.name)
        for record in skipped[:10]:
            err().print(f"  left out: {record.where}: {record.reason}")
        if skipped:
            err().print(f"{len(skipped)} records were left out; the figures are of the rest")
    return exit_codes.PARTIAL if skipped else exit_codes.OK


def _measure(library: Library, encoder: Encoder, wanted: _Wanted) -> tuple[dict[str, Any], list[SkippedRecord]]:
    """Every figure that was asked for, and what was left out, each record once."""
    found: dict[str, Any] = {}
    skipped: list[SkippedRecord] = []
    if wanted.captions is not None:
        read = read_captions(library, wanted.captions, wanted.split, wanted.language)
        found |= both_directions(library, encoder, read)
        if wanted.fusion:
            found["fusion"] = by_search(library, encoder, read, err().print)
        skipped += read.skipped
        if wanted.positives:
            found["positives"], missing = with_positives(
                library, encoder, wanted.captions, wanted.split, wanted.positives
            )
            skipped += missing
    if wanted.pairs:
        found["pairs"], missing = true_or_false(library, encoder, wanted.pairs)
        skipped += missing
    return found, list(dict.fromkeys(skipped))


def _document(found: dict[str, Any], model: str, skipped: list[SkippedRecord]) -> dict[str, Any]:
    methods = {"fusion": FUSION_METHOD, "positives": POSITIVES_METHOD, "pairs": PAIRS_METHOD}
    return {
        "model": model,
        "method": METHOD,
        "methods": {name: method for name, method in methods.items() if name in found},
        **{_plain(name): _plain_names(some) for name, some in found.items()},
        "left_out": [asdict(record) for record in skipped],
    }


def _plain_names(value: Any) -> Any:
    return {_plain(name): some for name, some in value.items()} if isinstance(value, dict) else value


def _plain(name: str) -> str:
    return name.replace("→", "_to_")


def _print(found: dict[str, Any], model: str) -> None:
    console = out()
    directions = {name: some for name, some in found.items() if isinstance(some, RetrievalFigures)}
    if directions:
        first = next(iter(directions.values()))
        console.print(f"{model}: {first.queries} captions, {first.answers} pictures")
        for direction, some in directions.items():
            console.print(f"{direction}  {_recalls(some)}, median rank {some.median_rank:g}")
        console.print(METHOD)
    if "positives" in found:
        rows = {
            f"{direction} {title}": [getattr(figures, name)]
            for direction, figures in found["positives"].items()
            for name, title in _POSITIVES.items()
        }
        console.print(f"\nAll that fits, %\n{figure_table(['%'], rows)}\n{POSITIVES_METHOD}")
    if "pairs" in found:
        table = figure_table(["%"], {name: [figure] for name, figure in found["pairs"].items()})
        console.print(f"\nThe true caption, %\n{table}\n{PAIRS_METHOD}")
    if "fusion" in found:
        _print_fusion(found["fusion"])


_POSITIVES = {"map_at_r": "mAP@R", "r_precision": "R-Precision", "hit_at_1": "R@1"}


def _recalls(some: RetrievalFigures) -> str:
    return ", ".join(
        f"R@{k} {value:.1f} [{some.intervals_at[k][0]:.1f}, {some.intervals_at[k][1]:.1f}]"
        for k, value in some.recall_at.items()
    )


def _print_fusion(measured: Measured) -> None:
    runs: dict[str, FusionFigures] = {"captioned": measured.captioned, "uncaptioned": measured.uncaptioned}
    for name, run in runs.items():
        rows = {f"R@{k}": [run.fused[k], run.alone[k], run.gain[k]] for k in CUTOFFS}
        table = figure_table(["search", "picture alone", "gain, points"], rows)
        out().print(f"\nPictures {name}, %\n{table}")
    out().print(f"{measured.held} of the captions are in the library, and were left out while they asked.")
    out().print(FUSION_METHOD)

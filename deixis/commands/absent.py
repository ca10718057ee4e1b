"""`deixis eval absent`: does the library know what it does not hold?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from deixis import exit_codes
from deixis.context import library_encoder, open_library, read_settings
from deixis.drawn_library import ScenePlan, drawn_library, scene_questions, scenes_to_draw
from deixis.drawn_options import DrawnCaptioner, DrawnFirst, DrawnLanguages, DrawnScenes, PerKind
from deixis.figures import figure_table
from deixis.options import DatabaseUrl, Home, Json, ModelName, Threads
from deixis.output import err, out, print_json
from indexer.annotations.naming import find_picture
from indexer.annotations.reading import read_annotations
from indexer.report import SkippedRecord
from search.evaluation.coco_categories import COCO_CATEGORIES
from search.evaluation.presence import presence_questions
from search.evaluation.questions import LineFigures, ask, by_kind, line_figures
from search.library import Library
from search.service import SearchService
from search.settings import Settings
from storybook.unknown import NONSENSE

METHOD = (
    "AUC: a question that something answers against one that nothing answers, by the likelihood of the best hit. "
    "Said absent: nothing was called likely, which is right for what is absent and wrong (lost) for what is there. "
    "Boxed in vain: wrong hits of the first page that show a box. Intervals are 95 %, bootstrap for AUC, else Wilson's."
)


def absent(
    instances: Annotated[
        Path | None,
        typer.Option("--instances", help="COCO instances of indexed pictures: ask your library instead of scenes."),
    ] = None,
    scenes: DrawnScenes = 500,
    first: DrawnFirst = 0,
    language: DrawnLanguages = None,
    per_kind: PerKind = 60,
    captioner: DrawnCaptioner = "storybook-captioner",
    home: Home = None,
    database_url: DatabaseUrl = None,
    model: ModelName = None,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Ask for what is there, what is not, things from outside its world and words that mean nothing.

    With --instances, the kinds of COCO that no box shows and no text names are what is absent, and exit code 3 says
    that kinds or records were left out.
    """
    if instances is None:
        settings = read_settings(model=model or "storybook-encoder", threads=threads)
        plan = ScenePlan(first, scenes, tuple(language or ("en",)), per_kind)
        runs = _scenes(settings, plan, captioner)
        left_out: list[str] = []
    else:
        settings = read_settings(home=home, database_url=database_url, model=model, threads=threads)
        runs, left_out = _own(settings, instances)
    if json:
        print_json({"method": METHOD, "runs": runs, "left_out": left_out})
    else:
        _print(runs)
        for line in left_out[:10]:
            err().print(f"  left out: {line}")
        if left_out:
            err().print(f"{len(left_out)} kinds or records were left out")
    return exit_codes.PARTIAL if left_out else exit_codes.OK


def _scenes(settings: Settings, plan: ScenePlan, captioner: str) -> dict[str, Any]:
    runs = {}
    with drawn_library(settings, scenes_to_draw(plan)) as drawn:
        questions = scene_questions(plan, drawn.images)
        runs["no captions"] = line_figures(ask(drawn.service, questions))
        drawn.caption(captioner)
        runs["captions"] = line_figures(ask(drawn.service, questions))
    return runs


def _own(settings: Settings, instances: Path) -> tuple[dict[str, Any], list[str]]:
    annotations = read_annotations(instances)
    left_out = [f"{record.where}: {record.reason}" for record in annotations.skipped]
    with open_library(settings) as library:
        shown, missing = _shown(library, annotations.pictures.values())
        with library.read() as session:
            asked = presence_questions(session, shown, NONSENSE["en"])
        service = SearchService(library, library_encoder(settings, library))
        answers = ask(service, asked.questions)
    left_out += [f"{record.where}: {record.reason}" for record in missing]
    left_out += [f"{kind}: no box shows it, but a text names it" for kind in asked.left_out]
    return {"this library": line_figures(answers), "kinds": by_kind(answers)}, left_out


def _shown(library: Library, records: Any) -> tuple[dict[str, frozenset[int]], list[SkippedRecord]]:
    shown: dict[str, set[int]] = {kind: set() for kind in COCO_CATEGORIES}
    missing = []
    with library.read() as session:
        for record in records:
            target = find_picture(session, record.file)
            if isinstance(target, SkippedRecord):
                missing.append(SkippedRecord(record.file, target.code, target.reason))
                continue
            for region in record.loose:
                shown.setdefault(region.phrase, set()).add(target.image_id)
    return {kind: frozenset(images) for kind, images in shown.items()}, missing


def _print(runs: dict[str, Any]) -> None:
    lines: dict[str, LineFigures] = {name: run for name, run in runs.items() if isinstance(run, LineFigures)}
    columns: Sequence[str] = list(lines)
    kinds = list(dict.fromkeys(kind for run in lines.values() for kind in run.auc))
    for title, name in (("AUC of the decision, %", "auc"), ("Said absent, %", "said_absent")):
        rows = {kind: [getattr(run, name)[kind] for run in lines.values()] for kind in kinds}
        out().print(f"{title}\n{figure_table(columns, rows)}\n")
    rows = {
        "lost though there": [run.lost for run in lines.values()],
        "wrong hits boxed in vain": [run.wrong_boxed for run in lines.values()],
    }
    out().print(f"{figure_table(columns, rows)}\n\n{METHOD}")

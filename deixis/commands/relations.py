"""`deixis eval relations`: are the things in the relation, number and colour that the words say?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deixis import exit_codes
from deixis.context import read_settings
from deixis.drawn_library import DrawnLibrary, ScenePlan, drawn_library, scene_questions, scenes_to_draw, twins_to_draw
from deixis.drawn_library import twin_pairs as pairs_of
from deixis.drawn_options import DrawnCaptioner, DrawnFirst, DrawnLanguages, DrawnModel, DrawnScenes, Patches, PerKind
from deixis.figures import figure_table
from deixis.options import Json, Threads
from deixis.output import out, print_json
from search.evaluation.questions import ask, boxes_all, by_kind, right_one_first
from search.settings import Settings
from storybook.twins import TWIN_KINDS
from vision.looks import WITH_PARTS

METHOD = (
    "Drawn test scenes with exact truth; a query that scenes answer is answered by at most a tenth of them, and some "
    "scene shows the same things otherwise. Cosine: the whole sentence's own vector, exact. Twins: of a picture and "
    "its changed copy (colours swapped, mirrored), the one of which the text is true comes first; chance is 50. "
    "Intervals are 95 %, Wilson's."
)
RUNS = ("cosine", "no captions", "captions")
WITH_PATCHES = ("cosine", "no captions", "with patches", "captions", "both")


def relations(
    scenes: DrawnScenes = 500,
    first: DrawnFirst = 0,
    language: DrawnLanguages = None,
    per_kind: PerKind = 60,
    model: DrawnModel = "storybook-encoder",
    captioner: DrawnCaptioner = "storybook-captioner",
    patches: Patches = False,
    threads: Threads = None,
    json: Json = False,
) -> int:
    """Relations, counts, bound colours, negation and combinations on drawn scenes, with and without captions.

    Draws the scenes, indexes them into a temporary library, asks, captions them, and asks again. The same for pairs
    of a picture and its changed copy.
    """
    settings = read_settings(model=model, threads=threads)
    plan = ScenePlan(first, scenes, tuple(language or ("en",)), per_kind)
    runs = _measure(settings, plan, captioner, patches=patches)
    if json:
        print_json({"method": METHOD, "plan": plan, "runs": runs})
    else:
        _print(runs)
    return exit_codes.OK


def _measure(settings: Settings, plan: ScenePlan, captioner: str, *, patches: bool) -> dict[str, dict[str, Any]]:
    """Every run: the bare cosine, the engine without captions, the engine with them; with patches kept and without."""
    runs: dict[str, dict[str, Any]] = {name: {} for name in (WITH_PATCHES if patches else RUNS)}

    def scenes(drawn: DrawnLibrary, annotations: bool) -> dict[str, Any]:
        answers = ask(drawn.service, scene_questions(plan, drawn.images), annotations=annotations)
        return {"kinds": by_kind(answers), "boxes_all": boxes_all(answers)}

    changed, twins = twins_to_draw(plan)

    def pairs(drawn: DrawnLibrary, annotations: bool) -> dict[str, Any]:
        return {
            "twins": {
                kind: right_one_first(drawn.service, pairs_of(twins, kind, drawn.images), annotations=annotations)
                for kind in TWIN_KINDS
            }
        }

    measured: tuple[tuple[Any, Callable[[DrawnLibrary, bool], dict[str, Any]]], ...] = (
        (scenes_to_draw(plan), scenes),
        (changed, pairs),
    )
    for draw, measure in measured:
        with drawn_library(settings, draw) as drawn:
            runs["cosine"] |= measure(drawn, False)
            runs["no captions"] |= measure(drawn, True)
            if patches:
                drawn.keep_patches(WITH_PARTS)
                runs["with patches"] |= measure(drawn, True)
                drawn.keep_patches(0)
            drawn.caption(captioner)
            runs["captions"] |= measure(drawn, True)
            if patches:
                drawn.keep_patches(WITH_PARTS)
                runs["both"] |= measure(drawn, True)
    return runs


def _print(runs: dict[str, dict[str, Any]]) -> None:
    kinds = list(runs["captions"]["kinds"])
    for name, title in (("hit_at_1", "Hit@1, %"), ("recall_at_5", "R@5, %")):
        rows = {kind: [getattr(run["kinds"][kind], name) for run in runs.values()] for kind in kinds}
        out().print(f"{title}\n{figure_table(list(runs), rows)}\n")
    rows = {kind: [run["twins"][kind] for run in runs.values()] for kind in TWIN_KINDS}
    out().print(f"The right twin first, %\n{figure_table(list(runs), rows)}\n")
    rows = {"right first hits": [run["boxes_all"] for run in runs.values()]}
    out().print(f"A box on every thing that is named, %\n{figure_table(list(runs), rows)}\n\n{METHOD}")

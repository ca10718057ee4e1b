"""`deixis demo`: the built-in world drawn, indexed, captioned, searched and served, with nothing to download."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from platformdirs import user_cache_path

from deixis import exit_codes
from deixis.context import decode_limits, encoder_for, open_library, read_settings
from deixis.output import err, out, printable
from deixis.probe import probe as probe_pages
from deixis.progress import progress_bar
from indexer.caption import CaptionOptions, caption_library
from indexer.pipeline import IndexOptions, index_paths
from indexer.report import Progress
from search.errors import SettingsError
from search.results import SearchRequest
from search.service import SearchService
from search.settings import Settings
from storybook.drawing import render
from storybook.export import GalleryPlan, export_gallery
from storybook.language import captions
from storybook.questions import questions
from storybook.scenes import generate_scene
from storybook.world import Scene
from vision.grounding.base import GroundedCaptioner
from vision.grounding.registry import load_captioner
from vision.whole_files import write_whole

MODEL = "storybook-encoder"
CAPTIONER = "storybook-captioner"

# The built-in models are small: a second thread waits more than it computes, above all where another program runs (48
# captions on two cores, one of them busy: 2.5 s with one thread, 24 s with two).
_THREADS = 1
_PLAN = "plan.json"
_MARK = ".deixis-demo"
_QUERIES = 3
_QUESTIONS = 4
_GLANCE_PX = 128
_ASKED_PX = 512


def demo(
    count: Annotated[int, typer.Option("--count", min=1, max=10_000, help="Pictures to draw.")] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Where in the storybook to begin.")] = 0,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where pictures and library go.", show_default="the cache folder")
    ] = None,
    model: Annotated[str, typer.Option("--model", help="Encoder to use instead of the built-in one.")] = MODEL,
    host: Annotated[str | None, typer.Option("--host", help="Address to bind (DEIXIS_HOST).")] = None,
    port: Annotated[int | None, typer.Option("--port", help="TCP port (DEIXIS_PORT).")] = None,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the page at the end.")] = True,
    probe: Annotated[
        bool, typer.Option("--probe", help="Serve, ask a page of each kind, and stop; exit code 1 if one fails.")
    ] = False,
) -> int:
    """Draw a gallery, index and caption it, search it, ask about it, and serve the page. Needs no network."""
    place = (folder or user_cache_path("deixis", appauthor=False) / "demo").expanduser().absolute()
    settings = read_settings(
        home=place / "library", model=model, captioner=CAPTIONER, threads=_THREADS, host=host, port=port
    )
    plan = GalleryPlan(count=count, seed=seed, languages=("en",), workers=settings.decoders)
    gallery = _draw(place / "gallery", plan)
    _index(settings, gallery, plan)
    if probe:
        probe_pages(settings.home, "a tree", out().print, model=model, captioner=CAPTIONER)
    elif serve:
        from web.server import serve as run_server  # noqa: PLC0415  # costs every other command a third of a second

        run_server(settings, on_listening=_announce)
    return exit_codes.OK


def _announce(address: str) -> None:
    err().print(f"\nOpen {address} (Ctrl-C stops it)")


def _draw(gallery: Path, plan: GalleryPlan) -> Path:
    """Draw the pictures unless exactly these are there already."""
    written = gallery / _PLAN
    wanted = json.dumps(asdict(plan) | {"workers": None})
    if written.is_file() and written.read_text() == wanted:
        out().print(f"{plan.count} pictures are drawn already in {gallery}")
        return gallery
    _claim(gallery)
    written.unlink(missing_ok=True)
    for old in gallery.glob("scene-*.png"):
        old.unlink()
    with progress_bar(quiet=False) as on_progress:
        export_gallery(gallery, plan, progress=lambda done: on_progress(Progress("drawing", done, plan.count)))
    write_whole(written, wanted)
    out().print(f"{plan.count} pictures drawn in {gallery}")
    return gallery


def _claim(gallery: Path) -> None:
    """Make the folder ours, or refuse it: old drawings are deleted there, and nobody's pictures may be among them.

    Raises:
        SettingsError: it holds something that no earlier demo has put there.
    """
    gallery.mkdir(parents=True, exist_ok=True)
    mark = gallery / _MARK
    if not mark.exists() and any(gallery.iterdir()):
        raise SettingsError(
            f"{gallery} holds files that are not the demo's", remedy="Choose another place with --folder."
        )
    mark.touch()


def _index(settings: Settings, gallery: Path, plan: GalleryPlan) -> None:
    limits = decode_limits(settings)
    options = IndexOptions(decode_workers=settings.decoders, limits=limits, prune=True, replace_model=True)
    captioner = load_captioner(CAPTIONER, threads=settings.compute_threads)
    with open_library(settings, create=True) as library:
        encoder = encoder_for(settings, library, afresh=True)
        with progress_bar(quiet=False) as on_progress:
            indexed = index_paths(library, encoder, [gallery], options, on_progress)
            written = caption_library(
                library,
                encoder,
                captioner,
                CaptionOptions(decode_workers=settings.decoders, limits=limits),
                on_progress,
            )
        out().print(
            f"{indexed.embedded} pictures embedded in {indexed.elapsed_s:.1f} s, {indexed.unchanged} unchanged; "
            f"{written.captioned} captioned in {written.elapsed_s:.1f} s, {written.regions} boxes"
        )
        service = SearchService(library, encoder)
        scenes = _simple_scenes(plan)
        for scene, language in zip(scenes, ("en", "de", "en"), strict=False):
            _show(service, captions(scene, render(scene, _GLANCE_PX), language, seed=0)[0].text)
        if scenes:
            _ask(captioner, scenes[0])


def _simple_scenes(plan: GalleryPlan) -> list[Scene]:
    """A few scenes of the gallery with two things each: what is to be seen on them is quickly said."""
    scenes = (generate_scene(plan.seed + number, plan.split) for number in range(plan.count))
    simple = [scene for scene in scenes if len(scene.things) == 2]
    return simple[:: max(1, len(simple) // _QUERIES)][:_QUERIES]


def _ask(captioner: GroundedCaptioner, scene: Scene) -> None:
    """Ask one question of each kind about a picture, and print the captioner's answers."""
    drawn = render(scene, _ASKED_PX)
    of_a_kind = {question.kind: question.text for question in questions(scene, drawn, "en", seed=0)}
    asked = list(of_a_kind.values())[:_QUESTIONS]
    answers = captioner.ask([np.asarray(drawn.image)] * len(asked), asked)
    out().print("\nAsked about the first of these pictures:")
    for question, answer in zip(asked, answers, strict=True):
        out().print(f"  {question} {answer.text}")


def _show(service: SearchService, query: str) -> None:
    # By the pictures alone: the captions are in the library, and finding them again would prove little.
    result = service.search(SearchRequest(text=query, k=3, annotations=False))
    out().print(f"\n“{query}”  ({result.took_ms:.0f} ms)")
    for hit in result.hits:
        detail = service.image(hit.image_id)
        said = detail.captions[0].text if detail.captions else ""
        out().print(f"  {hit.rank}. {hit.score:.3f}  {Path(printable(hit.path)).name}  {said}")

"""`deixis demo`: the built-in world drawn, indexed, searched and served, with nothing to download."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from platformdirs import user_cache_path

from deixis.context import decode_limits, encoder_for, open_library, read_settings
from deixis.output import err, out, printable, progress_bar
from indexer.importers import import_annotations
from indexer.pipeline import IndexOptions, index_paths
from indexer.report import Progress
from search.errors import SettingsError
from search.results import SearchRequest
from search.service import SearchService
from search.settings import Settings
from storybook.drawing import render
from storybook.export import ANNOTATIONS, GalleryPlan, export_gallery
from storybook.language import captions
from storybook.scenes import generate_scene

MODEL = "storybook-encoder"

_PLAN = "plan.json"
_MARK = ".deixis-demo"
_QUERIES = 3
_GLANCE_PX = 128


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
) -> int:
    """Draw a gallery, index it with captions and boxes, search it, and serve the page. Needs no network."""
    place = (folder or user_cache_path("deixis", appauthor=False) / "demo").expanduser().absolute()
    settings = read_settings(home=place / "library", model=model, host=host, port=port)
    plan = GalleryPlan(count=count, seed=seed, languages=("en",), workers=settings.decoders)
    gallery = _draw(place / "gallery", plan)
    _index(settings, gallery, plan)
    if serve:
        from web.server import serve as run_server  # noqa: PLC0415  # costs every other command a third of a second

        run_server(settings, on_listening=_announce)
    return 0


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
    written.write_text(wanted)
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
    options = IndexOptions(
        decode_workers=settings.decoders, limits=decode_limits(settings), prune=True, replace_model=True
    )
    with open_library(settings, create=True) as library:
        encoder = encoder_for(settings, library)
        with progress_bar(quiet=False) as on_progress:
            indexed = index_paths(library, encoder, [gallery], options, on_progress)
            imported = import_annotations(library, encoder, [gallery / ANNOTATIONS], on_progress)
        rate = indexed.embedded / indexed.elapsed_s
        out().print(
            f"{indexed.embedded} pictures embedded in {indexed.elapsed_s:.1f} s ({rate:.0f}/s), "
            f"{indexed.unchanged} unchanged"
        )
        out().print(f"{imported.captions} captions and {imported.regions} boxes imported")
        service = SearchService(library, encoder)
        for query in _queries(plan):
            _show(service, query)


def _queries(plan: GalleryPlan) -> list[str]:
    """What is to be seen on a few pictures of two things each, the second time said in German."""
    scenes = (generate_scene(plan.seed + number, plan.split) for number in range(plan.count))
    simple = [scene for scene in scenes if len(scene.things) == 2]
    picked = simple[:: max(1, len(simple) // _QUERIES)][:_QUERIES]
    languages = ("en", "de", "en")
    return [
        captions(scene, render(scene, _GLANCE_PX), language, seed=0)[0].text
        for scene, language in zip(picked, languages, strict=False)
    ]


def _show(service: SearchService, query: str) -> None:
    # By the pictures alone: the captions are in the library, and finding them again would prove little.
    result = service.search(SearchRequest(text=query, k=3, annotations=False))
    out().print(f"\n“{query}”  ({result.took_ms:.0f} ms)")
    for hit in result.hits:
        detail = service.image(hit.image_id)
        said = detail.captions[0].text if detail.captions else ""
        out().print(f"  {hit.rank}. {hit.score:.3f}  {Path(printable(hit.path)).name}  {said}")

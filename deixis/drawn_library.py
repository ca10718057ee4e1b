"""A library of drawn test scenes in a temporary folder, made by the real index and caption passes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from deixis.context import decode_limits, encoder_for
from deixis.output import err
from indexer.caption import CaptionOptions, caption_library
from indexer.pipeline import IndexOptions, index_paths
from search.db.schema import File
from search.evaluation.questions import Question, Things
from search.library import Library
from search.service import SearchService
from search.settings import Settings
from storybook.asking import SceneQuery, scene_queries
from storybook.drawing import render
from storybook.scenes import generate_scene
from storybook.twins import Twin, draw_rival, twins
from vision.encoders.base import Encoder
from vision.grounding.registry import load_captioner

DRAWN_PX = 384
CAPTIONER = "storybook-captioner"
_PAIRS = 120
"""Scenes of which a changed picture is drawn, for the question which of the two comes first."""


@dataclass(frozen=True, slots=True)
class ScenePlan:
    """Which scenes are drawn, and what is asked about them.

    Attributes:
        first: seed of the first test scene; the others follow.
        count: scenes.
        languages: of the queries; each asks for the same facts.
        per_kind: at most so many facts of each kind are asked for.
    """

    first: int
    count: int
    languages: Sequence[str] = ("en",)
    per_kind: int = 60

    @property
    def seeds(self) -> range:
        """Of all scenes."""
        return range(self.first, self.first + self.count)


@dataclass(frozen=True, slots=True)
class DrawnLibrary:
    """A library of drawn pictures.

    Attributes:
        images: picture id by the name of its file, without the ending.
    """

    library: Library
    encoder: Encoder
    settings: Settings
    images: dict[str, int]

    @property
    def service(self) -> SearchService:
        """Answers queries over it; a new one, so that nothing of an earlier state is remembered."""
        return SearchService(self.library, self.encoder)

    def keep_patches(self, looks: int) -> None:
        """Keep the patches of so many looks at every picture, as `deixis index --patches` does; 0 for none."""
        options = IndexOptions(decode_workers=self.settings.decoders, limits=decode_limits(self.settings), looks=looks)
        report = index_paths(self.library, self.encoder, [], options)
        if report.patches is not None:
            kept = report.patches
            err().print(f"patches of {kept.pictures} pictures: {kept.bytes / 1e6:.1f} MB in {report.elapsed_s:.0f} s")

    def caption(self, captioner: str) -> None:
        """Let a captioner write about every picture, as `deixis caption` does."""
        writer = load_captioner(captioner, threads=self.settings.compute_threads)
        options = CaptionOptions(decode_workers=self.settings.decoders, limits=decode_limits(self.settings))
        report = caption_library(self.library, self.encoder, writer, options)
        err().print(f"{report.captioned} pictures captioned in {report.elapsed_s:.0f} s, {report.regions} boxes")


@contextmanager
def drawn_library(settings: Settings, draw: Sequence[tuple[str, Twin | int]]) -> Iterator[DrawnLibrary]:
    """Draw pictures, index them into a new library, and delete both afterwards.

    Args:
        draw: file name without ending, and what to draw: the test scene of a seed, or the changed scene of a twin.
    """
    with tempfile.TemporaryDirectory(prefix="deixis-eval-") as place:
        pictures = Path(place) / "pictures"
        pictures.mkdir()
        for name, what in draw:
            image = render(generate_scene(what, "test"), DRAWN_PX).image if isinstance(what, int) else None
            picture = image or (draw_rival(what, DRAWN_PX) if isinstance(what, Twin) else None)
            if picture is not None:
                picture.save(pictures / f"{name}.png")
        with Library.open(Path(place) / "home", create=True) as library:
            encoder = encoder_for(settings, library, afresh=True)
            options = IndexOptions(decode_workers=settings.decoders, limits=decode_limits(settings))
            report = index_paths(library, encoder, [pictures], options)
            err().print(f"{report.embedded} drawn pictures indexed in {report.elapsed_s:.0f} s")
            with library.read() as session:
                rows = session.execute(select(File.name, File.image_id))
                images = {Path(name).stem: image_id for name, image_id in rows if image_id is not None}
            yield DrawnLibrary(library, encoder, settings, images)


def scenes_to_draw(plan: ScenePlan) -> list[tuple[str, Twin | int]]:
    """Every scene of the plan."""
    return [(_name(seed), seed) for seed in plan.seeds]


def twins_to_draw(plan: ScenePlan) -> tuple[list[tuple[str, Twin | int]], list[Twin]]:
    """Scenes that can be changed so that the opposite is true, each with its changed picture, and the texts."""
    pairs = [twin for twin in twins(plan.seeds[:_PAIRS], languages=plan.languages) if twin.changed is not None]
    draw: dict[str, Twin | int] = {_name(twin.seed): twin.seed for twin in pairs}
    draw |= {_rival(twin): twin for twin in pairs}
    return list(draw.items()), pairs


def twin_pairs(pairs: Sequence[Twin], kind: str, images: dict[str, int]) -> list[tuple[str, int, int]]:
    """Text, picture of which it is true, picture of which it is false; both texts of each pair."""
    found = []
    for twin in pairs:
        if twin.kind == kind:
            own, rival = images[_name(twin.seed)], images[_rival(twin)]
            found += [(twin.true, own, rival), (twin.false, rival, own)]
    return found


def scene_questions(plan: ScenePlan, images: dict[str, int]) -> list[Question]:
    """Every kind of query about the scenes, with the ids of the pictures that answer it and where their things are."""
    found = []
    for query in scene_queries(plan.seeds, languages=plan.languages, per_kind=plan.per_kind):
        right = {images[_name(seed)]: seed for seed in query.relevant}
        things = {image: _things(query, seed) for image, seed in right.items()} if len(query.kinds) > 1 else {}
        found.append(Question(query.kind, query.text, frozenset(right), things))
    return found


def _things(query: SceneQuery, seed: int) -> Things:
    """For each thing that the query names, the boxes of the things of its kind."""
    things = generate_scene(seed, "test").things
    return tuple(tuple(thing.box for thing in things if thing.kind == kind) for kind in query.kinds)


def _name(seed: int) -> str:
    return f"scene{seed:06}"


def _rival(twin: Twin) -> str:
    return f"{_name(twin.seed)}-{twin.kind}"

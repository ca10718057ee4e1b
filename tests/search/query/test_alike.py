"""More of what a box shows: by the vector that the library keeps, on whole pictures and on their boxes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures
from sqlalchemy import delete, select

from indexer.importers import import_annotations
from indexer.pipeline import IndexOptions, index_paths
from search.db.schema import Embedding, File, Generation, Region
from search.errors import NotFoundError
from search.library import Library
from search.query import alike, candidates
from search.results import SearchRequest, SearchResult
from search.service import SearchService
from vision.encoders.colour import ColourEncoder
from vision.types import Embeddings, RgbImage

RED, GREEN, BLUE, YELLOW = (214, 39, 40), (44, 140, 44), (40, 90, 200), (250, 220, 30)
OPTIONS = IndexOptions(decode_workers=1)


class Blindfolded(ColourEncoder):
    """Must not look at pictures."""

    def encode_images(self, images: Sequence[RgbImage]) -> Embeddings:
        raise AssertionError("there is a vector already")


@pytest.fixture
def album(library: Library, tmp_path: Path) -> Library:
    """Pictures of a ground with a patch of another colour, each patch in a box; `plain.png` is blue, without a box."""
    folder = tmp_path / "album"
    folder.mkdir()
    lines = []
    patches = {"a": (GREEN, BLUE, "pond"), "b": (YELLOW, BLUE, "lake"), "c": (GREEN, RED, "barn")}
    for number, (name, (ground, patch, phrase)) in enumerate(patches.items()):
        picture = Pictures.new("RGB", (100 + number, 100), ground)
        picture.paste(patch, (5, 5, 30, 30))
        picture.save(folder / f"{name}.png")
        box = {"phrase": phrase, "box": [0.08, 0.08, 0.26, 0.26]}
        lines.append(json.dumps({"file": f"{name}.png", "regions": [box, {**box, "phrase": f"the {phrase}"}]}))
    Pictures.new("RGB", (90, 90), BLUE).save(folder / "plain.png")
    Pictures.new("RGB", (91, 90), RED).save(folder / "red.png")
    (tmp_path / "boxes.jsonl").write_text("\n".join(lines))
    index_paths(library, ColourEncoder(), [folder], OPTIONS)
    import_annotations(library, ColourEncoder(), [tmp_path / "boxes.jsonl"])
    return library


def region(library: Library, name: str, which: int = 0) -> int:
    with library.read() as session:
        query = select(Region.id).join(File, File.image_id == Region.image_id).where(File.name == f"{name}.png")
        return list(session.scalars(query.order_by(Region.id)))[which]


def names(result: SearchResult) -> list[str]:
    return [Path(hit.path).stem for hit in result.hits]


def like(library: Library, region_id: int, encoder: ColourEncoder | None = None, **request: Any) -> SearchResult:
    return SearchService(library, encoder or Blindfolded()).search(SearchRequest(like_region_id=region_id, **request))


@pytest.mark.parametrize("which", [0, 1])
def test_a_picture_is_as_like_a_box_as_its_best_box_or_itself(album: Library, which: int) -> None:
    result = like(album, region(album, "a", which))
    assert set(names(result)[:2]) == {"b", "plain"}
    by_name = dict(zip(names(result), result.hits, strict=True))
    assert "a" not in by_name
    assert by_name["b"].parts.keys() == {"box"}
    assert by_name["plain"].parts.keys() == {"image"}
    assert by_name["b"].score > by_name["c"].score
    scores = [hit.score for hit in result.hits]
    assert scores == sorted(scores, reverse=True)


def test_the_box_that_is_alike_is_shown_and_leads_on(album: Library) -> None:
    asked = region(album, "a")
    by_name = {Path(hit.path).stem: hit for hit in like(album, asked).hits}
    (box,) = by_name["b"].regions
    assert (box.phrase, box.answers) == ("lake", f"region:{asked}")
    assert box.score == pytest.approx(by_name["b"].score, abs=1e-3)
    assert by_name["plain"].regions == ()
    assert box.region_id is not None
    assert "a" in names(like(album, box.region_id))[:2]


def test_without_a_vector_the_preview_is_looked_at(album: Library) -> None:
    with album.write() as session:
        session.execute(delete(Embedding).where(Embedding.kind == "region"))
    assert names(like(album, region(album, "a"), ColourEncoder()))[0] == "plain"
    shutil.rmtree(album.home / "previews")
    with pytest.raises(NotFoundError, match="no preview"):
        like(album, region(album, "a"), ColourEncoder())


def test_a_stored_vector_needs_no_preview(album: Library) -> None:
    shutil.rmtree(album.home / "previews")
    assert "b" in names(like(album, region(album, "a")))[:2]


def test_look_alone_asks_no_boxes(album: Library) -> None:
    result = like(album, region(album, "a"), annotations=False)
    assert names(result)[0] == "plain"
    assert all(hit.parts.keys() == {"image"} and not hit.regions for hit in result.hits)


def test_a_query_by_text_does_not_look_at_them(album: Library) -> None:
    service = SearchService(album, ColourEncoder())
    asked = [SearchRequest(text=text) for text in ("blue", "a pond", "a red barn left of a lake")]
    before = [service.search(one).hits for one in asked]
    with album.write() as session:
        session.execute(delete(Embedding).where(Embedding.kind == "region"))
    assert [service.search(one).hits for one in asked] == before


def test_filters_hold_for_boxes_too(album: Library) -> None:
    asked = region(album, "a")
    assert names(SearchService(album, Blindfolded()).search(SearchRequest(text=f"region:{asked} has:boxes")))[0] == "b"


def test_words_and_a_box_together(album: Library) -> None:
    service = SearchService(album, ColourEncoder())
    result = service.search(SearchRequest(text="yellow", like_region_id=region(album, "a")))
    assert names(result)[0] == "b"
    assert result.hits[0].parts["like"] > 0
    without = service.search(SearchRequest(text=f"yellow -region:{region(album, 'a')}"))
    by_name = dict(zip(names(without), without.hits, strict=True))
    assert by_name["b"].parts["like"] < 0


@pytest.mark.parametrize("fetched", [1, 64])
def test_a_large_library_answers_alike(album: Library, monkeypatch: pytest.MonkeyPatch, fetched: int) -> None:
    asked = SearchRequest(text="yellow", like_region_id=region(album, "a"), k=3)
    expected = names(SearchService(album, ColourEncoder()).search(asked))
    monkeypatch.setattr(candidates, "ALL_UP_TO", 0)
    monkeypatch.setattr("search.query.answer.FIRST", fetched)
    monkeypatch.setattr(alike, "_ONE_BY_ONE", 0)
    assert names(SearchService(album, ColourEncoder()).search(asked)) == expected
    only = SearchRequest(text="has:boxes", like_region_id=region(album, "a"), k=1)
    assert names(SearchService(album, ColourEncoder()).search(only)) == ["b"]


def test_what_was_committed_and_not_published_is_found(album: Library, tmp_path: Path) -> None:
    before = names(like(album, region(album, "a")))
    with album.write() as session:
        session.execute(delete(Generation).where(Generation.kind == "region"))
    assert names(like(album, region(album, "a"))) == before

"""Forgetting a source erases what it said and nothing else, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from indexer.importers import import_annotations
from indexer.pipeline import index_paths
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import Caption, Region, TextBody
from search.db.schema import Image as ImageRow
from search.errors import NotFoundError
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from search.sources import Forgotten, Source, forget_source, list_sources
from search.vectors.live import OWNERS
from vision.encoders.registry import load_encoder
from vision.types import Box
from vision.types import Region as RegionFact


@pytest.fixture
def described(library: Library, tmp_path: Path) -> Library:
    """A picture with a caption of a person's, and one of a machine's that shares a phrase with it."""
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    encoder = load_encoder("colour")
    index_paths(library, encoder, [tmp_path / "red.png"])
    notes = tmp_path / "notes.jsonl"
    notes.write_text(
        '{"file": "red.png", "captions": [{"text": "a kayak"}], "regions": [{"phrase": "water", "box": [0, 0, 1, 1]}]}'
    )
    import_annotations(library, encoder, [notes])
    box = Box(0.1, 0.1, 0.5, 0.5)
    with library.write() as session:
        image_id = session.scalars(select(ImageRow.id)).one()
        fact = CaptionFact("a boat on water", "en", ())
        loose = [RegionFact("water", box, None, 0.5), RegionFact("boat", box, None, 0.5)]
        add_annotations(session, image_id, [fact], loose, "kosmos2:0123456789ab")
    index_paths(library, encoder, [])  # embeds the new texts
    return library


def test_every_source_is_listed_with_its_counts(described: Library) -> None:
    assert list_sources(described) == [
        Source("import", 1, 1, 1, ()),
        Source("kosmos2:0123456789ab", 1, 2, 1, ("en",)),
    ]


def test_what_one_source_said_goes_and_what_others_say_stays(described: Library) -> None:
    assert forget_source(described, "kosmos2") == Forgotten("kosmos2:0123456789ab", 1, 2, 2)
    assert [source.name for source in list_sources(described)] == ["import"]
    with described.read() as session:
        assert set(session.scalars(select(TextBody.body))) == {"a kayak", "water"}
        dead = select(func.count()).where(*(owner.is_(None) for owner in OWNERS.values()))
        assert session.scalar(dead) == 0  # they have left the segments as well
    assert verify(described).findings == []
    (hit,) = SearchService(described, load_encoder("colour")).search(SearchRequest(text="boat")).hits
    assert all(region.source == "import" for region in hit.regions)
    assert hit.caption is None or "boat" not in hit.caption.text


def test_forgetting_all_sources_leaves_the_pictures(described: Library) -> None:
    for name in ("import", "kosmos2:0123456789ab"):
        forget_source(described, name)
    with described.read() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Caption, Region, TextBody)]
        assert counts == [0, 0, 0]
        assert session.scalar(select(func.count()).select_from(ImageRow)) == 1
    assert list_sources(described) == []
    assert verify(described).findings == []


@pytest.mark.parametrize(
    ("name", "message"), [("nobody", "no captions or boxes are from"), ("", "no captions"), ("k%", "no captions")]
)
def test_a_source_that_is_not_there_changes_nothing(described: Library, name: str, message: str) -> None:
    with pytest.raises(NotFoundError, match=message) as caught:
        forget_source(described, name)
    assert "kosmos2:0123456789ab" in caught.value.remedy
    assert len(list_sources(described)) == 2


def test_a_beginning_that_means_two_sources_is_refused(described: Library) -> None:
    with described.write() as session:
        image_id = session.scalars(select(ImageRow.id)).one()
        add_annotations(session, image_id, [CaptionFact("a ship", "en", ())], [], "kosmos2:ffffffffffff")
    with pytest.raises(NotFoundError, match="begins 2 sources"):
        forget_source(described, "kosmos2")

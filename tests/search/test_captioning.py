"""A captioner that rests is kept and takes part in nothing, whatever asks; what people say is always told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import func, select

from indexer.pipeline import IndexOptions, index_paths
from search.captioning import (
    begin_generation,
    drop_generations,
    generation_of,
    list_generations,
    use_generations,
)
from search.db.annotations import CaptionFact, add_annotations
from search.db.region_rows import (
    hand_on_vectors,
    region_vectors_of_images,
    regions_of_vectors,
    vectors_of_regions,
)
from search.db.schema import Caption, CaptionGeneration, Embedding, Generation, Region, TextBody
from search.db.schema import Image as ImageRow
from search.errors import LibraryBusyError, NotFoundError
from search.evaluation.presence import presence_questions
from search.glance import glance
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from search.settings import load_settings
from vision.encoders.base import Encoder
from vision.encoders.registry import load_encoder
from vision.types import Box
from vision.types import Region as RegionFact

OLD, NEW = "kosmos2:0123456789ab", "florence2:ba9876543210"
COLOURS = ("red", "green", "blue", "yellow", "white", "black")
SHARED, OWN = Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 1)
Make = Callable[..., Library]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("colour")


def say(library: Library, encoder: Encoder, *sources: str) -> dict[str, int]:
    """Let people and these captioners speak of every picture, the people first; returns the generations' numbers."""
    numbers = {}
    with library.write() as session:
        ids = list(session.scalars(select(ImageRow.id).order_by(ImageRow.id)))
        for image_id, colour in zip(ids, COLOURS, strict=True):
            add_annotations(session, image_id, [CaptionFact(f"my {colour} kayak")], [], "import")
        for source in sources:
            word = source.partition(":")[0]
            numbers[source] = begin_generation(session, source, "en", "brief")
            for image_id, colour in zip(ids, COLOURS, strict=True):
                caption = CaptionFact(f"a {colour} {word} boat", "en")
                boxes = [RegionFact(f"{word} hull", SHARED, None, 0.5), RegionFact(f"{word} {colour} sail", OWN)]
                boxes = boxes if word == "kosmos2" else boxes[:1]
                add_annotations(session, image_id, [caption], boxes, source, numbers[source])
    index_paths(library, encoder, [], IndexOptions(decode_workers=1))
    return numbers


def picture_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir(exist_ok=True)
    for number, colour in enumerate(COLOURS):
        Image.new("RGB", (40 + number, 30), colour).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def both(library: Library, encoder: Encoder, tmp_path: Path) -> Library:
    """Two captioners side by side, on each database."""
    index_paths(library, encoder, [picture_folder(tmp_path)], IndexOptions(decode_workers=1))
    say(library, encoder, OLD, NEW)
    return library


@pytest.fixture
def old_alone(encoder: Encoder, tmp_path: Path) -> Iterator[Library]:
    """The library in which the second captioner has never spoken; ids are the same."""
    with Library.open(tmp_path / "alone", create=True) as library:
        index_paths(library, encoder, [picture_folder(tmp_path)], IndexOptions(decode_workers=1))
        say(library, encoder, OLD)
        yield library


QUERIES = ("a red boat", "florence2", "red kosmos2 boat -green", "kosmos2 red sail", "source:flor*", "has:boxes red")


def answers(library: Library, encoder: Encoder) -> list[object]:
    service = SearchService(library, encoder)
    said: list[object] = []
    for text in QUERIES:
        result = service.search(SearchRequest(text=text, k=20))
        said.append((text, result.hits, result.nearest, result.likely))
    status = service.status()
    said += [status.captions, status.regions, status.texts, dict(status.published)]
    said += [(one.captions, one.regions) for one in map(service.image, range(1, len(COLOURS) + 1))]
    return said


def test_what_rests_is_as_if_it_had_never_been_said(both: Library, old_alone: Library, encoder: Encoder) -> None:
    before = answers(both, encoder)
    wanted = answers(old_alone, encoder)
    assert before != wanted
    switched = use_generations(both, ["kosmos2"])
    assert (switched.told, switched.resting) == ((f"{OLD} (en, brief)",), (f"{NEW} (en, brief)",))
    assert switched.published
    assert answers(both, encoder) == wanted
    assert verify(both).findings == []
    use_generations(both, ["all"])
    assert answers(both, encoder) == before
    assert verify(both).findings == []


def test_the_way_back_makes_no_index_anew(both: Library) -> None:
    def active() -> dict[str, str]:
        with both.read() as session:
            rows = session.execute(select(Generation.kind, Generation.file_name).where(Generation.active))
            return dict(rows.all())

    first = active()
    use_generations(both, [NEW])
    second = active()
    assert all(second[kind] != first[kind] for kind in ("text", "region", "catalogue"))
    assert second["image"] == first["image"]
    files = sorted(path.name for path in both.vectors.generations_folder.iterdir())
    for expected in (first, second, first):
        use_generations(both, ["all"] if expected is first else [NEW])
        assert active() == expected
        assert sorted(path.name for path in both.vectors.generations_folder.iterdir()) == files


def test_a_switch_needs_no_lock_and_counts_at_once(
    both: Library, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.catalogue.current._SLOW_S", 0.0)  # as in a library whose catalogue takes a minute
    monkeypatch.setattr("search.catalogue.current._PATIENCE", 1e9)
    service = SearchService(both, encoder)
    first = service.search(SearchRequest(text="a florence2 hull", k=20)).hits
    assert NEW in {region.source for hit in first for region in hit.regions}
    held, done = threading.Event(), threading.Event()

    def job() -> None:
        with both.exclusive():
            held.set()
            done.wait(30)

    thread = threading.Thread(target=job)
    thread.start()
    held.wait(30)
    try:
        assert not use_generations(both, [OLD]).published
        result = service.search(SearchRequest(text="a florence2 hull", k=20))
        assert NEW not in {region.source for hit in result.hits for region in hit.regions}
        # "hull" is still a word of the others; "florence2" is nobody's.
        assert max(hit.parts["words"] for hit in result.hits) < 0.5 * first[0].parts["words"]
        told = [hit.caption.text for hit in result.hits if hit.caption is not None]
        assert not [text for text in (*told, *result.nearest) if "florence2" in text]
        assert {caption.source for caption in service.image(1).captions} == {"import", OLD}
        assert service.status().captions == 2 * len(COLOURS)
    finally:
        done.set()
        thread.join()
    assert use_generations(both, [OLD]).published
    assert verify(both).findings == []


def test_a_box_that_two_share_is_found_by_the_one_that_is_told(both: Library, encoder: Encoder) -> None:
    """The first of them owns the vector, and may rest."""
    use_generations(both, [NEW])
    with both.read() as session:
        query = select(Region.id).where(Region.image_id == 1).order_by(Region.id)
        told = list(session.scalars(query.where(Region.source == NEW)))
        rest = list(session.scalars(query.where(Region.source == OLD)))
        assert session.scalar(select(Embedding.id).where(Embedding.region_id == told[0])) is None
        vectors = vectors_of_regions(session, 1, [*told, *rest])
        assert list(vectors) == told
        assert regions_of_vectors(session, list(vectors.values())) == {vectors[told[0]]: (1, told[0])}
        assert [vector for _, vector in region_vectors_of_images(session, 1, [1])] == list(vectors.values())
    service = SearchService(both, encoder)
    assert service.search(SearchRequest(like_region_id=told[0], k=3)).hits
    for region_id in rest:
        with pytest.raises(NotFoundError):
            service.search(SearchRequest(like_region_id=region_id, k=3))
    assert verify(both).findings == []


def test_what_people_say_never_rests(both: Library, encoder: Encoder) -> None:
    with both.write() as session:
        add_annotations(session, 1, [CaptionFact("sunset at the pier")], [], "xmp")
    index_paths(both, encoder, [], IndexOptions(decode_workers=1))
    with pytest.raises(NotFoundError, match="no captioner's captions are called 'import'"):
        use_generations(both, ["import"])
    use_generations(both, [NEW])
    service = SearchService(both, encoder)
    assert {caption.source for caption in service.image(1).captions} == {"import", "xmp", NEW}
    hit = service.search(SearchRequest(text="sunset at the pier", k=1)).hits[0]
    assert hit.image_id == 1


def test_what_is_dropped_is_gone_and_nothing_else(both: Library, encoder: Encoder, old_alone: Library) -> None:
    number = next(one.id for one in list_generations(both) if one.source == NEW)
    report = drop_generations(both, f"#{number}")
    assert (report.captions, report.regions) == (len(COLOURS), len(COLOURS))
    assert report.texts == len(COLOURS) + 1
    assert answers(both, encoder) == answers(old_alone, encoder)
    with both.read() as session:
        assert session.scalar(select(func.count(TextBody.id)).where(TextBody.body.contains("florence2"))) == 0
        assert [one.source for one in session.scalars(select(CaptionGeneration))] == [OLD]
        assert session.scalar(select(func.count(Generation.id)).where(~Generation.active)) == 0
    assert verify(both).findings == []


def test_what_rests_can_be_dropped_while_others_are_told(both: Library, encoder: Encoder) -> None:
    use_generations(both, [NEW])
    before = answers(both, encoder)
    drop_generations(both, "kosmos2")
    assert answers(both, encoder) == before
    assert verify(both).findings == []


def test_a_drop_that_fails_erases_nothing(both: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def count() -> list[int | None]:
        with both.read() as session:
            return [session.scalar(select(func.count()).select_from(one)) for one in (Caption, Region, TextBody)]

    before = count()
    thread_holds = threading.Event()
    with both.exclusive():

        def other() -> None:
            with pytest.raises(LibraryBusyError):
                drop_generations(both, OLD)
            thread_holds.set()

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert thread_holds.is_set()
    assert count() == before


def test_generations_say_how_far_they_are(both: Library, encoder: Encoder) -> None:
    with both.write() as session:
        number = begin_generation(session, NEW, "de", "brief")
        add_annotations(session, 1, [CaptionFact("ein rotes Boot", "de")], [], NEW, number)
        assert begin_generation(session, NEW, "de", "brief") == number
    info = generation_of(both, number)
    assert info is not None
    assert (info.images, info.of_images, info.captions, info.resting) == (1, len(COLOURS), 1, False)
    assert [one.name for one in list_generations(both)] == [
        f"{OLD} (en, brief)",
        f"{NEW} (en, brief)",
        f"{NEW} (de, brief)",
    ]
    use_generations(both, [OLD])
    with both.write() as session:  # it goes on at rest
        add_annotations(session, 2, [CaptionFact("ein grünes Boot", "de")], [], NEW, number)
    index_paths(both, encoder, [], IndexOptions(decode_workers=1))
    info = generation_of(both, number)
    assert info is not None
    assert (info.images, info.resting) == (2, True)
    assert verify(both).findings == []
    assert {caption.source for caption in SearchService(both, encoder).image(2).captions} == {"import", OLD}
    use_generations(both, [str(number), "kosmos2"])
    assert {caption.source for caption in SearchService(both, encoder).image(2).captions} == {"import", OLD, NEW}


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("gone", "no captioner's captions are called 'gone'"), ("", "are called ''"), ("99", "are called '99'")],
)
def test_an_unknown_name_changes_nothing(both: Library, wanted: str, said: str) -> None:
    with pytest.raises(NotFoundError, match=said):
        use_generations(both, [OLD, wanted])
    assert not any(one.resting for one in list_generations(both))


def test_a_look_at_the_counts_sees_what_the_engine_sees(encoder: Encoder, old_alone: Library, tmp_path: Path) -> None:
    settings = load_settings({}, home=old_alone.home)
    assert glance(settings) == SearchService(old_alone, encoder).status()
    use_generations(old_alone, [OLD])
    assert glance(settings) is not None
    with old_alone.write() as session:
        begin_generation(session, NEW, "en", "brief")
    use_generations(old_alone, [NEW])
    assert glance(settings) is None  # the engine counts
    assert SearchService(old_alone, encoder).status().captions == len(COLOURS)


def test_an_evaluation_does_not_hear_what_rests(both: Library) -> None:
    with both.read() as session:
        assert presence_questions(session, {"florence2": frozenset()}, ()).left_out == ["florence2"]
    use_generations(both, [OLD])
    with both.read() as session:
        assert presence_questions(session, {"florence2": frozenset()}, ()).left_out == []


def test_vectors_go_on_to_boxes_that_stay(both: Library) -> None:
    with both.read() as session:
        owners = np.array(session.scalars(select(Embedding.region_id).where(Embedding.region_id.is_not(None))).all())
    drop_generations(both, OLD)
    with both.read() as session:
        left = set(session.scalars(select(Embedding.region_id).where(Embedding.region_id.is_not(None))))
        assert left == set(session.scalars(select(Region.id).where(Region.source == NEW)))
        assert hand_on_vectors(session, select(Region.id).where(Region.id < 0)) == 0
    assert not left & set(owners.tolist())

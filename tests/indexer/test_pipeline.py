"""`index` from a folder to published vectors, on both databases, with real decoding children."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from indexer.pipeline import IndexOptions, index_paths
from indexer.places import PathError
from indexer.report import Progress
from search.db.schema import Embedding, File, Image, Model
from search.errors import ModelMismatchError
from search.library import Library
from search.maintenance import verify
from search.previews import GALLERY_PX, PreviewStore
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.base import Encoder, EncoderFacts
from vision.encoders.colour import ColourEncoder

Draw = Callable[..., Path]
ONE_CHILD = IndexOptions(decode_workers=1, batch_size=4)


def paths_in(library: Library, state: str = "indexed") -> list[str]:
    with library.read() as session:
        return [Path(path).name for path in session.scalars(select(File.path).where(File.state == state))]


def count(library: Library, table: type[Image] | type[Embedding] | type[File]) -> int:
    with library.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def assert_sound(library: Library) -> None:
    assert verify(library).findings == []


def test_pictures_of_every_promised_format_are_indexed_and_found(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    names = ["a.jpg", "b.png", "c.webp", "d.gif", "e.tiff", "f.bmp", "g.avif"]
    for width, name in enumerate(names, start=40):
        draw(name, "blue" if name == "d.gif" else "red", (width, 30))
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.refused, report.not_pictures) == (len(names), [], [])
    best = SearchService(library, encoder).search(SearchRequest(text="blue", k=1)).hits[0]
    assert best.path == str(pictures / "d.gif")
    assert PreviewStore(library.home).read(best.sha256, GALLERY_PX) is not None
    assert_sound(library)


def test_a_second_run_touches_only_what_changed(library: Library, encoder: Encoder, draw: Draw, pictures: Path) -> None:
    for number in range(6):
        draw(f"{number}.png", "red", (40 + number, 30))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    draw("3.png", "blue", (80, 30))
    draw("new.png", "green", (81, 30))
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.unchanged, report.reused, report.missing) == (2, 5, 0, 0)
    hits = SearchService(library, encoder).search(SearchRequest(text="blue", k=1)).hits
    assert hits[0].path == str(pictures / "3.png")
    again = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (again.embedded, again.unchanged) == (0, 7)
    assert_sound(library)


def test_moved_and_copied_files_keep_their_picture_and_are_not_embedded_again(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("old/a.png", "red")
    draw("b.png", "blue", (50, 30))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    (pictures / "new").mkdir()
    shutil.move(pictures / "old" / "a.png", pictures / "new" / "a.png")
    shutil.copy(pictures / "b.png", pictures / "copy of b.png")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.reused, report.missing) == (0, 2, 1)
    assert count(library, Image) == 2
    hits = SearchService(library, encoder).search(SearchRequest(text="red")).hits
    assert hits[0].path == str(pictures / "new" / "a.png")
    assert_sound(library)


def test_the_same_content_twice_in_one_batch_is_one_picture(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    shutil.copy(draw("a.png"), pictures / "b.png")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.reused) == (1, 1)
    assert (count(library, Image), count(library, File)) == (1, 2)
    assert_sound(library)


def test_deleted_files_leave_the_results_and_return_with_the_file(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("keep.png", "red")
    gone = draw("gone.png", "blue", (50, 30))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    aside = shutil.move(gone, pictures.parent / "aside.png")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert report.missing == 1
    service = SearchService(library, encoder)
    assert [hit.path for hit in service.search(SearchRequest(text="blue")).hits] == [str(pictures / "keep.png")]
    assert_sound(library)
    shutil.move(aside, gone)
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.reused, report.missing) == (0, 1, 0)
    assert len(service.search(SearchRequest(text="blue")).hits) == 2
    assert_sound(library)


def test_prune_erases_what_is_gone_and_only_that(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("keep.png", "red")
    draw("other.png", "green", (51, 30))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    (pictures / "other.png").unlink()
    report = index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1, prune=True))
    assert report.pruned == 2  # the file's row and its picture
    assert paths_in(library) == ["keep.png"]
    assert paths_in(library, "missing") == []
    assert count(library, Image) == 1
    assert_sound(library)


def test_an_unplugged_drive_removes_nothing(library: Library, encoder: Encoder, draw: Draw, pictures: Path) -> None:
    draw("a.png")
    index_paths(library, encoder, [pictures], ONE_CHILD)
    away = pictures.rename(pictures.parent / "unplugged")
    report = index_paths(library, encoder, [], ONE_CHILD)
    assert (report.unavailable, report.missing) == (1, 0)
    pictures.mkdir()
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.unavailable, report.missing) == (1, 0)
    pictures.rmdir()
    away.rename(pictures)
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.unchanged, report.embedded) == (1, 0)


def test_unreadable_files_are_listed_with_their_reason_and_remembered(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("good.png")
    (pictures / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 and then nothing")
    (pictures / "empty.png").write_bytes(b"")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert report.embedded == 1
    assert {Path(file.path).name: file.reason.partition(":")[0] for file in report.refused} == {
        "bad.jpg": "corrupt",
        "empty.png": "empty",
    }
    second = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert [file.earlier for file in second.refused] == [True, True]
    draw("bad.jpg", "blue", (60, 30))
    third = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (third.embedded, len(third.refused)) == (1, 1)
    assert_sound(library)


def test_a_good_file_that_turns_bad_leaves_the_results(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("a.png")
    index_paths(library, encoder, [pictures], ONE_CHILD)
    (pictures / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n rotten")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert len(report.refused) == 1
    assert SearchService(library, encoder).search(SearchRequest(text="red")).hits == ()
    assert_sound(library)


def test_names_that_are_not_utf8_survive_the_whole_way(
    sqlite_library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    strange = os.fsdecode(os.fsencode(pictures) + b"/caf\xe9.png")
    draw("a.png").rename(strange)
    index_paths(sqlite_library, encoder, [pictures], ONE_CHILD)
    assert SearchService(sqlite_library, encoder).search(SearchRequest(text="red")).hits[0].path == strange


def test_without_paths_every_root_is_gone_through_and_without_roots_it_is_an_error(
    sqlite_library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    with pytest.raises(PathError, match="nothing to index"):
        index_paths(sqlite_library, encoder, [], ONE_CHILD)
    draw("one/a.png")
    draw("two/b.png", "blue", (50, 30))
    index_paths(sqlite_library, encoder, [pictures / "one", pictures / "two"], ONE_CHILD)
    draw("two/c.png", "green", (51, 30))
    report = index_paths(sqlite_library, encoder, [], ONE_CHILD)
    assert (report.embedded, report.unchanged) == (1, 2)


class OtherEncoder(ColourEncoder):
    """The same vectors under another identity, as another revision of a model would have."""

    @property
    def facts(self) -> EncoderFacts:
        facts = super().facts
        return EncoderFacts(**{**{name: getattr(facts, name) for name in facts.__slots__}, "revision": "2"})


def test_another_model_is_refused_until_it_is_asked_to_replace_the_old_one(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    draw("one/a.png")
    draw("two/b.png", "blue", (50, 30))
    index_paths(library, encoder, [pictures / "one", pictures / "two"], ONE_CHILD)
    other = OtherEncoder()
    with pytest.raises(ModelMismatchError, match="revision"):
        index_paths(library, other, [pictures / "one"], ONE_CHILD)
    report = index_paths(library, other, [pictures / "one"], IndexOptions(decode_workers=1, replace_model=True))
    assert report.embedded == 2  # also the root that was not named: no picture may vanish with the old model
    with library.read() as session:
        active = session.scalars(select(Model.revision).where(Model.active)).all()
    assert active == ["2"]
    assert len(SearchService(library, other).search(SearchRequest(text="red")).hits) == 2
    with pytest.raises(ModelMismatchError):
        SearchService(library, encoder).search(SearchRequest(text="red"))
    assert_sound(library)


class _StoppedError(Exception):
    """What a listener raises to end a run."""


@pytest.mark.parametrize("error", [_StoppedError, KeyboardInterrupt])
def test_what_the_listener_raises_ends_the_run_and_what_is_finished_is_kept_and_found(
    library: Library, draw: Draw, pictures: Path, error: type[BaseException]
) -> None:
    for number in range(24):
        draw(f"{number}.png", "red", (40 + number, 30))

    def tell(progress: Progress) -> None:
        if progress.stage == "images" and progress.done == 20:
            raise error

    with pytest.raises(error):
        index_paths(library, ColourEncoder(), [pictures], IndexOptions(decode_workers=1, batch_size=2), tell)
    kept = count(library, Embedding)
    assert 2 <= kept < 24
    found = SearchService(library, ColourEncoder()).search(SearchRequest(text="red", k=24))
    assert (len(found.hits), found.waiting) == (kept, 0)
    again = index_paths(library, ColourEncoder(), [pictures], ONE_CHILD)
    assert (again.embedded, again.unchanged) == (24 - kept, kept)
    assert_sound(library)


def test_wherever_a_run_is_stopped_what_it_has_kept_is_found(library: Library, draw: Draw, pictures: Path) -> None:
    stopped_at: list[str] = []
    for steps in range(100):
        for number in range(3):
            name = f"{steps}-{number}.png"
            draw(name, "red", (40 + steps, 30 + number))
            (pictures / f"{name}.json").write_text(
                f'{{"title": "{name}", "description": "A seal, {name}", "url": "x"}}'
            )
        left = steps

        def tell(progress: Progress) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                stopped_at.append(progress.stage)
                raise KeyboardInterrupt

        try:
            index_paths(library, ColourEncoder(), [pictures], ONE_CHILD, tell)
        except KeyboardInterrupt:
            assert [one.code for one in verify(library).findings] == []
        else:
            break
    assert {"scan", "images"} < set(stopped_at), stopped_at
    assert stopped_at[-1] == "publish", "the last one"


def test_copies_that_follow_each_other_too_fast_to_be_known_get_one_vector(
    library: Library, draw: Draw, pictures: Path
) -> None:
    first = draw("00.png", "red")
    for number in range(1, 12):
        shutil.copy(first, pictures / f"{number:02}.png")
    report = index_paths(library, ColourEncoder(), [pictures], IndexOptions(decode_workers=1, batch_size=2))
    assert (report.embedded, report.reused) == (1, 11)
    assert (count(library, Image), count(library, Embedding), count(library, File)) == (1, 1, 12)
    assert_sound(library)


def test_stages_are_timed(library: Library, draw: Draw, pictures: Path) -> None:
    draw("a.png", "red")
    stages = index_paths(library, ColourEncoder(), [pictures], ONE_CHILD).stages
    assert {"scan", "decode", "embed", "write", "publish"} <= set(stages)
    assert all(time.worked_s > 0 for name, time in stages.items() if name in ("scan", "decode", "embed", "write"))

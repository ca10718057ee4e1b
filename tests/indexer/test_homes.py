"""The home of a library is nobody's folder of pictures, wherever it lies and however it is reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image as Pictures
from sqlalchemy import select, update

from indexer.pipeline import IndexOptions, index_paths
from indexer.places import PathError
from indexer.report import IndexReport
from search.db.schema import File, Root
from search.library import Library
from search.maintenance import verify
from vision.encoders.base import Encoder

ONE_CHILD = IndexOptions(decode_workers=1)


def homes(report: IndexReport) -> list[str]:
    return [entry.path for entry in report.passed_over if entry.kind == "library"]


def draw(path: Path, colour: str, width: int = 700) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pictures.new("RGB", (width, 300), colour).save(path)


def shown(library: Library) -> list[str]:
    with library.read() as session:
        return sorted(Path(path).name for path in session.scalars(select(File.path).where(File.state == "indexed")))


@pytest.mark.parametrize("linked", [False, True])
def test_a_home_inside_the_pictures_is_passed_over_at_every_run(tmp_path: Path, encoder: Encoder, linked: bool) -> None:
    pictures = tmp_path / "pictures"
    draw(pictures / "a.png", "red")
    draw(pictures / "z" / "b.png", "blue", 710)
    inside = pictures / "deixis"
    home = tmp_path / "link" if linked else inside
    if linked:
        inside.mkdir()
        home.symlink_to(inside)
    for run in range(3):
        with Library.open(home, create=True) as library:
            report = index_paths(library, encoder, [pictures], ONE_CHILD)
            assert homes(report) == [str(inside)]
            assert (report.embedded, report.unchanged) == ((2, 0) if run == 0 else (0, 2))
            assert shown(library) == ["a.png", "b.png"]
            assert len(list((home / "previews").rglob("*.jpg"))) == 2
            assert verify(library).findings == []


def test_the_home_of_another_library_is_passed_over(tmp_path: Path, encoder: Encoder) -> None:
    pictures = tmp_path / "pictures"
    draw(pictures / "a.png", "red")
    with Library.open(pictures / "other", create=True) as other:
        index_paths(other, encoder, [pictures], ONE_CHILD)
    with Library.open(tmp_path / "home", create=True) as library:
        report = index_paths(library, encoder, [pictures], ONE_CHILD)
        assert homes(report) == [str(pictures / "other")]
        assert shown(library) == ["a.png"]


def test_previews_that_an_earlier_version_indexed_leave_the_library(tmp_path: Path, encoder: Encoder) -> None:
    pictures = tmp_path / "pictures"
    draw(pictures / "a.png", "red")
    draw(pictures / "home" / "early.png", "blue", 720)  # Indexed before the folder was a home.
    with Library.open(tmp_path / "first", f"sqlite:///{tmp_path}/db", create=True) as library:
        index_paths(library, encoder, [pictures], ONE_CHILD)
        assert shown(library) == ["a.png", "early.png"]
    (tmp_path / "first").joinpath("library.json").rename(pictures / "home" / "library.json")
    (tmp_path / "first").joinpath("segments").rename(pictures / "home" / "segments")
    (tmp_path / "first").joinpath("generations").rename(pictures / "home" / "generations")
    with Library.open(pictures / "home", f"sqlite:///{tmp_path}/db", create=True) as library:
        report = index_paths(library, encoder, [pictures], ONE_CHILD)
        assert (report.excluded, homes(report)) == (1, [str(pictures / "home")])
        assert shown(library) == ["a.png"]


def test_a_folder_in_the_home_cannot_be_given_and_one_that_was_is_emptied(tmp_path: Path, encoder: Encoder) -> None:
    pictures, home = tmp_path / "pictures", tmp_path / "home"
    draw(pictures / "a.png", "red")
    with Library.open(home, create=True) as library:
        index_paths(library, encoder, [pictures], ONE_CHILD)
        for given in (home, home / "previews"):
            with pytest.raises(PathError, match="in the home of the library"):
                index_paths(library, encoder, [given], ONE_CHILD)
        # As an earlier version remembered it.
        (preview,) = (home / "previews").rglob("*.jpg")
        with library.write() as session:
            session.execute(update(Root).values(path=str(home / "previews")))
            session.execute(update(File).values(path=str(preview), name=preview.name))
        report = index_paths(library, encoder, [], ONE_CHILD)
        assert (report.excluded, homes(report)) == (1, [str(home / "previews")])


def test_a_folder_that_only_looks_a_little_like_a_home_is_indexed(tmp_path: Path, encoder: Encoder) -> None:
    pictures = tmp_path / "pictures"
    draw(pictures / "a.png", "red")
    (pictures / "library.json").write_text("{}")
    with Library.open(tmp_path / "home", create=True) as library:
        assert homes(index_paths(library, encoder, [pictures], ONE_CHILD)) == []
        assert shown(library) == ["a.png"]

"""A library opens, refuses and closes as it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select
from stock import Stock, facts

from search.db.schema import Model, Segment
from search.errors import LibraryBusyError, LibraryEmptyError, LibraryError, ModelMismatchError
from search.library import Library


def test_a_home_without_a_library_is_empty_and_stays_untouched(tmp_path: Path) -> None:
    with pytest.raises(LibraryEmptyError, match="no library") as caught:
        Library.open(tmp_path / "home")
    assert "deixis index" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_a_created_library_opens_again(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    Library.open(home, create=True).close()
    with Library.open(home) as library, library.read() as session:
        assert library.active_model(session) is None
    assert home.stat().st_mode & 0o077 == 0, "pictures are private"


def test_a_server_without_a_library_is_empty(empty_database_url: str, tmp_path: Path) -> None:
    with pytest.raises(LibraryEmptyError, match="no library"):
        Library.open(tmp_path, empty_database_url)


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(LibraryError, match="Cannot write"):
        Library.open(tmp_path / "home", create=True)


def test_a_home_and_a_database_of_two_libraries_are_not_mixed(tmp_path: Path) -> None:
    Library.open(tmp_path / "a", create=True).close()
    Library.open(tmp_path / "b", create=True).close()
    with pytest.raises(LibraryError, match="different libraries"):
        Library.open(tmp_path / "a", f"sqlite:///{tmp_path}/b/deixis.db")


def test_vectors_of_a_lost_database_are_not_taken_for_leftovers(sqlite_stock: Stock, home: Path) -> None:
    sqlite_stock.add_pictures(3)
    sqlite_stock.library.close()
    for path in home.glob("deixis.db*"):
        path.unlink()
    with pytest.raises(LibraryError, match="different libraries"):
        Library.open(home, create=True)
    assert len(list((home / "segments").iterdir())) == 1


def test_a_home_without_vectors_accepts_a_new_database(tmp_path: Path) -> None:
    Library.open(tmp_path, create=True).close()
    (tmp_path / "deixis.db").unlink()
    Library.open(tmp_path, create=True).close()
    Library.open(tmp_path).close()


def test_a_lost_mark_is_written_again_and_a_damaged_one_told(tmp_path: Path) -> None:
    Library.open(tmp_path, create=True).close()
    mark = tmp_path / "library.json"
    before = mark.read_text()
    mark.unlink()
    Library.open(tmp_path).close()
    assert mark.read_text() == before
    mark.write_text("{")
    with pytest.raises(LibraryError, match="damaged"):
        Library.open(tmp_path)


def test_a_moved_home_is_the_same_library(sqlite_stock: Stock, home: Path, tmp_path: Path) -> None:
    ids = sqlite_stock.add_pictures(3)
    sqlite_stock.publish()
    sqlite_stock.library.close()
    shutil.move(home, tmp_path / "moved")
    with Library.open(tmp_path / "moved") as library:
        assert library.vectors.fetch(ids).shape == (3, 16)
        assert library.vectors.searcher(sqlite_stock.model.id, "image").size == 3


def test_a_model_is_registered_once_and_takes_the_latest_name(library: Library) -> None:
    with library.write() as session:
        first = library.register_model(session, facts(name="one")).id
    with library.write() as session:
        model = library.register_model(session, facts(name="two"))
        assert (model.id, model.name, model.location) == (first, "two", "/models/two")
    with library.read() as session:
        assert len(list(session.scalars(select(Model)))) == 1


def test_at_most_one_model_is_active(library: Library) -> None:
    with library.write() as session:
        one = library.register_model(session, facts())
        two = library.register_model(session, facts(revision="1" * 40))
        assert library.active_model(session) is None
        library.activate_model(session, one)
        library.activate_model(session, two)
        library.activate_model(session, two)
        assert two.active
    with library.read() as session:
        assert [model.id for model in session.scalars(select(Model).where(Model.active))] == [two.id]


def test_the_right_model_is_accepted_under_any_name(library: Library) -> None:
    with library.write() as session:
        library.activate_model(session, library.register_model(session, facts()))
    with library.read() as session:
        assert library.check_model(session, facts(name="other name")).name == "stock"


def test_another_model_is_refused_with_what_differs(library: Library) -> None:
    with library.read() as session, pytest.raises(LibraryEmptyError):
        library.check_model(session, facts())
    with library.write() as session:
        library.activate_model(session, library.register_model(session, facts()))
    with library.read() as session, pytest.raises(ModelMismatchError) as caught:
        library.check_model(session, facts(dim=32, name="big", revision="1" * 40))
    message = str(caught.value)
    assert "stock, not with big" in message
    assert "dim 16 instead of 32" in message
    assert f"revision {'0' * 40} instead of {'1' * 40}" in message
    assert "preprocessing" not in message
    assert "--replace-model" in caught.value.remedy


def test_two_bulk_jobs_do_not_run_at_once(library: Library, home: Path, database_url: str) -> None:
    with Library.open(home, database_url) as other, library.exclusive():
        with pytest.raises(LibraryBusyError, match="pid"), other.exclusive():
            pytest.fail("two bulk jobs")
        stock = Stock(library)
        stock.add_pictures(2)
        with pytest.raises(LibraryBusyError, match="pid"):
            Stock(other).add_pictures(2, seed=3)
        with other.read() as session:
            assert session.scalar(select(Segment.committed_rows)) == 2, "reading goes on"


def test_a_closed_library_holds_no_file(sqlite_stock: Stock) -> None:
    ids = sqlite_stock.add_pictures(2)
    sqlite_stock.publish()
    sqlite_stock.library.vectors.fetch(ids)
    home = str(sqlite_stock.library.home)
    assert _open_files(home)
    sqlite_stock.library.close()
    assert _open_files(home) == []


def _open_files(home: str) -> list[str]:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("needs /proc to see open files")
    opened = []
    for descriptor in descriptors.iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue
        if target.startswith(home):
            opened.append(target)
    return opened

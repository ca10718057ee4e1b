"""A database has one home: another is refused with the way out, and a home that was moved still opens."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from stock import Stock

from search.db.schema import LibraryMark
from search.errors import LibraryError
from search.library import Library


@pytest.fixture(params=["sqlite elsewhere", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database that does not lie in the home."""
    if request.param == "postgres":
        yield from request.getfixturevalue("postgres_cluster").database(template="deixis_template")
    else:
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "elsewhere.db")
        yield f"sqlite:///{tmp_path}/elsewhere.db"


@pytest.fixture
def filled(home: Path, url: str) -> list[int]:
    """A library with vectors in `home`; returns the ids of the embeddings."""
    with Library.open(home, url, create=True) as library, library.exclusive():
        return Stock(library).add_pictures(3)


def recorded(home: Path, url: str) -> tuple[str | None, str | None]:
    with Library.open(home, url) as library, library.read() as session:
        row = session.execute(select(LibraryMark.home, LibraryMark.host)).one()
        return row.home, row.host


def works(home: Path, url: str, ids: list[int]) -> bool:
    """Whether the vectors are read there, and a job can claim it."""
    with Library.open(home, url) as library, library.exclusive():
        return len(library.vectors.fetch(ids)) == 3


def test_the_home_that_began_the_library_is_recorded(home: Path, url: str, filled: list[int]) -> None:
    where, host = recorded(home, url)
    assert where == str(home.resolve())
    assert host


@pytest.mark.parametrize("create", [True, False])
def test_an_empty_home_does_not_adopt_the_vectors_of_another(
    home: Path, url: str, filled: list[int], tmp_path: Path, create: bool
) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with pytest.raises(LibraryError, match=re.escape(str(home))) as caught:
        Library.open(second, url, create=create)
    assert "DEIXIS_HOME" in caught.value.remedy
    assert list(second.iterdir()) == [], "nothing was written"
    assert works(home, url, filled)


def test_the_remedy_for_a_lost_home_lets_a_new_one_in(home: Path, url: str, filled: list[int], tmp_path: Path) -> None:
    shutil.rmtree(home)
    second = tmp_path / "second"
    second.mkdir()
    with pytest.raises(LibraryError) as caught:
        Library.open(second, url, create=True)
    written = re.search(r"write (\{.*?\}) into (\S+),", caught.value.remedy)
    assert written is not None
    Path(written[2]).write_text(written[1])
    with Library.open(second, url, create=True) as library, library.exclusive():
        pass
    assert recorded(second, url)[0] == str(second.resolve())


def test_a_moved_home_opens_and_is_recorded_anew(home: Path, url: str, filled: list[int], tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.move(home, moved)
    assert works(moved, url, filled)
    assert recorded(moved, url)[0] == str(moved.resolve())


def test_vectors_prove_ownership_where_the_mark_was_lost(home: Path, url: str, filled: list[int]) -> None:
    before = (home / "library.json").read_text()
    (home / "library.json").unlink()
    assert works(home, url, filled)
    assert (home / "library.json").read_text() == before


def test_vectors_of_another_library_prove_nothing(home: Path, url: str, filled: list[int], tmp_path: Path) -> None:
    with Library.open(tmp_path / "other", create=True) as other, other.exclusive():
        Stock(other).add_pictures(3)
    (tmp_path / "other" / "library.json").unlink()
    with pytest.raises(LibraryError, match="vectors lie in"):
        Library.open(tmp_path / "other", url)


def test_a_copy_is_refused_while_the_first_home_is_there(
    home: Path, url: str, filled: list[int], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    with pytest.raises(LibraryError, match="is a copy of it") as caught:
        Library.open(copy, url)
    assert str(home) in caught.value.remedy
    # A home that is restored from a backup in another place, because the first is gone.
    shutil.rmtree(home)
    assert works(copy, url, filled)


def test_another_path_to_the_same_home_is_no_copy(home: Path, url: str, filled: list[int], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(home)
    assert works(tmp_path / "link", url, filled)
    assert recorded(home, url)[0] == str(home.resolve())


def test_a_container_whose_name_changes_is_let_in(home: Path, url: str, filled: list[int]) -> None:
    with Library.open(home, url) as library, library.write() as session:
        session.execute(update(LibraryMark).values(host="4f1c2d3e5a6b"))
    assert works(home, url, filled)
    assert recorded(home, url)[1] != "4f1c2d3e5a6b"


def test_a_container_with_another_path_is_let_in(home: Path, url: str, filled: list[int]) -> None:
    with Library.open(home, url) as library, library.write() as session:
        session.execute(update(LibraryMark).values(host="4f1c2d3e5a6b", home="/data"))
    assert works(home, url, filled)
    assert recorded(home, url)[0] == str(home.resolve())


def test_a_library_of_an_earlier_version_is_claimed_by_its_home(home: Path, url: str, filled: list[int]) -> None:
    with Library.open(home, url) as library, library.write() as session:
        session.execute(update(LibraryMark).values(host=None, home=None))
    with pytest.raises(LibraryError, match="another home"):
        Library.open(home.with_name("second"), url, create=True)
    assert works(home, url, filled)
    assert recorded(home, url)[0] == str(home.resolve())


def test_a_library_without_vectors_may_be_adopted(home: Path, url: str, tmp_path: Path) -> None:
    Library.open(home, url, create=True).close()
    with Library.open(tmp_path / "second", url, create=True) as library, library.exclusive():
        Stock(library).add_pictures(1)
    assert recorded(tmp_path / "second", url)[0] == str((tmp_path / "second").resolve())
    with pytest.raises(LibraryError, match="is a copy of it"):
        Library.open(home, url)


def test_a_copied_library_with_its_database_inside_is_one_of_its_own(tmp_path: Path) -> None:
    with Library.open(tmp_path / "a", create=True) as library, library.exclusive():
        ids = Stock(library).add_pictures(3)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    for home in (tmp_path / "a", tmp_path / "b"):
        with Library.open(home) as library, library.exclusive():
            assert len(library.vectors.fetch(ids)) == 3
    assert json.loads((tmp_path / "b" / "library.json").read_text())["uid"]

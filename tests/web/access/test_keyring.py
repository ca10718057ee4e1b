"""Keys in memory: read again soon, kept for a minute where the database fails, and then for nobody."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from search.errors import LibraryError
from search.keys import Scope, add_key, match_key, revoke_key
from search.library import Library
from search.settings import Settings
from web.access import keyring
from web.access.keyring import KeyRing


@pytest.fixture
def own_home(home: Path, tmp_path: Path) -> Path:
    return shutil.copytree(home, tmp_path / "home")


def test_a_key_that_is_made_or_ended_meanwhile_is_soon_known(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "FRESH_S", 0.0)
    ring = KeyRing(Settings(home=own_home))

    async def work() -> None:
        assert await ring.living() == ()
        with Library.open(own_home) as library:
            _, key = add_key(library, "phone", Scope.READ)
            assert match_key(await ring.living(), key) is not None
            revoke_key(library, "phone")
        assert match_key(await ring.living(), key) is None

    asyncio.run(work())
    ring.close()


def test_where_there_is_no_library_there_is_no_key_until_one_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "FRESH_S", 0.0)
    ring = KeyRing(Settings(home=tmp_path / "new"))

    async def work() -> None:
        assert await ring.living() == ()
        with Library.open(tmp_path / "new", create=True) as library:
            _, key = add_key(library, "phone", Scope.READ)
        assert match_key(await ring.living(), key) is not None

    asyncio.run(work())
    ring.close()


def test_a_database_that_fails_lets_in_who_was_let_in_and_soon_nobody(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keyring, "FRESH_S", 0.0)
    ring = KeyRing(Settings(home=own_home))

    async def work() -> None:
        with Library.open(own_home) as library:
            _, key = add_key(library, "phone", Scope.READ)
        assert match_key(await ring.living(), key) is not None
        database = own_home / "deixis.db"
        ring.close_library()
        database.rename(own_home / "moved.db")
        database.write_bytes(b"no database at all" * 1000)
        assert match_key(await ring.living(), key) is not None
        assert match_key(await ring.living(), key) is not None
        assert caplog.text.count("keys cannot be read") == 1
        monkeypatch.setattr(keyring, "STALE_S", 0.0)
        with pytest.raises(LibraryError):
            await ring.living()
        database.unlink()
        (own_home / "moved.db").rename(database)
        assert match_key(await ring.living(), key) is not None

    asyncio.run(work())
    ring.close()

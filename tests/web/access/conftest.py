"""The application as others reach it: keys of every scope, and clients that come from anywhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from search.keys import Scope, add_key
from search.library import Library
from search.settings import Settings
from web.app import create_app

PHONE = "192.168.1.20"
PROXY = "10.0.0.1"

Open = Callable[..., TestClient]


@pytest.fixture(scope="module")
def keyed_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Scope, str]]:
    """A copy of the library with a key of every scope."""
    copy = shutil.copytree(home, tmp_path_factory.mktemp("keyed") / "home")
    with Library.open(copy) as library:
        return copy, {scope: add_key(library, scope.word, scope)[1] for scope in Scope}


@pytest.fixture(scope="module")
def keys(keyed_home: tuple[Path, dict[Scope, str]]) -> dict[Scope, str]:
    return keyed_home[1]


@pytest.fixture(scope="module")
def opened(settings: Settings, keyed_home: tuple[Path, dict[Scope, str]]) -> Iterator[Open]:
    """Opens an application with settings, for a client at an address; the same application for the same settings."""
    with ExitStack() as stack:
        apps: dict[Settings, TestClient] = {}

        def client(
            client_at: str = PHONE, host: str = "192.168.1.5:8484", bind: str = "0.0.0.0", **changes: object
        ) -> TestClient:
            asked = replace(settings, **{"home": keyed_home[0], "host": bind, **changes})  # type: ignore[arg-type]
            if asked not in apps:
                apps[asked] = stack.enter_context(TestClient(create_app(asked), base_url="http://localhost"))
            made = TestClient(
                apps[asked].app, base_url=f"http://{host}", client=(client_at, 50_000), follow_redirects=False
            )
            stack.callback(made.close)
            return made

        yield client


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}

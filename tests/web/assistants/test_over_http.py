"""The tools behind the gate: from elsewhere a key decides, call by call."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from search.keys import Scope, add_key
from search.library import Library
from search.settings import Settings

pytest.importorskip("mcp", reason="needs the extra mcp")
from web.assistants.serving import mcp_app

PROTOCOL = "2025-06-18"


@pytest.fixture(scope="module")
def keyed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Scope, str]]:
    copy = shutil.copytree(home, tmp_path_factory.mktemp("http") / "home")
    with Library.open(copy) as library:
        return copy, {scope: add_key(library, scope.word, scope)[1] for scope in Scope}


@pytest.fixture(scope="module")
def client(settings: Settings, keyed: tuple[Path, dict[Scope, str]]) -> Iterator[TestClient]:
    app = mcp_app(replace(settings, home=keyed[0], host="0.0.0.0"))
    with TestClient(app, base_url="http://192.168.1.5:8485", client=("192.168.1.20", 50_000)) as client:
        yield client


def call(client: TestClient, key: str | None, tool: str, **arguments: object) -> Any:
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": PROTOCOL}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    params = {"name": tool, "arguments": arguments}
    return client.post(
        "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, headers=headers
    )


def test_without_a_key_nobody_calls(client: TestClient) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = client.request(method, "/mcp", headers={"accept": "text/html"}, follow_redirects=False)
        assert answer.status_code == 401
    assert call(client, None, "search", query="red").status_code == 401
    assert call(client, "dxs_" + "A" * 43, "search", query="red").status_code == 401


@pytest.mark.parametrize("scope", list(Scope))
def test_each_tool_asks_for_its_scope(client: TestClient, keyed: tuple[Path, dict[Scope, str]], scope: Scope) -> None:
    key = keyed[1][scope]
    needed = {"picture": Scope.READ, "search": Scope.SEARCH, "similar": Scope.SEARCH, "update_library": Scope.JOBS}
    arguments: dict[str, dict[str, object]] = {
        "picture": {"image_id": 1}, "search": {"query": "red"}, "similar": {"image_id": 1}, "update_library": {}
    }  # fmt: skip
    for tool, least in needed.items():
        answer = call(client, key, tool, **arguments[tool])
        assert answer.status_code == 200, answer.text
        assert answer.json()["result"].get("isError", False) is (scope < least), (tool, answer.text)
    picture = call(client, key, "picture", image_id=1).json()["result"]["structuredContent"]
    assert ("/" in picture["files"][0]) is (scope is Scope.ADMIN)


def test_a_body_beyond_the_limit_is_refused(client: TestClient, keyed: tuple[Path, dict[Scope, str]]) -> None:
    assert call(client, keyed[1][Scope.ADMIN], "search", query="x" * 2_000_000).status_code == 413

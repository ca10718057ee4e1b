"""The tools through the protocol's own client, over the pipes of a real process and over HTTP."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image

from search.jobs.rows import list_jobs
from search.keys import Scope, add_key
from search.library import Library

pytest.importorskip("mcp", reason="needs the extra mcp")
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, ImageContent, TextContent

ROOT = Path(__file__).resolve().parents[3]
T = TypeVar("T")


@pytest.fixture(scope="module")
def own_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Scope, str]]:
    """A copy of the library with keys."""
    copy = shutil.copytree(home, tmp_path_factory.mktemp("assistants") / "home")
    with Library.open(copy) as library:
        return copy, {scope: add_key(library, scope.word, scope)[1] for scope in Scope}


def piped(home: Path, work: Callable[[Client], Awaitable[T]], **settings: str) -> T:
    """Do something with a `deixis mcp` of its own."""
    environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "DEIXIS_HOME": str(home), **settings}

    async def run() -> T:
        parameters = StdioServerParameters(command=sys.executable, args=["-m", "deixis", "mcp"], env=environment)
        async with Client(parameters, read_timeout_seconds=60) as client:
            return await work(client)

    return asyncio.run(run())


def structured(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


def refused(result: CallToolResult) -> str:
    assert result.is_error
    (said,) = result.content
    assert isinstance(said, TextContent)
    return said.text


def test_over_the_pipes_an_assistant_searches_and_looks(own_home: tuple[Path, dict[Scope, str]]) -> None:
    async def work(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {
            "search",
            "similar",
            "facets",
            "picture",
        }  # neither questions without a captioner, nor jobs without a key
        assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools.values())

        found = structured(await client.call_tool("search", {"query": "a red wall", "count": 3}))
        best = found["hits"][0]
        assert best["file"] == "red.png"
        assert "a red wall" in [box["phrase"].lower() for box in best["boxes"]]
        assert all(0 <= corner <= 1 for box in best["boxes"] for corner in box["box"])
        assert found["more"]
        only = structured(await client.call_tool("search", {"query": "name:blue*"}))
        assert [hit["file"] for hit in only["hits"]] == ["blue.png"]
        said = structured(await client.call_tool("search", {"query": '"white box" red'}))["hits"][0]
        assert said["caption"] == "A red wall with a white box."
        near = structured(await client.call_tool("similar", {"image_id": best["image_id"], "count": 2}))
        assert best["image_id"] not in [hit["image_id"] for hit in near["hits"]]

        counted = structured(await client.call_tool("facets", {}))
        values = {facet["name"]: facet["values"] for facet in counted["facets"]}
        assert (counted["of"], "folder" in values) == ("library", False)
        assert ["jpeg", "format:jpeg"] in [[text, token] for text, _, token in values["format"]]
        of_red = structured(await client.call_tool("facets", {"query": "name:red*"}))
        assert (of_red["pictures"], of_red["of"]) == (1, "filters")

        looked = await client.call_tool("picture", {"image_id": best["image_id"]})
        assert structured(looked)["files"] == ["red.png"]
        assert [caption["text"] for caption in structured(looked)["captions"]] == ["A red wall with a white box."]
        shown = looked.content[0]
        assert isinstance(shown, ImageContent)
        with Image.open(io.BytesIO(base64.b64decode(shown.data))) as picture:
            assert Image.MIME[picture.format or ""] == shown.mime_type
            assert max(picture.size) <= 512
            red, green, _ = picture.convert("RGB").getpixel((2, 2))  # type: ignore[misc]
            assert (red > 200, green < 60) == (True, True)

        assert "no picture" in refused(await client.call_tool("picture", {"image_id": 999_999})).lower()
        assert "size" in refused(await client.call_tool("search", {"query": "size:huge"}))
        for wrong in ({"query": "x" * 1001}, {"query": "red", "count": 51}, {"query": "red", "offset": -1}, {}):
            refused(await client.call_tool("search", wrong))

    piped(own_home[0], work)


def test_a_key_says_what_more_or_less_an_assistant_may(own_home: tuple[Path, dict[Scope, str]]) -> None:
    home, keys = own_home

    async def start(client: Client) -> tuple[int, int, str]:
        first = structured(await client.call_tool("update_library"))
        again = structured(await client.call_tool("update_library"))
        hit = structured(await client.call_tool("search", {"query": "red"}))["hits"][0]
        return first["job"], again["job"], hit["file"]

    first, again, file = piped(home, start, DEIXIS_KEY=keys[Scope.ADMIN])
    assert first == again
    assert Path(file).is_absolute()
    with Library.open(home) as library:
        assert [(job.id, job.kind, job.state) for job in list_jobs(library)] == [(first, "index", "queued")]

    async def read(client: Client) -> tuple[set[str], str]:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        structured(await client.call_tool("picture", {"image_id": 1}))
        return tools, refused(await client.call_tool("search", {"query": "red"}))

    tools, said = piped(home, read, DEIXIS_KEY=keys[Scope.READ])
    assert "update_library" not in tools
    assert "needs the scope search" in said


def test_a_key_that_opens_nothing_is_said_before_anything_is_answered(own_home: tuple[Path, object]) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DEIXIS_HOME": str(own_home[0]), "DEIXIS_KEY": "dxs_wrong"}
    ended = subprocess.run(
        [sys.executable, "-m", "deixis", "mcp"],
        env=environment,
        input="",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "DEIXIS_KEY opens nothing" in ended.stderr
    assert ended.stdout == ""


def test_without_a_library_the_tools_say_what_to_do(tmp_path: Path) -> None:
    async def work(client: Client) -> str:
        return refused(await client.call_tool("search", {"query": "red"}))

    said = piped(tmp_path / "nothing", work)
    assert "deixis index" in said
    assert not (tmp_path / "nothing").exists()


@contextmanager
def serving(home: Path, *arguments: str, host: str = "127.0.0.1") -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "DEIXIS_HOME": str(home)}
    command = [sys.executable, "-m", "deixis", "mcp", "--http", f"{host}:{port}", *arguments]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            assert line.startswith("Deixis answers assistants on "), line
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_over_http_this_machine_searches_and_a_foreign_page_does_not(own_home: tuple[Path, dict[Scope, str]]) -> None:
    import httpx2

    async def search(address: str) -> CallToolResult:
        async with Client(address, read_timeout_seconds=60) as client:
            return await client.call_tool("search", {"query": "a red wall", "count": 1})

    with serving(own_home[0]) as address:
        assert structured(asyncio.run(search(address)))["hits"][0]["file"].endswith("red.png")
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        for headers, status in (
            ({"origin": "https://evil.example"}, 403),
            ({"sec-fetch-site": "cross-site"}, 403),
            ({"host": "evil.example"}, 421),
            ({"x-forwarded-for": "192.168.1.20"}, 403),
        ):
            answer = httpx2.post(
                address, json=call, headers={"accept": "application/json, text/event-stream", **headers}
            )
            assert answer.status_code == status, (headers, answer.text)

"""Jobs over HTTP: only what may be asked for, once for each key, followed and steered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from indexer.jobs.kinds import form_of
from indexer.pipeline import index_paths
from search.jobs.queue import Queue
from search.jobs.rows import list_jobs, show_job
from search.keys import Scope, add_key
from search.library import Library
from search.settings import Settings
from vision.encoders.colour import ColourEncoder
from web.app import create_app

ASKED: list[dict[str, Any]] = [
    {"kind": "index"},
    {"kind": "index", "retry_refused": True, "rescan": True},
    {"kind": "caption", "captioner": "storybook-captioner", "detail": "detailed", "language": "de"},
    {"kind": "read", "thorough": True},
    {"kind": "rebuild", "compact": True},
]
REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"kind": "index", "folders": ["/no/such/folder"]}, 400),
    ({"kind": "index", "folders": ["relative"]}, 400),
    ({"kind": "index", "folders": ["/nul\0"]}, 400),
    ({"kind": "index", "folders": ["/"] * 101}, 422),
    ({"kind": "index", "prune": True}, 422),
    ({"kind": "export", "folder": "/tmp/x"}, 422),
    ({"kind": "caption", "captioner": "/etc/passwd"}, 400),
    ({"kind": "caption", "language": "../x"}, 422),
    ({}, 422),
]


@pytest.fixture
def own(tmp_path: Path, pictures: Path) -> Iterator[tuple[TestClient, Library]]:
    """A library of its own, whose queue the test fills."""
    home = tmp_path / "home"
    with Library.open(home, create=True) as library:
        index_paths(library, ColourEncoder(), [pictures])
        with TestClient(create_app(Settings(home=home, threads=1)), base_url="http://localhost") as client:
            yield client, library


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_asked_for_is_a_form_that_a_worker_runs(own: tuple[TestClient, Library], asked: dict[str, Any]) -> None:
    client, library = own
    answer = client.post("/api/v1/jobs", json=asked)
    assert answer.status_code == 201, answer.text
    number = answer.json()["id"]
    assert answer.headers["location"] == f"/api/v1/jobs/{number}"
    details = show_job(library, number)
    form = form_of(details.info.kind, details.arguments)
    claim = Queue(library).claim()
    assert claim is not None
    assert (claim.id, claim.lane) == (number, form.lane)


@pytest.mark.parametrize(("asked", "status"), REFUSED)
def test_anything_else_is_refused(own: tuple[TestClient, Library], asked: dict[str, Any], status: int) -> None:
    client, _ = own
    assert client.post("/api/v1/jobs", json=asked).status_code == status
    assert client.get("/api/v1/jobs?unended=true").json()["jobs"] == []


def start(client: TestClient, where: str, folders: list[str], key: str | None) -> Any:
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    if where == "api":
        return client.post("/api/v1/jobs", json={"kind": "index", "folders": folders}, headers=headers)
    data = {"kind": "index", "folders": "\n".join(folders)}
    return client.post("/jobs", data=data, headers={**headers, "accept": "text/html"}, follow_redirects=False)


@pytest.mark.parametrize("where", ["api", "page"])
def test_only_who_keeps_the_library_names_new_folders(
    own: tuple[TestClient, Library], tmp_path: Path, where: str
) -> None:
    client, library = own
    known, new = tmp_path / "known", tmp_path / "known too"
    for folder in (known / "below", new):
        folder.mkdir(parents=True)
    (known / "way out").symlink_to(new)
    index_paths(library, ColourEncoder(), [known])
    keys = {scope: add_key(library, scope.word, scope)[1] for scope in (Scope.JOBS, Scope.ADMIN)}
    done = 201 if where == "api" else 303
    for folders in ([], [f"{known}"], [f"{known}/below/../below/"]):
        assert start(client, where, folders, keys[Scope.JOBS]).status_code == done
        asked = show_job(library, list_jobs(library, limit=1)[0].id).arguments["paths"]
        assert asked == [os.path.normpath(folder) for folder in folders]
    for outside in (
        new,
        known / "way out",
        known / "way out/../known too",
        known / ".." / "known too",
        known.parent,
        "/etc",
        "~",
        "/no/such/folder",
    ):
        refused = start(client, where, [str(known), str(outside)], keys[Scope.JOBS])
        assert refused.status_code == 400
        said = f"{Path(outside).name} is not in a folder of the library"
        assert said in refused.text, "neither where it leads, nor whether it is there"
    for key in (keys[Scope.ADMIN], None):
        assert start(client, where, [str(new)], key).status_code == done


def test_a_key_queues_one_job_however_often_it_is_sent(own: tuple[TestClient, Library]) -> None:
    client, _ = own
    said = [client.post("/api/v1/jobs", json={"kind": "index"}, headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert [answer.status_code for answer in said] == [201, 200, 200]
    assert len({answer.json()["id"] for answer in said}) == 1
    other = client.post("/api/v1/jobs", json={"kind": "rebuild"}, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["type"]) == (409, "urn:deixis:problem:key-reused")


def test_jobs_are_steered_and_their_events_follow(own: tuple[TestClient, Library]) -> None:
    client, _ = own
    number = client.post("/api/v1/jobs", json={"kind": "index"}).json()["id"]
    address = f"/api/v1/jobs/{number}"
    assert client.patch(address, json={"ask": "pause"}).json()["state"] == "paused"
    assert client.patch(address, json={"ask": "retry"}).status_code == 400
    assert client.patch(address, json={"ask": "cancel"}).json()["state"] == "cancelled"
    events = client.get(f"{address}/events").json()
    assert [one["what"] for one in events["events"]] == ["queued", "asked to pause", "asked to cancel"]
    behind = events["events"][0]["id"]
    assert len(client.get(f"{address}/events?after={behind}").json()["events"]) == 2
    stream = client.get(f"{address}/events", headers={"Accept": "text/event-stream", "Last-Event-ID": str(behind)})
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert [line for line in stream.text.splitlines() if line.startswith("event:")] == [
        "event: happened", "event: happened", "event: progress",
    ]  # fmt: skip
    details = client.get(address).json()
    assert (details["state"], len(details["events"]), details["kind"]) == ("cancelled", 3, "index")
    assert client.get("/api/v1/jobs/999").status_code == 404
    assert client.patch("/api/v1/jobs/999", json={"ask": "pause"}).status_code == 404


def test_pages_of_jobs_follow_each_other(own: tuple[TestClient, Library]) -> None:
    client, _ = own
    numbers = [client.post("/api/v1/jobs", json={"kind": "index"}).json()["id"] for _ in range(3)]
    address, found = "/api/v1/jobs?k=2&unended=true", []
    while address:
        page = client.get(address).json()
        found += [job["id"] for job in page["jobs"]]
        address = page["next"]
    assert found == numbers[::-1]

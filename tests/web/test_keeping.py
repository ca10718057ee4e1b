"""The pages for whoever keeps a library: they work by forms alone, and say what is so."""

from __future__ import annotations

import asyncio
import html
import json
import os
import re
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path

import pytest
from PIL import Image as Pictures
from starlette.testclient import TestClient

from indexer.pipeline import index_paths
from indexer.worker import work
from search.jobs.queue import Queue
from search.jobs.rows import list_jobs, show_job
from search.library import Library
from search.settings import Settings
from vision.encoders.colour import ColourEncoder
from web import templating, wording
from web.api import jobs as api_jobs
from web.app import create_app
from web.events import event
from web.keeping import news
from web.languages import LANGUAGES, Language, speaking

PAGES = ("/library", "/library/unreadable", "/library/duplicates", "/jobs", "/jobs?before=9", "/jobs/1")
HOSTILE = '<img src=x onerror=alert(1)>"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / f"my {HOSTILE.replace('/', '')} pictures"
    made.mkdir()
    for number in range(3):
        Pictures.new("RGB", (40, 30), (200, 90 * number, 0)).save(made / f"{number}.png")
    (made / "copy.png").write_bytes((made / "0.png").read_bytes())
    (made / "<b>broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return made


@pytest.fixture
def settings(tmp_path: Path, folder: Path) -> Settings:
    home = tmp_path / "home"
    with Library.open(home, create=True) as library:
        index_paths(library, ColourEncoder(), [folder])
        Queue(library).add("index", "pictures", {"paths": [str(folder)], "options": {}, "encoder": {}})
    return Settings(home=home, threads=1, decode_workers=1, model="colour")


@pytest.fixture
def keeper(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), base_url="http://localhost", headers={"accept": "text/html"}) as client:
        yield client


def queued(settings: Settings, job_id: int) -> dict[str, object]:
    with Library.open(settings.home) as library:
        return show_job(library, job_id).arguments


def test_each_page_is_there_in_each_language(keeper: TestClient) -> None:
    for code, language in LANGUAGES.items():
        for address in PAGES:
            answer = keeper.get(address, headers={"accept-language": code})
            assert answer.status_code == 200, answer.text
            assert f'<html lang="{language.tag}">' in answer.text
            assert HOSTILE not in answer.text
            assert "<b>broken" not in answer.text


def test_the_library_page_has_folders_counts_and_what_is_pending(keeper: TestClient, folder: Path) -> None:
    page = keeper.get("/library").text
    assert html.escape(str(folder), quote=False)[:20] in page
    assert "4 picture files" in page
    assert "1 could not be read" in page
    assert "reach-here" in page
    assert "No captioner has written" in page
    assert "colour" in page


def test_the_library_page_says_that_pictures_are_being_indexed(keeper: TestClient, settings: Settings) -> None:
    assert "state-indexing" not in keeper.get("/library").text
    with Library.open(settings.home) as library:
        queue = Queue(library)
        assert queue.claim() is not None
        assert "state-indexing" in keeper.get("/library").text
        queue.close()


def test_a_drive_that_is_gone_is_named(keeper: TestClient, folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    page = keeper.get("/library").text
    assert "reach-gone" in page
    assert "is its drive connected?" in page


def test_a_folder_whose_name_is_no_text_is_shown_and_asked_for_by_none(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    Pictures.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    shutil.move(tmp_path / "red.png", folder)
    (folder / "broken.png").write_bytes(b"no")
    home = tmp_path / "home"
    with Library.open(home, create=True) as library:
        index_paths(library, ColourEncoder(), [folder])
        Queue(library).add("index", "pictures", {"paths": [str(folder)], "options": {}, "encoder": {}})
    app = create_app(Settings(home=home, threads=1, decode_workers=1))
    with TestClient(app, base_url="http://localhost", headers={"accept": "text/html"}) as client:
        for address in PAGES:
            answer = client.get(address)
            assert answer.status_code == 200, answer.text
        page = client.get("/library").text
        assert "caf\ufffd" in page
        assert 'name="folders"' not in page


def test_unreadable_files_have_reasons_and_can_be_tried_again(keeper: TestClient, settings: Settings) -> None:
    page = keeper.get("/library/unreadable").text
    assert "&lt;b&gt;broken.jpg" in page
    assert "The file is" in page
    answer = keeper.post("/jobs", data={"kind": "index", "retry_refused": "on"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/jobs/2")
    asked = queued(settings, 2)
    assert asked["paths"] == []
    assert asked["options"] == {"decode_workers": 1, "retry_refused": True}


def test_copies_are_grouped_and_lead_to_their_pictures(keeper: TestClient) -> None:
    page = keeper.get("/library/duplicates").text
    assert "The same bytes" in page
    assert page.count('class="path" href="/images/') == 2


def test_a_form_starts_a_job_that_a_worker_can_run(keeper: TestClient, settings: Settings, folder: Path) -> None:
    data = {"kind": "index", "folders": f"  {folder}\n\n", "exclude": "raw/\n*.psd", "rescan": "on", "token": "x"}
    answer = keeper.post("/jobs", data=data)
    assert answer.status_code == 200
    assert "Job 2: Index pictures" in answer.text
    keeper.post("/jobs/1/cancel")
    with Library.open(settings.home) as library:
        assert work(library, until_empty=True).done == 1
        assert show_job(library, 2).info.state == "done"
    page = keeper.get("/jobs/2").text
    assert "4 files unchanged" in page or "files unchanged" in page
    assert "could not be read" in page


def test_what_cannot_be_started_is_said_beside_its_form_which_keeps_what_was_typed(keeper: TestClient) -> None:
    answer = keeper.post("/jobs", data={"kind": "index", "folders": "/no/such/<i>folder"})
    assert answer.status_code == 400
    assert 'id="index-problem"' in answer.text
    assert "no such file or folder" in answer.text
    assert "/no/such/&lt;i&gt;folder</textarea>" in answer.text
    assert keeper.post("/jobs", data={"kind": "export"}).status_code == 400


@pytest.mark.parametrize("data", [{}, {"kind": ["a", "b"]}, {"kind": "index", "rescan": "x" * 9}, {"kind": "\0"}])
def test_a_foreign_form_starts_nothing_that_is_not_there(keeper: TestClient, data: dict[str, object]) -> None:
    assert keeper.post("/jobs", data=data).status_code in (200, 400)


def test_too_many_fields_are_refused(keeper: TestClient) -> None:
    assert keeper.post("/jobs", data={f"f{number}": "" for number in range(200)}).status_code == 400


def test_jobs_are_paused_resumed_cancelled_and_retried_by_buttons(keeper: TestClient) -> None:
    for wish, state in (("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled"), ("retry", "waiting")):
        page = keeper.get("/jobs").text
        assert f'action="/jobs/1/{wish}"' in page
        assert f">{state}</p>" in keeper.post(f"/jobs/1/{wish}").text
    assert keeper.post("/jobs/1/resume").status_code == 400
    assert keeper.post("/jobs/1/explode").status_code == 422
    assert keeper.post("/jobs/99/pause").status_code == 404
    assert keeper.get("/jobs/99").status_code == 404


def test_the_jobs_page_says_who_is_there_to_work(
    keeper: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "LOOK_S", 0.0)
    assert f"<code>deixis worker --home {settings.home}</code>" in keeper.get("/jobs").text
    with Library.open(settings.home) as library:
        worker = Queue(library)
        worker.open_for_work()
        assert "1 worker is here" in keeper.get("/jobs").text
        worker.close()
        with library.watching():
            assert "Folders are being watched." in keeper.get("/jobs").text
        assert "Folders are not watched" in keeper.get("/jobs").text


def test_older_jobs_are_on_the_next_page(keeper: TestClient, settings: Settings) -> None:
    with Library.open(settings.home) as library:
        for _ in range(news.ENDED_LISTED + 3):
            keeper.post(f"/jobs/{Queue(library).add('rebuild', None, {})}/cancel")
        assert len(list_jobs(library, ended=True)) == news.ENDED_LISTED + 3
    (address,) = re.findall(r'href="(/jobs[?]before=[0-9]+)"', keeper.get("/jobs").text)
    older = keeper.get(address).text
    assert older.count('class="job ') == 3
    assert "Older jobs" not in older
    assert "There are no older jobs." in keeper.get("/jobs?before=1").text


def test_open_pages_are_told_what_becomes_of_jobs(keeper: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "STREAM_S", 0.05)
    monkeypatch.setattr(news, "LOOK_S", 0.01)
    answer = keeper.get("/jobs/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.startswith("retry: ")
    assert answer.text.count("event: jobs\n") == 1, "what is as before is not said again"
    assert "data: " in answer.text
    assert "Index pictures" in answer.text
    assert "What happened" in keeper.get("/jobs/events", params={"job": 1}).text
    assert "en attente" in keeper.get("/jobs/events", headers={"accept-language": "fr"}).text
    arrived = keeper.get("/jobs/events", params={"view": "welcome"}).text
    assert 'href="/" data-go' in arrived


def test_an_event_is_whole_whatever_lines_it_has() -> None:
    assert event("jobs", "a\r\nb\n\nc") == "event: jobs\ndata: a\ndata: b\ndata: \ndata: c\n\n"
    assert event("happened", '"a\u2028b\x85c"', 7) == 'id: 7\nevent: happened\ndata: "a\u2028b\x85c"\n\n'


def test_streams_are_bounded_and_give_their_places_back(keeper: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "STREAM_S", 0.02)
    monkeypatch.setattr(news, "LOOK_S", 0.01)
    places = keeper.app.state.news.places  # type: ignore[attr-defined]
    places.most = 1
    assert [keeper.get("/jobs/events").status_code for _ in range(3)] == [200, 200, 200]
    places.most = 0
    refused = keeper.get("/jobs/events")
    assert refused.status_code == 503
    assert refused.headers["retry-after"]


def test_an_empty_home_is_told_what_to_do_and_a_form_does_it(tmp_path: Path, folder: Path) -> None:
    settings = Settings(home=tmp_path / "new home", threads=1, decode_workers=1, model="colour")
    with TestClient(create_app(settings), base_url="http://localhost", headers={"accept": "text/html"}) as client:
        for address in ("/", "/library", "/jobs"):
            page = client.get(address)
            assert page.url.path == "/welcome"
        assert f"deixis index ~/Pictures --home &#39;{settings.home}&#39;" in page.text
        assert client.post("/welcome", data={"folders": "/no/such"}).status_code == 400
        assert client.post("/welcome", data={}).status_code == 400
        assert not settings.home.exists(), "what is refused makes nothing"
        begun = client.post("/welcome", data={"folders": str(folder)})
        assert begun.status_code == 200
        assert "No worker is here" in begun.text
        with Library.open(settings.home) as library:
            assert work(library, until_empty=True).done == 1
        found = client.get("/welcome")
        assert found.url.path == "/"
        assert "4 pictures" in found.text or "3 pictures" in found.text


def test_the_first_run_says_which_model_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "no cache"))
    settings = Settings(home=tmp_path / "home", model=str(tmp_path / "no model"))
    with TestClient(create_app(settings), base_url="http://localhost", headers={"accept": "text/html"}) as client:
        page = client.get("/welcome").text
    assert "deixis models pull" in page
    assert 'action="/welcome"' not in page


def test_the_token_of_a_form_has_one_home() -> None:
    templates = {path.name: path.read_text("utf-8") for path in (templating.FOLDER / "templates").glob("*.html")}
    assert [name for name, text in templates.items() if "csrf_token" in text] == ["_forms.html"]
    for name, text in templates.items():
        for form in re.findall(r'<form [^>]*method="post".*?</form>', text, re.DOTALL):
            assert "token() }}" in form or "at('/sign-in')" in form, f"{name}: only who is not signed in has no token"


def test_reports_say_numbers_and_what_lies_behind_them() -> None:
    from web.keeping.words import report_lines

    report = json.loads('{"embedded": 3, "unchanged": 0, "refused": [{"path": "/a", "reason": "empty: no"}], '
                        '"refused_left_out": 9, "stages": {}, "unheard_of": 4}')  # fmt: skip
    assert [(line.count, line.entries) for line in report_lines(report)] == [(3, ()), (10, ("/a: empty: no",))]
    assert report_lines(None) == []


@pytest.mark.parametrize("address", ["/jobs/events", "/api/v1/jobs/1/events"])
@pytest.mark.parametrize("slow", [False, True])
def test_a_stream_ends_with_whoever_listened(
    keeper: TestClient, monkeypatch: pytest.MonkeyPatch, address: str, slow: bool
) -> None:
    places = keeper.app.state.news.places if address == "/jobs/events" else api_jobs._PLACES  # type: ignore[attr-defined]
    held = []
    monkeypatch.setattr(news, "STREAM_S", 600.0)
    monkeypatch.setattr(news, "LOOK_S", 0.01)

    async def leaves_at_once() -> None:
        told = asyncio.Event()

        async def receive() -> dict[str, object]:
            if not asked:
                asked.append(True)
                return {"type": "http.request", "body": b"", "more_body": False}
            await told.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, object]) -> None:
            if message.get("body"):
                held.append(places.taken)
                told.set()
                if slow:  # what was sent does not get through any more
                    await asyncio.Event().wait()

        asked: list[bool] = []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": address,
            "raw_path": address.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost"), (b"accept", b"text/event-stream")],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        await asyncio.wait_for(keeper.app(scope, receive, send), 30.0)

    assert keeper.portal is not None
    keeper.portal.call(leaves_at_once)
    assert (held[0], places.taken) == (1, 0)


STATES = """{% import "_states.html" as states with context %}{{ states.empty() }}{{ states.nothing_relevant() }}
{{ states.indexing() }}{{ states.model_loading() }}{{ states.captions_pending(1) }}{{ states.captions_pending(1234) }}
{{ states.missing_file() }}{{ states.offline_drive() }}{{ states.overloaded() }}"""


@pytest.mark.parametrize("language", LANGUAGES.values(), ids=lambda language: language.code)
def test_every_state_has_its_own_look_and_words(language: Language) -> None:
    environment = templating._templates.env
    with speaking(language):
        page = environment.from_string(STATES).render()
    paths = re.findall(r'<path d="([^"]+)"/>', page)
    assert len(paths) == 9
    assert len(set(paths)) == 8, "one is there twice, for one picture and for many"
    assert len(set(re.findall(r"<h\d>(.*?)</h\d>", page))) == 8
    assert wording_of(1234, language) in page


def wording_of(count: int, language: Language) -> str:
    with speaking(language):
        return wording.number(count)


def test_an_overloaded_server_says_when_to_come_again(keeper: TestClient) -> None:
    keeper.app.state.news.places.most = 0  # type: ignore[attr-defined]
    refused = keeper.get("/jobs/events?job=1")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert "state-overloaded" in refused.text
    assert 'href="/jobs/events?job=1"' in refused.text, "the way to try again"

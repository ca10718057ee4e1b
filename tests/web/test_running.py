"""What an operator sees: readiness, figures, and a log line for each request that no client can forge."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from search.errors import SettingsError
from search.jobs.queue import Queue
from search.library import Library
from search.service import Readiness
from search.settings import Settings, load_settings
from web.admission.costs import Cost
from web.admission.gate import Gate
from web.admission.lanes import lane_limits
from web.app import create_app
from web.figures import Shared, added, figures_of
from web.logs import JsonFormatter, TextFormatter, TrulyKilled, request_id

HOSTILE = "/images/%0A2026-01-01 ERROR forged%1b[31m%E2%80%AE"


class Lines(logging.Handler):
    """Keeps what a formatter makes of each event."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.formatter = formatter
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(params=[TextFormatter, JsonFormatter])
def lines(request: pytest.FixtureRequest) -> Iterator[Lines]:
    kept = Lines(request.param())
    log = logging.getLogger("web.request_log")
    before = log.level
    log.addHandler(kept)
    log.setLevel(logging.INFO)
    yield kept
    log.removeHandler(kept)
    log.setLevel(before)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float:
    return samples(text)[name, frozenset(labels.items())]


def test_every_request_has_a_line_without_what_was_searched_for(client: TestClient, lines: Lines) -> None:
    answer = client.get("/api/v1/search?q=a+private+matter&k=1", headers={"x-request-id": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    (line,) = lines.lines
    assert "private" not in line
    assert "abc-1" in line
    if isinstance(lines.formatter, JsonFormatter):
        event = json.loads(line)
        assert (event["method"], event["route"], event["status"]) == ("GET", "/api/v1/search", 200)
        assert (event["cost"], event["request"], event["bytes"]) == ("search", "abc-1", len(answer.content))
        assert event["took_ms"] >= event["waited_ms"] >= 0
    else:
        assert f"GET /api/v1/search 200 {len(answer.content)} B" in line


def test_no_path_breaks_a_line_or_steers_a_terminal(client: TestClient, lines: Lines) -> None:
    assert client.get(HOSTILE).status_code == 422
    (line,) = lines.lines
    assert line.isprintable()
    assert "forged" in line


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a"b', "<b>", "a\tb", "ü"])
def test_a_number_that_is_not_sane_is_replaced(client: TestClient, given: str) -> None:
    found = client.get("/healthz", headers={"x-request-id": given.encode("latin-1")}).headers["x-request-id"]
    assert re.fullmatch(r"[0-9a-f]{16}", found)


def test_refusals_of_every_layer_have_a_number(client: TestClient) -> None:
    assert client.get("/healthz", headers={"host": "evil.example"}).headers["x-request-id"]
    assert client.get("/no/such/page").headers["x-request-id"]


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_a_stack_trace_cannot_pass_for_other_lines(formatter: logging.Formatter) -> None:
    token = request_id.set("n1")
    try:
        raise ValueError("first\n2026-01-01 ERROR forged\x1b[2J")
    except ValueError as error:
        record = logging.LogRecord(
            "web", logging.ERROR, "", 0, "at %s", ("/a\nb\udcff",), (ValueError, error, error.__traceback__)
        )
        text = formatter.format(record)
    finally:
        request_id.reset(token)
    assert "n1" in text
    assert not [line for line in text.split("\n")[1:] if not line.startswith("  | ")]
    assert all(line.isprintable() for line in text.split("\n"))
    text.encode("utf-8")


def test_metrics_tell_lanes_latencies_library_jobs_and_models(settings: Settings, tmp_path: Path) -> None:
    copy = shutil.copytree(settings.home, tmp_path / "home")
    with Library.open(copy) as library:
        Queue(library).add("read", None, {})
    app = create_app(replace(settings, home=copy))
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/readyz").status_code == 200
        for _ in range(3):
            client.get("/api/v1/search?q=red&k=1")
        lane = app.state.gate.lanes[Cost.SEARCH]
        lane.places += 100
        assert client.get("/api/v1/search?q=red").status_code == 503
        answer = client.get("/metrics")
        lane.places -= 100
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = answer.text
    assert value(text, "deixis_answers_total", cost="search", status="200") == 3
    assert value(text, "deixis_lane_refused_total", cost="search", reason="full") == 1
    assert value(text, "deixis_request_seconds_count", cost="search") == 4
    assert value(text, "deixis_request_seconds_bucket", cost="search", le="+Inf") == 4
    assert value(text, "deixis_lane_waiting", cost="search") == 100
    assert value(text, "deixis_lane_running", cost="upload") == 0
    assert value(text, "deixis_library_vectors", kind="images_searched") == 12
    assert value(text, "deixis_models_loaded") == value(text, "deixis_workers") == 1
    assert value(text, "deixis_jobs", state="queued") == 1


def test_metrics_work_without_a_library(empty_client: TestClient) -> None:
    text = empty_client.get("/metrics").text
    assert value(text, "deixis_models_loaded") == 0


def test_figures_of_several_processes_are_added(tmp_path: Path) -> None:
    gates = [Gate(lane_limits(2, 2), 100) for _ in range(2)]
    for number, gate in enumerate(gates):
        gate.lanes[Cost.READ].latencies.add(0.003)
        gate.lanes[Cost.READ].refused["full"] += number
        gate.answered["read", 200] += 1
    total = added([figures_of(gate, model_loaded=True) for gate in gates])
    assert total["lanes"]["read"]["latencies"]["counts"][0] == 2
    assert total["lanes"]["read"]["refused"] == {"full": 1}
    assert (total["answered"], total["workers"], total["models"]) == ({"read 200": 2}, 2, 2)
    shared = Shared(tmp_path)
    shared.leave(figures_of(gates[0], model_loaded=False))
    assert shared.others() == [], "its own are not others'"
    (tmp_path / "figures-1.json").write_text(json.dumps(total))
    (tmp_path / "figures-2.json").write_text("{half")
    assert shared.others() == [total]


def test_readiness_neither_loads_nor_waits_where_it_is_known(settings: Settings) -> None:
    app = create_app(settings)
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/readyz").json()["images"] == 12
        held, begun = threading.Event(), threading.Event()

        def stuck() -> Readiness:
            begun.set()
            assert held.wait(30)
            raise SettingsError("lost")

        ready = app.state.ready
        ready._look = stuck
        ready._looked_at = float("-inf")
        try:
            assert client.get("/readyz").json()["images"] == 12, "what was found last, while a look takes long"
            assert begun.is_set()
        finally:
            held.set()
        ready._looked_at = float("-inf")
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == ["lost"]


def _linger(seconds: float) -> None:
    time.sleep(seconds)


@pytest.mark.parametrize(("seconds", "told"), [(0.05, False), (30.0, True)])
def test_a_killing_is_told_where_it_is_one(seconds: float, told: bool) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_linger, args=(seconds,))
    process.start()
    if not told:
        os.waitid(os.P_PID, process.pid or 0, os.WEXITED | os.WNOWAIT)  # ended, and not collected by anybody
    record = logging.LogRecord("_granian", logging.WARNING, "", 0, "Killing worker-1 after it refused", (), None)
    try:
        assert TrulyKilled().filter(record) is told
    finally:
        process.kill()
        process.join()
    assert TrulyKilled().filter(logging.LogRecord("_granian", logging.INFO, "", 0, "Stopped worker-1", (), None))


@pytest.mark.parametrize(
    ("name", "wrong"), [("WORKERS", "0"), ("WORKERS", "65"), ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml")]
)
def test_a_setting_of_the_server_that_cannot_be_is_refused(name: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=f"DEIXIS_{name} is "):
        load_settings({f"DEIXIS_{name}": wrong})


def test_processes_share_the_cores(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.app.available_cores", lambda: 8)
    lanes = [create_app(replace(settings, workers=count)).state.gate.lanes[Cost.SEARCH] for count in (1, 4)]
    assert [lane.limits.running for lane in lanes] == [8, 2]

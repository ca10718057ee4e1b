"""Every error is a problem document, whatever went wrong and whoever noticed; hostile input is a table."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from search import errors as search_errors
from search.settings import Settings
from vision import errors as vision_errors
from vision.errors import DeixisError
from vision.grounding import errors as grounding_errors
from web.app import create_app
from web.deps import Engine
from web.errors import DOMAIN_KINDS, HTTP_KINDS, PROBLEM_JSON, TYPE_PREFIX, kind_of

NOT_A_PICTURE = {"image": ("notes.txt", b"these are not pixels", "text/plain")}
TOO_LARGE = {"image": ("huge.png", b"\0" * 2_100_000, "image/png")}

WRONG_REQUESTS = [
    # method, address, arguments, status, slug
    ("GET", "/api/v1/nothing", {}, 404, "no-such-page"),
    ("GET", "/api/v1/images/999999", {}, 404, "not-found"),
    ("GET", "/api/v1/images/0", {}, 422, "request-invalid"),
    ("GET", "/api/v1/images/-1", {}, 422, "request-invalid"),
    ("GET", "/api/v1/images/1e9", {}, 422, "request-invalid"),
    ("GET", f"/api/v1/images/{10**40}", {}, 422, "request-invalid"),
    ("GET", "/api/v1/images/..%2f..%2fetc%2fpasswd", {}, 404, "no-such-page"),
    ("DELETE", "/api/v1/search", {}, 405, "method-not-allowed"),
    ("PUT", "/api/v1/images/1", {}, 405, "method-not-allowed"),
    ("GET", "/api/v1/search", {}, 400, "query-invalid"),
    ("GET", "/api/v1/search?q=", {}, 400, "query-invalid"),
    ("GET", "/api/v1/search?q=%00", {}, 400, "query-invalid"),
    ("GET", "/api/v1/search?q=%20%09", {}, 400, "query-invalid"),
    ("GET", "/api/v1/search?q=" + "a" * 10_000, {}, 400, "query-invalid"),
    ("GET", "/api/v1/search?q=date:never", {}, 400, "query-invalid"),
    ("GET", "/api/v1/search?q=colour:red", {}, 400, "query-invalid"),
    ("GET", "/api/v1/search?q=red&limit=5", {}, 422, "parameter-unknown"),
    ("GET", "/healthz?deep=1", {}, 422, "parameter-unknown"),
    ("GET", "/api/v1/images/1?full=1", {}, 422, "parameter-unknown"),
    ("POST", "/api/v1/query", {"json": {"q": "red", "limit": 5}}, 422, "request-invalid"),
    ("POST", "/api/v1/query", {"json": {"tree": {"word": "red"}}}, 400, "query-invalid"),
    ("POST", "/api/v1/query", {"json": {"q": "red", "tree": {"words": "red"}}}, 400, "query-invalid"),
    ("POST", "/api/v1/query", {"json": {}}, 400, "query-invalid"),
    ("GET", "/api/v1/search?like=999999", {}, 404, "not-found"),
    ("GET", "/api/v1/search?q=red&k=0", {}, 422, "request-invalid"),
    ("GET", "/api/v1/search?q=red&k=101", {}, 422, "request-invalid"),
    ("GET", "/api/v1/search?q=red&k=many", {}, 422, "request-invalid"),
    ("GET", "/api/v1/search?q=red&offset=-1", {}, 422, "request-invalid"),
    ("GET", f"/api/v1/search?q=red&offset={10**30}", {}, 422, "request-invalid"),
    ("POST", "/api/v1/search", {}, 422, "request-invalid"),
    ("POST", "/api/v1/search", {"files": NOT_A_PICTURE}, 422, "image-refused"),
    ("POST", "/api/v1/search", {"files": {"image": ("empty.png", b"", "image/png")}}, 422, "image-refused"),
    ("POST", "/api/v1/search", {"files": TOO_LARGE}, 413, "content-too-large"),
    ("POST", "/api/v1/search", {"data": {"image": "a string"}}, 422, "request-invalid"),
    ("POST", "/api/v1/search", {"content": b"--x", "headers": {"content-type": "multipart/form-data"}}, 400, None),
    ("GET", "/media/999999/gallery", {}, 404, "not-found"),
    ("GET", "/media/1/huge", {}, 404, "no-such-page"),
    ("GET", "/api/v1/images/1/heatmap", {}, 422, "request-invalid"),
    ("GET", "/api/v1/images/1/heatmap?q=%20", {}, 400, "query-invalid"),
    ("GET", "/api/v1/images/1/heatmap?q=" + "a" * 1001, {}, 400, "query-invalid"),
    ("GET", "/api/v1/images/999999/heatmap?q=red", {}, 404, "not-found"),
    ("GET", "/api/v1/images/1/heatmap?q=red", {}, 501, "no-heat-map"),
    ("GET", "/media/1/heat.png", {}, 422, "request-invalid"),
    ("GET", "/media/1/heat.png?q=red", {}, 501, "no-heat-map"),
    ("GET", "/media/999999/heat.png?q=red", {}, 404, "not-found"),
    ("GET", "/api/v1/images/1/ask", {}, 422, "request-invalid"),
    ("GET", "/api/v1/images/1/ask?question=why", {}, 501, "no-captioner"),
    ("GET", "/api/v1/images/999999/ask?question=why", {}, 404, "not-found"),
    ("GET", "/static/..%2fapp.py", {}, 404, "no-such-page"),
    ("GET", "/static/nothing.css", {}, 404, "no-such-page"),
    ("GET", "/healthz", {"headers": {"host": "evil.example"}}, 421, "host-not-allowed"),
    ("GET", "/api/v1/search?q=red", {"headers": {"host": "localhost.evil.example:80"}}, 421, "host-not-allowed"),
    ("GET", "/api/v1/search?q=red", {"headers": {"host": "["}}, 421, "host-not-allowed"),
    ("GET", "/no/such/page", {}, 404, "no-such-page"),
]


@pytest.mark.parametrize(("method", "address", "arguments", "status", "slug"), WRONG_REQUESTS)
def test_a_wrong_request_is_answered_with_a_problem(
    client: TestClient, method: str, address: str, arguments: dict, status: int, slug: str | None
) -> None:
    answer = client.request(method, address, **arguments)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"].startswith("/")
    assert slug is None or problem["type"] == TYPE_PREFIX + slug
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_refused_upload_says_why_by_code(client: TestClient) -> None:
    problem = client.post("/api/v1/search", files=NOT_A_PICTURE).json()
    assert problem["code"] == "not_an_image"
    assert problem["remedy"]


def test_a_refused_value_is_named(client: TestClient) -> None:
    problem = client.get("/api/v1/search?q=red&k=0&offset=-5").json()
    assert {entry["where"] for entry in problem["errors"]} == {"query.k", "query.offset"}


def test_a_refused_method_names_the_allowed_ones(client: TestClient) -> None:
    assert "GET" in client.delete("/api/v1/images/1").headers["allow"]


def test_a_body_without_declared_length_is_cut_off_at_the_limit(client: TestClient) -> None:
    def endless() -> object:
        head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        yield head
        for _ in range(100):
            yield b"\0" * 65_536

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/api/v1/search", content=endless(), headers=headers)  # type: ignore[arg-type]  # an iterator
    assert answer.status_code == 413
    assert answer.json()["type"] == TYPE_PREFIX + "content-too-large"


def test_an_unforeseen_error_is_logged_in_full_and_told_in_brief(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(Settings(home=tmp_path / "home"))

    @app.get("/api/v1/broken")
    def broken() -> None:
        raise RuntimeError("the secret is 12345")

    with TestClient(app, base_url="http://localhost") as client, caplog.at_level(logging.ERROR, "web.errors"):
        answer = client.get("/api/v1/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "the secret is 12345" in caplog.text


def test_too_many_searches_end_in_a_clear_answer(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    app = create_app(settings)
    with TestClient(app, base_url="http://localhost") as client:
        engine: Engine = app.state.engine
        monkeypatch.setattr("web.deps.SEARCH_WAIT_S", 0.01)
        taken = 0
        while engine._cores.acquire(blocking=False):
            taken += 1
        answer = client.get("/api/v1/search?q=red")
        for _ in range(taken):
            engine._cores.release()
        assert answer.status_code == 503
        assert answer.json()["type"] == TYPE_PREFIX + "overloaded"
        assert client.get("/api/v1/search?q=red").status_code == 200


@pytest.mark.parametrize("module", [search_errors, vision_errors, grounding_errors])
def test_every_domain_error_has_a_kind_of_its_own_or_of_its_family(module: object) -> None:
    internal = {
        "DeixisError",
        "SettingsError",
        "ImportFormatError",
        "ExportFormatError",
        "GeometryError",
        "DecoderError",
    }
    internal |= {"LanguageError", "DecodingError"}  # no request chooses a language or how to decode
    for name, error in vars(module).items():
        if isinstance(error, type) and issubclass(error, DeixisError) and name not in internal:
            assert any(base in DOMAIN_KINDS for base in error.__mro__[:-3] if base is not DeixisError), name


def test_the_nearest_base_class_decides() -> None:
    assert kind_of(search_errors.LibraryBusyError("x")).slug == "library-busy"
    assert kind_of(vision_errors.ModelMissingError("x")).status == 503
    assert kind_of(search_errors.SettingsError("x")).status == 500


def test_kinds_have_distinct_names() -> None:
    kinds = {*DOMAIN_KINDS.values(), *HTTP_KINDS.values()}
    assert len({kind.slug for kind in kinds}) == len(kinds)


def test_a_browser_gets_a_page_and_a_program_gets_json(client: TestClient) -> None:
    page = client.get("/no/such/page", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "There is nothing at this address" in page.text
    assert client.get("/no/such/page").headers["content-type"] == PROBLEM_JSON
    assert client.get("/api/v1/no", headers={"accept": "text/html"}).headers["content-type"] == PROBLEM_JSON


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("DELETE", "/api/v1/search", "GET, HEAD, POST"),
        ("PUT", "/api/v1/images/1", "GET, HEAD"),
        ("DELETE", "/", None),
        ("PATCH", "/healthz", "GET, HEAD"),
    ],
)
def test_a_refused_method_is_told_which_ones_there_are(
    client: TestClient, method: str, address: str, allowed: str | None
) -> None:
    refused = client.request(method, address)
    assert refused.status_code == 405
    methods = refused.headers["allow"].split(", ")
    assert allowed is None or methods == allowed.split(", ")
    for one in methods:
        assert client.request(one, address).status_code != 405

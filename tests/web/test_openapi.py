"""The OpenAPI document is valid, complete and documented; every route and problem has its place in docs/api.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from search.settings import Settings
from vision.images import REFUSALS
from web.app import create_app
from web.errors import ACCESS_KINDS, DOMAIN_KINDS, FAULT_KINDS, HTTP_KINDS, PROBLEM_JSON
from web.middleware import SECURITY_HEADERS

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/api/v1/openapi.json").json()
    return answer


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_it_is_openapi_3_1_and_all_its_references_resolve(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    references = [node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)]
    assert references
    for reference in references:
        assert reference.startswith("#/")
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]
        assert target


def test_it_satisfies_the_specification(document: dict[str, Any]) -> None:
    validator = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    validator.validate(document)


def test_every_operation_is_described_and_fails_with_problems_only(document: dict[str, Any]) -> None:
    identifiers = set()
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert operation["description"], where
        assert operation["operationId"] not in identifiers
        identifiers.add(operation["operationId"])
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), f"{where} {parameter['name']}"
        for status, answer in operation["responses"].items():
            if not status.startswith(("2", "304")):
                assert list(answer["content"]) == [PROBLEM_JSON], f"{where} {status}"


def test_every_field_of_an_answer_is_described_or_shown_by_example(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        if not name.endswith("Model"):
            continue
        assert schema.get("description"), name
        for field, definition in schema["properties"].items():
            said = {"description", "examples", "$ref", "items"} & definition.keys()
            assert said, f"{name}.{field}"


def test_answers_have_the_shape_that_the_document_promises(client: TestClient, document: dict[str, Any]) -> None:
    hit = client.get("/api/v1/search?q=red&k=1").json()["hits"][0]
    schema = document["components"]["schemas"]["HitModel"]
    assert set(hit) == set(schema["properties"]) == set(schema["required"])


def test_every_route_is_documented(tmp_path: Path) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    routes = list(routes_of(create_app(Settings(home=tmp_path))))
    assert len(routes) > 8
    for method, path in routes:
        assert f"`{method} {path}`" in text, f"{method} {path} is missing in docs/api.md"


def test_no_documented_route_is_missing(tmp_path: Path) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    routes = set(routes_of(create_app(Settings(home=tmp_path))))
    for method, path in re.findall(r"`(GET|POST) (/[^`?]*)`", text):
        assert (method, path) in routes, f"docs/api.md documents {method} {path}, which does not exist"


def routes_of(app: Any) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        included = getattr(route, "original_router", None)  # newer FastAPI keeps a router whole where it was included
        if included is not None:
            yield from routes_of(included)
        elif isinstance(route, Route):
            yield from ((method, route.path) for method in sorted(route.methods - {"HEAD"}))


def test_every_problem_and_refusal_is_documented() -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    for kind in {*DOMAIN_KINDS.values(), *HTTP_KINDS.values(), *FAULT_KINDS.values(), *ACCESS_KINDS.values()}:
        assert f"| `{kind.slug}` | {kind.status} |" in text, f"problem {kind.slug} is missing in docs/api.md"
    for code in REFUSALS:
        assert f"`{code}`" in text, f"refusal {code} is missing in docs/api.md"


def test_every_answer_carries_the_security_headers(client: TestClient, ids: dict[str, int]) -> None:
    addresses = ["/", "/api/v1/search?q=red", "/nothing", f"/media/{ids['red']}/page", "/static/base.css"]
    for address in [*addresses, "/api/v1/images/999999", f"/media/{ids['red']}/original"]:
        headers = client.get(address).headers
        assert {name: headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS, address


def test_the_content_security_policy_allows_nothing_but_our_own_files_and_chosen_pictures() -> None:
    policy = dict(
        directive.strip().split(" ", 1) for directive in SECURITY_HEADERS["Content-Security-Policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' blob:",
        "style-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_no_stylesheet_of_ours_reaches_outside() -> None:
    static = Path(__file__).parents[2] / "web" / "static"
    for sheet in static.glob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert "@import" not in text
        for address in re.findall(r"url\(([^)]*)\)", text):
            assert address.strip("\"'").startswith("/static/"), f"{sheet.name}: {address}"

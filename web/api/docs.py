"""The description of the API: the OpenAPI document made complete, and a page that shows it without any script."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from web.schemas import ProblemModel
from web.templating import render

SERVERS = [{"url": "/", "description": "The server that sent this."}]
DESCRIPTION = """Search pictures in your own words and see where in the picture the answer is.

Boxes are fractions of the upright picture, origin top left. Errors are `application/problem+json` (RFC 9457)."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ShownOperation:
    """One operation as the page shows it."""

    method: str
    path: str
    said: str
    parameters: tuple[Mapping[str, Any], ...]
    bodies: tuple[tuple[str, str], ...]
    answers: tuple[tuple[str, str], ...]
    operation_id: str


def description_of(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The OpenAPI document of an application, with the problems to which the routes refer."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document["components"]["schemas"]
        if "ProblemModel" not in schemas:
            schema = ProblemModel.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(schema.pop("$defs", {}))
            schemas["ProblemModel"] = schema
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return document

    return openapi


@router.get("/api/docs")
def documentation(request: Request) -> Response:
    """All routes of the API with what they take and answer, on one page."""
    document = request.app.openapi()
    groups: dict[str, list[ShownOperation]] = {}
    for path, method, operation in _operations(document):
        groups.setdefault(operation.get("tags", ["other"])[0], []).append(_shown(path, method, operation, document))
    schemas = {name: _pretty(schema) for name, schema in sorted(document["components"]["schemas"].items())}
    return render(request, "api_docs.html", {"groups": groups, "schemas": schemas, "info": document["info"]})


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method.upper(), operation


def _shown(path: str, method: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> ShownOperation:
    bodies = operation.get("requestBody", {}).get("content", {})
    return ShownOperation(
        method=method,
        path=path,
        said=operation["description"],
        parameters=tuple({**one, "limits": _limits(one["schema"])} for one in operation.get("parameters", [])),
        bodies=tuple((kind, _name(content["schema"])) for kind, content in bodies.items()),
        answers=tuple((status, answer["description"]) for status, answer in operation["responses"].items()),
        operation_id=operation["operationId"],
    )


def _name(schema: Mapping[str, Any]) -> str:
    """The name of a schema, or what it is made of."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    parts = schema.get("oneOf") or schema.get("anyOf") or ()
    return ", ".join(_name(part) for part in parts) or str(schema.get("type", "anything"))


def _limits(schema: Mapping[str, Any]) -> str:
    """Type, bounds and default of a parameter, in one line."""
    chosen = next((part for part in schema.get("anyOf", ()) if part.get("type") != "null"), schema)
    said = [str(chosen.get("type", ""))]
    said += [f"{name} {chosen[name]}" for name in ("minimum", "maximum", "minLength", "maxLength") if name in chosen]
    said += ["one of " + ", ".join(map(str, chosen["enum"]))] if "enum" in chosen else []
    said += [f"default {schema['default']}"] if schema.get("default") is not None else []
    return ", ".join(part for part in said if part)


def _pretty(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False)

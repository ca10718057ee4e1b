"""From errors to HTTP: one table of statuses, problem+json for programs, a page for people."""

from __future__ import annotations

import http
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from search.errors import (
    CorruptionError,
    LibraryBusyError,
    LibraryEmptyError,
    LibraryError,
    ModelMismatchError,
    NotFoundError,
    QueryError,
)
from search.jobs.rows import SameKeyError
from vision.classify import LabelError
from vision.errors import DecoderError, DeixisError, ImageRefusedError, ModelError, ModelMissingError, NoHeatMapError
from vision.faults import Fault, SystemFaultError, explain_fault
from vision.grounding.errors import NoAnswersError, PromptError
from web.addresses import at
from web.methods import methods_of
from web.schemas import FieldErrorModel, ProblemModel
from web.templating import render, without_paths

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
TYPE_PREFIX = "urn:deixis:problem:"
RETRY_AFTER_S = 5
_MACHINE_PATHS = ("/api/", "/media/", "/static/", "/healthz", "/readyz")


class OriginalGoneError(DeixisError):
    """No file on disk holds this picture any more."""


class UnknownParameterError(DeixisError):
    """A query parameter that the route does not have."""


class CursorError(DeixisError):
    """A cursor that was not made here, or for another list."""


class CursorGoneError(DeixisError):
    """A cursor of a library that is not there any more."""


class OverloadedError(DeixisError):
    """More searches wait than this machine can answer in time."""


class NoCaptionerError(DeixisError):
    """Questions need a captioner, and this server was started without one."""


class TokenMissingError(DeixisError):
    """A browser's session came along, and no proof that a page of ours has sent the request."""


class NotReadyError(DeixisError):
    """Searches cannot be answered yet.

    Attributes:
        reasons: each thing that is missing, as a sentence.
    """

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: HTTP status, the last part of its `type`, and its title."""

    status: int
    slug: str
    title: str
    retry: bool = True
    """Whether the same request may succeed a few seconds later; counts for 503 alone."""


INTERNAL = Kind(500, "internal-error", "Something went wrong on our side")

DOMAIN_KINDS: Mapping[type[DeixisError], Kind] = {
    QueryError: Kind(400, "query-invalid", "The query cannot be answered as asked"),
    NotFoundError: Kind(404, "not-found", "Not found"),
    OriginalGoneError: Kind(410, "original-gone", "The picture's file is gone"),
    ImageRefusedError: Kind(422, "image-refused", "The picture cannot be read"),
    LibraryEmptyError: Kind(503, "library-empty", "The library is empty"),
    LibraryBusyError: Kind(503, "library-busy", "The library is busy"),
    ModelMismatchError: Kind(503, "model-mismatch", "The model is not the library's own"),
    CorruptionError: Kind(500, "library-corrupt", "The library is damaged"),
    LibraryError: Kind(503, "library-unusable", "The library cannot be used"),
    ModelMissingError: Kind(503, "model-missing", "The model is not on this machine"),
    NoHeatMapError: Kind(501, "no-heat-map", "The model cannot say where words are"),
    NoAnswersError: Kind(501, "no-answers", "This captioner answers no questions"),
    ModelError: Kind(503, "model-unusable", "The model cannot be used"),
    PromptError: Kind(422, "question-invalid", "This cannot be asked of a picture"),
    NoCaptionerError: Kind(501, "no-captioner", "This server answers no questions about pictures"),
    NotReadyError: Kind(503, "not-ready", "Not ready"),
    UnknownParameterError: Kind(422, "parameter-unknown", "The request has a parameter that is not known"),
    CursorError: Kind(400, "cursor-invalid", "The cursor does not fit"),
    CursorGoneError: Kind(410, "cursor-gone", "The cursor is of another library"),
    LabelError: Kind(400, "labels-invalid", "The labels cannot be told apart"),
    SameKeyError: Kind(409, "key-reused", "The key was used for something else"),
    OverloadedError: Kind(503, "overloaded", "Too much is asked at once"),
    DecoderError: Kind(503, "decoder-unusable", "Pictures cannot be decoded on this machine"),
    SystemFaultError: Kind(503, "system-error", "The system does not let the server do its work"),
    TokenMissingError: Kind(403, "token-missing", "This form is not one of ours, or too old"),
    DeixisError: INTERNAL,
}
"""The one place that turns domain errors into statuses; the nearest base class decides."""

FAULT_KINDS: Mapping[Fault, Kind] = {
    Fault.DISK_FULL: Kind(507, "disk-full", "The disk is full"),
    Fault.READ_ONLY: Kind(503, "read-only", "The library can only be read", retry=False),
    Fault.PERMISSION: Kind(503, "no-permission", "The server may not use its own files", retry=False),
    Fault.IO: Kind(503, "io-error", "A disk does not answer as it should"),
    Fault.TOO_MANY_FILES: Kind(503, "too-many-open", "Too much is open at once"),
    Fault.NO_MEMORY: Kind(503, "out-of-memory", "The server has no memory left"),
    Fault.BUSY: DOMAIN_KINDS[LibraryBusyError],
    Fault.UNREACHABLE: Kind(503, "unreachable", "The database cannot be reached"),
    Fault.GONE: Kind(503, "storage-gone", "A drive or network share is gone"),
    Fault.NAME_TOO_LONG: Kind(503, "name-too-long", "A path is too long for its file system", retry=False),
    Fault.OTHER: DOMAIN_KINDS[SystemFaultError],
}
"""What the machine refuses; never the fault of the request, and no defect."""

HTTP_KINDS: Mapping[int, Kind] = {
    400: Kind(400, "request-malformed", "The request is malformed"),
    404: Kind(404, "no-such-page", "There is nothing at this address"),
    405: Kind(405, "method-not-allowed", "This address does not take that method"),
    408: Kind(408, "request-timeout", "The request took too long to arrive"),
    413: Kind(413, "content-too-large", "The upload is too large"),
    414: Kind(414, "address-too-long", "The address is too long"),
    416: Kind(416, "range-not-satisfiable", "The range lies outside of the file"),
    421: Kind(421, "host-not-allowed", "This server does not answer to that name"),
    422: Kind(422, "request-invalid", "The request has values that cannot be used"),
    431: Kind(431, "headers-too-large", "The request has too many headers"),
    500: INTERNAL,
}
"""What the framework raises by status."""

ACCESS_KINDS: Mapping[str, Kind] = {
    "key": Kind(401, "key-needed", "A key is needed"),
    "scope": Kind(403, "scope-too-small", "The key does not allow this"),
    "foreign": Kind(403, "foreign-origin", "Another site asked for this"),
    "elsewhere": Kind(403, "not-from-here", "This server answers one machine alone"),
    "rate": Kind(429, "too-many-requests", "Too many requests"),
}
"""What the gate (`web.access.gate`) refuses."""


def kind_of(error: DeixisError) -> Kind:
    """Find the kind of a domain error: by its fault, else by walking up its base classes."""
    if isinstance(error, SystemFaultError):
        return FAULT_KINDS[error.fault]
    for base in type(error).__mro__:
        if base in DOMAIN_KINDS:
            return DOMAIN_KINDS[base]
    return INTERNAL


def in_one_line(error: DeixisError) -> str:
    """What went wrong and what to do about it, to stand among other words."""
    return ". ".join(str(error).split("\n"))


def install(app: FastAPI) -> None:
    """Let every error of the app leave through this file."""
    app.add_exception_handler(DeixisError, _on_domain_error)
    app.add_exception_handler(OSError, _on_system_error)
    app.add_exception_handler(MemoryError, _on_system_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)


def problem_response(
    request: Request,
    kind: Kind,
    detail: str,
    *,
    extra: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Write a problem for whoever asked: HTML for a browser on a page, problem+json otherwise.

    Args:
        request: what was asked.
        kind: which problem it is.
        detail: what went wrong this time, one sentence; never a stack trace.
        extra: further members of `ProblemModel`.
        headers: further response headers.
    """
    path = request.scope["path"]
    extra = {name: without_paths(value) if isinstance(value, str) else value for name, value in (extra or {}).items()}
    problem = ProblemModel.model_validate(
        {
            "type": TYPE_PREFIX + kind.slug,
            "title": kind.title,
            "status": kind.status,
            "detail": without_paths(detail),
            "instance": at(path),
            **extra,
        }
    )
    sent = {"Cache-Control": "no-store", **(headers or {})}
    if kind.status == 503 and kind.retry:
        sent.setdefault("Retry-After", str(RETRY_AFTER_S))
    if is_for_people(request):
        return render(request, "error.html", {"problem": problem}, status_code=kind.status, headers=sent)
    body = problem.model_dump(mode="json", exclude_none=True)
    return JSONResponse(body, kind.status, sent, media_type=PROBLEM_JSON)


def is_for_people(request: Request) -> bool:
    """Whether the answer is a page: a browser has asked for one, and not for a picture or the API."""
    machine = request.scope["path"].startswith(_MACHINE_PATHS)
    return not machine and "text/html" in request.headers.get("accept", "")


def internal_error_response(request: Request, error: Exception) -> Response:
    """Log what nobody foresaw, with its stack trace, and tell the client only that it happened.

    What the system refuses, was foreseen: it is told as such.
    """
    if isinstance(error, OSError | MemoryError):
        told = explain_fault(error)
        if told is not None:
            return domain_error_response(request, told)
    log.error("unhandled error at %s %s", request.method, request.url.path, exc_info=error)
    return problem_response(request, INTERNAL, "The server could not answer; its log says why.")


def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DeixisError)  # registered for this class
    return domain_error_response(request, error)


def domain_error_response(request: Request, error: DeixisError) -> Response:
    """The answer to what the engine refuses, or cannot do."""
    kind = kind_of(error)
    if kind.status >= 500:
        log.warning("%s at %s %s: %s", kind.slug, request.method, request.url.path, error)
    if kind is INTERNAL:
        return internal_error_response(request, error)
    extra: dict[str, object] = {"remedy": error.remedy or None}
    if isinstance(error, ImageRefusedError):
        extra["code"] = error.code
    if isinstance(error, NotReadyError):
        extra["reasons"] = tuple(without_paths(reason) for reason in error.reasons)
    return problem_response(request, kind, str(error.args[0]), extra=extra)


def _on_system_error(request: Request, error: Exception) -> Response:
    return internal_error_response(request, error)


def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # registered for this class
    fields = tuple(
        FieldErrorModel(where=".".join(str(part) for part in entry["loc"]), message=str(entry["msg"]))
        for entry in error.errors()
    )
    detail = "; ".join(f"{field.where}: {field.message}" for field in fields)
    return problem_response(request, HTTP_KINDS[422], detail, extra={"errors": fields})


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # registered for this class
    phrase = http.HTTPStatus(error.status_code).phrase
    kind = HTTP_KINDS.get(error.status_code) or Kind(error.status_code, phrase.lower().replace(" ", "-"), phrase)
    detail = str(error.detail) if error.detail and error.detail != phrase else kind.title
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = methods_of(request)
    return problem_response(request, kind, detail, headers=headers)

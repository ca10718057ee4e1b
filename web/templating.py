"""Jinja: templates that escape everything, and the few functions that they call."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from fastapi import Request
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from search.db.images import display_path
from web.layout import aspect_class, percent

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"

_PARTS = {
    "image": "how it looks",
    "words": "words of a text",
    "meaning": "meaning of a text",
    "things": "its things",
    "boxes": "boxes of the things",
    "relation": "how they stand",
    "number": "how many",
    "patches": "its things, looked at closely",
    "without": "what should not be there",
    "weighted": "weighted words",
    "like": "likeness",
    "box": "how a box of it looks",
    "typed": "a text typed word for word",
}


def text_of_path(path: str) -> str:
    """A path, or the name of an upload, as text that can be shown and sent: what is no text becomes U+FFFD."""
    return display_path(path)


def file_name(path: str) -> str:
    """The last part of a path as text that can be shown and sent."""
    return text_of_path(path).replace("\\", "/").rsplit("/", 1)[-1]


def folder_name(path: str) -> str:
    """A path without its last part, as text that can be shown."""
    return text_of_path(path).removesuffix(file_name(path))


def size_in_words(size_bytes: int) -> str:
    """A size for people: `184 kB`, `2.4 MB` (powers of ten, as file managers and disks count)."""
    if size_bytes < 1000:
        return f"{size_bytes} bytes"
    size = float(size_bytes)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000 or unit == "GB":
            break
    return f"{size:.0f} {unit}" if size >= 10 else f"{size:.1f} {unit}"


def search_url(**parts: object) -> str:
    """Address of a results page; parts that are None are left out."""
    return "/search?" + urlencode({name: value for name, value in parts.items() if value is not None})


def preview_url(image_id: int, sha256: str, name: str) -> str:
    """Address of a preview; `v` is its content, so that browsers may keep it for good."""
    return f"/media/{image_id}/{name}.webp?v={sha256[:16]}"


def heat_url(image_id: int, text: str, version: str) -> str:
    """Address of a heat map's layer; `v` is what it follows from, so that browsers may keep it for good."""
    return f"/media/{image_id}/heat.png?" + urlencode({"q": text, "v": version[:16]})


def page_url(image_id: int, q: object = "", heat: str = "", **led: object) -> str:
    """Address of a picture's page, which remembers the search that led there; `heat` is what to look for in it."""
    given = {name: value for name, value in {"q": q, **led, "heat": heat}.items() if value}
    return f"/images/{image_id}" + ("?" + urlencode(given) if given else "")


@functools.cache
def static_url(name: str) -> str:
    """Address of a static file; `v` is its content, so that browsers may keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()
    return f"/static/{name}?v={digest[:12]}"


def render(
    request: Request,
    name: str,
    context: Mapping[str, object],
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Fill a template; every value is escaped."""
    return _templates.TemplateResponse(request, name, dict(context), status_code, headers)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,  # for every template, whatever its name
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.add_extension("jinja2.ext.i18n")
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # comes with the extension
    environment.globals.update(
        aspect=aspect_class,
        page_url=page_url,
        percent=percent,
        preview_url=preview_url,
        search_url=search_url,
        static=static_url,
    )
    environment.filters.update(
        file_name=file_name,
        folder=folder_name,
        part_name=lambda part: _PARTS.get(part, part),
        path=text_of_path,
        size=size_in_words,
    )
    return environment


_templates = Jinja2Templates(env=_environment())

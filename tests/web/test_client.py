"""The client in docs/ is what the description gives, and can do everything that the API can, against a real server."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image as Pictures
from starlette.testclient import TestClient

DOCS = Path(__file__).resolve().parents[2] / "docs"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None and spec.loader is not None  # noqa: PT018
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_what_the_description_gives(client: TestClient) -> None:
    made = load("make_client").client_of(client.get("/api/v1/openapi.json").json())
    assert made == (DOCS / "client.py").read_text(encoding="utf-8"), "run `python docs/make_client.py`"


def test_it_searches_lists_looks_and_asks_for_jobs(start_server: Any, home: Path) -> None:
    module = load("client")
    with start_server(home) as (address, _):
        deixis: Any = module.Deixis(address.rstrip("/"))
        assert deixis.health()["status"] == "ok"
        hit = deixis.search(q="a red wall", k=1)["hits"][0]
        one = deixis.image(hit["image_id"])
        assert deixis.image_by_sha256(one["sha256"]) == one
        assert deixis.image_by_path(path=one["files"][0]["path"]) == one
        assert len(deixis.images(q="format:jpeg")["images"]) == 2
        assert deixis.query({"tree": {"words": "red"}, "k": 1})["hits"][0]["image_id"] == hit["image_id"]
        buffer = io.BytesIO()
        Pictures.new("RGB", (60, 40), "green").save(buffer, "PNG")
        sent = [('a "leaf".png', buffer.getvalue())]
        assert deixis.search_by_picture(image=sent, k=2)["hits"][0]["path"].endswith("green.jpg")
        labels = deixis.classify(image=sent, label=["green", "red"], template=["{}"])["labels"]
        assert labels[0]["label"] == "green"
        assert deixis.embed({"texts": ["red"]})["dim"] == len(deixis.embed_pictures(image=sent)["embeddings"][0])
        assert deixis.export(of="captions", format_="csv").startswith(b"caption_id,")
        assert deixis.facets()["images"] == deixis.stats()["images"] == 12
        job = deixis.create_job({"kind": "index"}, idempotency_key="once")
        assert deixis.create_job({"kind": "index"}, idempotency_key="once")["id"] == job["id"]
        assert deixis.steer_job(job["id"], {"ask": "cancel"})["state"] == "cancelled"
        assert deixis.job_events(job["id"], after=0)["events"]
        with pytest.raises(module.ProblemError, match="404 Not found") as caught:
            deixis.image(999999)
        assert caught.value.problem["type"] == "urn:deixis:problem:not-found"

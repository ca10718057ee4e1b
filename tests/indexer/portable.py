"""A small library with something in every table, its export, and ways to tamper with one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import delete, select, update

from indexer.pipeline import IndexOptions, index_paths
from search.captioning import begin_generation
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import Caption, CaptionGeneration, Fact, File, Image, Region, Root
from search.erasing import release_regions
from search.library import Library
from search.publishing import publish
from storybook.drawing import render
from storybook.scenes import generate_scene
from vision.encoders.base import Encoder
from vision.looks import WHOLE
from vision.types import Box, Span
from vision.types import Region as RegionFact

PICTURES = 8


def fill(folder: Path, encoder: Encoder) -> None:
    """A library in `folder/home`, on SQLite, of drawn scenes in `folder/pictures`."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for seed in range(PICTURES):
        name = b"caf\xe9.png" if seed == 3 else b"%d.png" % seed  # one name that is no UTF-8
        with open(bytes(pictures) + b"/" + name, "wb") as file:
            render(generate_scene(seed, "test"), 160).image.save(file, "png")
    (pictures / "broken.png").write_bytes(b"no picture")
    with Library.open(folder / "home", create=True) as library:
        index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1, looks=WHOLE))
        with library.write() as session:
            ids = list(session.scalars(select(Image.id).order_by(Image.id)))
            for number, image_id in enumerate(ids):
                phrase = RegionFact("a red circle", Box(0.1, 0.2, 0.5 + number / 100, 0.75), Span(0, 12), 0.25)
                caption = CaptionFact(f"a red circle beside thing {number}", "en", (phrase,))
                add_annotations(session, image_id, [caption], [RegionFact("a box", Box(0, 0, 1, 1))], "import")
                session.add(Fact(image_id=image_id, name="camera", text="X100", key="x100", source="exif"))
                session.add(Fact(image_id=image_id, name="iso", number=100.0 + number, source="exif"))
            number = begin_generation(session, "kosmos2:0123456789ab", "en", "brief")
            add_annotations(session, ids[0], [CaptionFact("a quiet scene", "en")], [], "kosmos2:0123456789ab", number)
            session.execute(update(CaptionGeneration).values(resting=True))
            session.execute(update(Root).values(rules={"exclude": ["raw/"], "include": [], "follow_links": False}))
        index_paths(library, encoder, [], IndexOptions(decode_workers=1))
        with (
            library.write() as session
        ):  # a box that was erased and whose vector has no owner any more; a gap in the ids
            last = session.query(Region.id).order_by(Region.id.desc()).limit(1).scalar()
            session.execute(delete(Region).where(Region.id == last))
            session.execute(update(File).where(File.name == "5.png").values(state="missing"))
            session.execute(delete(Caption).where(Caption.id == 2))
            release_regions(session)
        publish(library, 1)


def rows_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every row of every file of an export, by file, in the order of ids."""
    found = {}
    for path in sorted(folder.glob("*.parquet")):
        rows = pq.read_table(path).to_pylist()
        found[path.name] = sorted(rows, key=lambda row: json.dumps(row.get("id", row.get("sha256"))))
    return found


def tamper(folder: Path, name: str, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the rows of a file, and let the manifest promise what it has become."""
    path = folder / name
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), path)
    seal(folder, name, len(rows))


def seal(folder: Path, name: str, rows: int) -> None:
    """Let the manifest of an export promise what a file holds now."""
    data = (folder / name).read_bytes()
    said = json.loads((folder / "manifest.json").read_text())
    said["files"][name] = {"rows": rows, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(said))


def restate(folder: Path, **facts: Any) -> None:
    """Change what the manifest says."""
    said = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(said | facts))

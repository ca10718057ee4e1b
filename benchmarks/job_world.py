"""A library whose queue is kept filled, and what is in it: for `benchmarks.jobs`."""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from sqlalchemy import select

from indexer.caption import CaptionOptions
from indexer.jobs.kinds import CaptionJob, ImportJob, IndexJob, JobForm, RebuildJob, arguments_of
from indexer.options import IndexOptions
from search.db.schema import Caption, Embedding, File
from search.db.schema import Image as ImageRow
from search.encoder import EncoderWish
from search.jobs.queue import Queue
from search.library import Library

KINDS = ("index", "index", "import", "caption", "rebuild")


@dataclass
class World:
    """A library, its pictures, and what was asked for."""

    folder: Path
    url: str | None
    chance: random.Random
    captioner: str | None
    pictures: int = 0
    captioned: set[str] = field(default_factory=set)
    given_up: int = 0

    @property
    def home(self) -> Path:
        """Where the library lies."""
        return self.folder / "home"

    def open(self) -> Library:
        """The library, made where there is none."""
        return Library.open(self.home, self.url, create=True)

    def queue(self, kind: str) -> None:
        """Queue a job of a kind, with something new for it to do."""
        with self.open() as library:
            form = self._form(kind)
            Queue(library).add(form.KIND, form.lane, arguments_of(form))

    def _form(self, kind: str) -> JobForm:
        wish = EncoderWish("colour" if self.pictures == 0 else None)
        if kind == "index" or self.pictures == 0:
            self.draw(self.chance.randrange(4, 24))
            return IndexJob((str(self.folder / "pictures"),), IndexOptions(batch_size=4, decode_workers=1), wish)
        if kind == "import":
            return ImportJob((str(self.annotate()),), wish)
        if kind == "caption" and self.captioner is not None:
            return CaptionJob(self.captioner, CaptionOptions(batch_size=4), wish)
        return RebuildJob(compact=self.chance.random() < 0.3)

    def draw(self, count: int) -> None:
        """Add pictures, each of a content of its own."""
        folder = self.folder / "pictures"
        folder.mkdir(exist_ok=True)
        for _ in range(count):
            pixels = np.full((48, 64, 3), [self.chance.randrange(256) for _ in range(3)], np.uint8)
            pixels[0, :3] = [[self.pictures // 65536, self.pictures // 256 % 256, self.pictures % 256]] * 3
            Image.fromarray(pixels).save(folder / f"{self.pictures:06}.png")
            self.pictures += 1

    def annotate(self) -> Path:
        """A file of captions for some pictures that are indexed already."""
        with self.open() as library, library.read() as session:
            names = list(session.scalars(select(File.name).where(File.state == "indexed")))
        chosen = self.chance.sample(names, min(len(names), 12))
        path = self.folder / f"captions-{len(self.captioned)}-{self.chance.randrange(10**9)}.jsonl"
        lines = [json.dumps({"file": name, "captions": [f"picture {name} in words"]}) for name in chosen]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self.captioned |= set(chosen)
        return path


def committed(library: Library) -> Counter[tuple[str, str]]:
    """All that is in a library, each thing by what it is, and how often."""
    with library.read() as session:
        found = Counter(("file", name) for name in session.scalars(select(File.name).where(File.state == "indexed")))
        found.update(("picture", sha) for sha in session.scalars(select(ImageRow.sha256)))
        vectors = select(Embedding.kind, Embedding.image_id, Embedding.text_id, Embedding.region_id)
        found.update(("vector", f"{row}") for row in session.execute(vectors) if any(row[1:]))
        captions = select(Caption.image_id, Caption.text_id, Caption.source)
        found.update(("caption", f"{row}") for row in session.execute(captions))
    return found


def forked(work_on: Callable[[], None]) -> int:
    """Do something in a child; returns its pid."""
    child = os.fork()
    if child == 0:
        try:
            work_on()
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"child: {type(error).__name__}: {error}\n")
            os._exit(1)
    return child

"""`--prune` reaches every copy: rows, previews of all sizes, vectors, indexes, words; kills leave nothing for long."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures
from sqlalchemy import func, select

from indexer.pipeline import IndexOptions, index_paths
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import Embedding, File, Image, TextBody
from search.library import Library
from search.maintenance import verify
from search.previews import PAGE_PX, PreviewStore
from vision.encoders.colour import ColourEncoder

ROOT = Path(__file__).resolve().parents[2]
PRUNE = IndexOptions(decode_workers=1, prune=True)
SECRET = "a confidential zebra"


@pytest.fixture
def album(tmp_path: Path, library: Library) -> Path:
    """Two pictures with captions and previews of both sizes; one of them is about to be erased."""
    folder = tmp_path / "album"
    folder.mkdir()
    for number, colour in enumerate(("red", "blue")):
        Pictures.new("RGB", (60 + number, 40), colour).save(folder / f"{colour}.png")
    index_paths(library, ColourEncoder(), [folder], IndexOptions(decode_workers=1))
    store = PreviewStore(library.home)
    with library.write() as session:
        for path, image_id, sha256 in session.execute(select(File.path, Image.id, Image.sha256).join(Image)):
            body = SECRET if path.endswith("blue.png") else "a red wall"
            add_annotations(session, image_id, [CaptionFact(body)], (), "import")
            store.put(sha256, PAGE_PX, store.read(sha256, 512) or b"")
    index_paths(library, ColourEncoder(), [folder], IndexOptions(decode_workers=1))
    (folder / "blue.png").unlink()
    return folder


def blue(library: Library) -> tuple[str, list[bytes]]:
    """The hash of the picture to erase, and its vectors as they lie in segments and indexes."""
    with library.read() as session:
        row = session.execute(
            select(Image.sha256, Embedding.id).join(Embedding).join(File).where(File.name == "blue.png")
        ).one()
    vector = library.vectors.fetch([row.id])[0]
    return row.sha256, [vector.astype(np.float16).tobytes(), vector.astype(np.float32).tobytes()]


def files(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_nothing_of_an_erased_picture_is_left(library: Library, album: Path) -> None:
    sha256, vectors = blue(library)
    before = files(library.home)
    assert sum(sha256 in name for name in before) == 2
    assert sum(any(vector in data for vector in vectors) for data in before.values()) >= 2
    report = index_paths(library, ColourEncoder(), [album], PRUNE)
    assert report.pruned == 2
    library.close()  # So that SQLite folds its log into the file.
    after = files(library.home)
    assert not [name for name in after if sha256 in name]
    assert not [name for name, data in after.items() if any(vector in data for vector in vectors)]
    assert not [name for name, data in after.items() if SECRET.encode() in data or b"confidential" in data]


def test_what_stays_can_be_found_and_verified(library: Library, album: Path) -> None:
    index_paths(library, ColourEncoder(), [album], PRUNE)
    report = verify(library)
    assert report.findings == []
    assert (report.checked["dead_embeddings"], report.checked["previews"], report.checked["images"]) == (0, 2, 1)
    with library.read() as session:
        assert session.scalar(select(func.count(TextBody.id))) == 1


def test_a_damaged_segment_is_not_made_to_look_well(library: Library, album: Path) -> None:
    (segment,) = library.vectors.segments_folder.glob("image-*.seg")
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)
    try:
        index_paths(library, ColourEncoder(), [album], PRUNE)
    except Exception as error:  # the publication may refuse it first
        assert "checksum" in str(error)  # noqa: PT017
    assert "segment_block" in verify(library).codes


CHILD = """
import sys
from pathlib import Path
from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from vision.encoders.colour import ColourEncoder
with Library.open(Path(sys.argv[1]), sys.argv[3]) as library:
    print("open", flush=True)
    index_paths(library, ColourEncoder(), [sys.argv[2]], IndexOptions(decode_workers=1, prune=True),
                lambda step: print(step.stage, flush=True))
"""


def test_kills_while_pruning_lose_nothing_and_the_next_run_ends_the_work(
    library: Library, album: Path, home: Path, database_url: str
) -> None:
    sha256, _ = blue(library)
    chance = random.Random(3)
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(home), str(album), database_url],
            stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        assert child.stdout is not None
        for _ in range(chance.randrange(1, 7)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.communicate()
        with library.exclusive():
            assert verify(library).codes <= {"unpublished", "stray_preview"}
    index_paths(library, ColourEncoder(), [album], PRUNE)
    assert verify(library).findings == []
    assert not [name for name in files(home) if sha256 in name]

"""`kill -9` at any moment of an index run loses nothing and leaves nothing behind that the next run does not mend."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from search.db.schema import Embedding, File
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.colour import ColourEncoder

ROOT = Path(__file__).resolve().parents[2]
PICTURES = 60

# Indexes the pictures and tells of each step on its output, so that the parent can choose its moment by progress.
CHILD = """
import sys
from pathlib import Path
from indexer.pipeline import IndexOptions, index_paths
from search.library import Library
from vision.encoders.colour import ColourEncoder

def tell(step):
    print(step.stage, step.done, flush=True)

url = sys.argv[3] or None
with Library.open(Path(sys.argv[1]), url, create=True) as library:
    index_paths(library, ColourEncoder(), [sys.argv[2]], IndexOptions(decode_workers=1, batch_size=4), tell)
print("end", 0, flush=True)
"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    chance = random.Random(5)
    for number in range(PICTURES):
        colour = tuple(chance.randrange(256) for _ in range(3))
        Image.new("RGB", (24 + number, 24), colour).save(folder / f"{number}.png")
    return folder


def start(home: Path, pictures: Path, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), str(pictures), url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )


def killed_after(child: subprocess.Popen[str], steps: int) -> bool:
    """Kill the child after so many lines; False when it ended before."""
    assert child.stdout is not None
    with child.stdout as lines:
        for count, line in enumerate(lines):
            if line.startswith("end"):
                child.wait()
                return False
            if count >= steps:
                child.send_signal(signal.SIGKILL)
                break
    child.wait()
    return True


def _assert_all_found(library: Library) -> None:
    """Every committed picture is searched, whether the run that committed it came to publish it or not."""
    with library.read() as session:
        committed = session.scalar(select(func.count()).select_from(Embedding)) or 0
    if committed:
        result = SearchService(library, ColourEncoder()).search(SearchRequest(text="red", k=PICTURES))
        assert (len(result.hits), result.images_searched, result.waiting) == (committed, committed, 0)


def test_ten_kills_at_random_moments_lose_nothing(home: Path, database_url: str, pictures: Path) -> None:
    chance = random.Random(11)
    kills = 0
    for _ in range(10):
        kills += killed_after(start(home, pictures, database_url), chance.randrange(1, 14))
        with Library.open(home, database_url) as library, library.exclusive():
            # What is committed agrees at every moment; only the publication may lag behind.
            assert {finding.code for finding in verify(library).findings} <= {"unpublished"}
            _assert_all_found(library)
    assert kills >= 5
    assert not killed_after(start(home, pictures, database_url), 10_000)
    with Library.open(home, database_url) as library:
        assert verify(library).findings == []
        with library.read() as session:
            files = session.scalars(select(File.path)).all()
            embeddings = session.scalar(select(func.count()).select_from(Embedding))
    assert len(files) == len(set(files)) == PICTURES
    assert embeddings == PICTURES

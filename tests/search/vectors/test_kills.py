"""A process killed at any moment leaves a library that the next one finds whole."""

from __future__ import annotations

import random
import select
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func
from sqlalchemy import select as sql_select
from stock import Stock

from search.db.schema import Embedding, Image
from search.library import Library
from search.maintenance import rebuild, verify

CHILD = Path(__file__).with_name("killed_child.py")
ROOT = CHILD.parents[3]


def _kill_at_a_random_moment(arguments: list[str], chance: random.Random) -> int:
    """Start a child, wait for some of its steps and a little more, kill it; returns the steps that it told of."""
    child = subprocess.Popen(
        [sys.executable, str(CHILD), *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stderr is not None
    steps = 0
    try:
        for _ in range(chance.randint(1, 6)):
            assert child.stdout.readline(), child.stderr.read()
            steps += 1
        # Waits for the next step, but not until it is done: the kill falls anywhere within it.
        select.select([child.stdout], [], [], chance.uniform(0.0, 0.06))
    finally:
        child.kill()
        child.communicate()
    return steps


def test_ten_kills_lose_nothing_that_was_committed(library: Library, home: Path, database_url: str) -> None:
    chance = random.Random(7)
    rounds = 10 if library.engine.dialect.name == "sqlite" else 4
    told = 0
    for seed in range(rounds):
        told += _kill_at_a_random_moment([str(home), database_url, str(seed)], chance)
        with library.exclusive():
            stock = Stock(library, dim=64)
            stock.publish()
        assert verify(library).findings == []
        with library.read() as session:
            vectors = session.scalar(sql_select(func.count(Embedding.id)).where(Embedding.kind == "image"))
            images = session.scalar(sql_select(func.count(Image.id))) or 0
        assert vectors == images >= 20 * (told // 2)
        assert library.vectors.searcher(stock.model.id, "image").size == images


def test_a_tail_left_by_a_kill_is_told_and_removed(sqlite_stock: Stock) -> None:
    sqlite_stock.add_pictures(3)
    sqlite_stock.publish()
    (segment,) = sqlite_stock.library.vectors.segments_folder.iterdir()
    with open(segment, "ab") as file:
        file.write(b"half a block")
    assert verify(sqlite_stock.library).codes == {"segment_tail"}
    with sqlite_stock.library.exclusive():
        pass
    assert verify(sqlite_stock.library).findings == []


def test_a_killed_compaction_leaves_either_form(library: Library, home: Path, database_url: str) -> None:
    stock = Stock(library, dim=64)
    library.vectors.segment_limit_bytes = 3_000
    ids = [id_ for seed in range(12) for id_ in stock.add_pictures(20, seed=seed)]
    with library.write() as session:
        session.execute(Embedding.__table__.update().where(Embedding.id % 3 == 0).values(image_id=None))
    chance = random.Random(11)
    script = (
        "import sys; from pathlib import Path; from search.library import Library\n"
        "from search.maintenance import rebuild\n"
        "with Library.open(Path(sys.argv[1]), sys.argv[2]) as library:\n"
        "    print('open', flush=True); rebuild(library, compact=True)"
    )
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(home), database_url], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        child.stdout.readline()
        select.select([child.stdout], [], [], chance.uniform(0.0, 0.1))
        child.kill()
        child.communicate()
        with library.exclusive():
            pass
        assert verify(library).codes <= {"unpublished", "image_without_vector"}
    rebuild(library, compact=True)
    kept = [id_ for id_ in ids if id_ % 3]
    assert abs(library.vectors.fetch(kept) - stock.stored(kept)).max() < 1e-3
    assert verify(library).codes == {"image_without_vector"}
    assert verify(library).checked["dead_embeddings"] == 0


@pytest.mark.parametrize("rounds", [25])
def test_a_reader_always_sees_a_whole_generation(library: Library, home: Path, database_url: str, rounds: int) -> None:
    stock = Stock(library, dim=64)
    stock.add_pictures(20, seed=10_000_000)
    stock.publish()
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(home), database_url, "3"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert child.stdout is not None
    sizes: list[int] = []
    queries = stock.stored(list(stock.vectors))
    try:
        while len(set(sizes)) < 4 and len(sizes) < 20_000:
            searcher = library.vectors.searcher(stock.model.id, "image")
            scores, ids = searcher.search(queries, 1)
            assert ids[:, 0].tolist() == list(stock.vectors)
            assert (scores > 0.99).all()
            sizes.append(searcher.size)
            if len(sizes) % rounds == 0:  # Let the child go on where there is but one core.
                select.select([child.stdout], [], [], 1.0)
                child.stdout.readline()
    finally:
        child.kill()
        child.communicate()
    assert sizes == sorted(sizes)
    assert len(set(sizes)) >= 4
    assert all(size % 20 == 0 for size in sizes)

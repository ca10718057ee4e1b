"""What a job has to remember comes back as it was, however much it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.stages import spool
from indexer.stages.jobs import Before, Job, Jobs
from indexer.stages.spool import IdSet, Spool
from search.db.images import FileFact, KnownFile


@given(st.sets(st.integers(0, 5000)), st.integers(0, 6000))
def test_an_id_set_is_a_set(ids: set[int], other: int) -> None:
    bits = IdSet()
    for row_id in ids:
        bits.add(row_id)
    assert set(bits) == ids
    assert list(bits) == sorted(ids)
    assert (other in bits) == (other in ids)
    assert bool(bits) == bool(ids)


@pytest.mark.parametrize("in_memory", [10, 1 << 20])
def test_rows_come_back_in_order_from_memory_and_from_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(spool, "_IN_MEMORY_BYTES", in_memory)
    rows = [[os.fsdecode(b"/p/\xff\n.jpg"), 1, None], ["/p/\u00e4", 2**63 - 1, True]]
    with Spool(tmp_path) as kept:
        for row in rows:
            kept.append(*row)
        assert list(kept) == rows
        assert len(kept) == 2
        assert list(tmp_path.iterdir()) == []  # nothing that a kill would leave behind


def test_jobs_come_back_as_they_were(tmp_path: Path) -> None:
    jobs = Jobs(tmp_path)
    fact = FileFact(os.fsdecode(b"/p/\xe9.jpg"), 5, -3, "fsid:1", None)
    known = KnownFile(1, fact.path, "missing", None, 5, -3, "fsid:1", None, False)
    jobs.add(fact, 7)
    jobs.add(fact, 7, known)
    assert list(jobs) == [Job(fact, 7), Job(fact, 7, Before(None, "missing"))]
    jobs.spool.__exit__(None, None, None)

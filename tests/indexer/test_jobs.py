"""Jobs in real processes: killed, stopped, put to sleep, poisoned, side by side; what was finished is always kept."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import func, select, update

from indexer.jobs.desk import Desk, JobStopped
from indexer.jobs.kinds import IndexJob, RebuildJob, arguments_of, form_of
from indexer.jobs.running import _alive, run_here
from indexer.options import IndexOptions
from indexer.report import Progress
from indexer.roots import RuleChange
from indexer.worker import work
from search.db.schema import Embedding, File, Job
from search.encoder import EncoderWish
from search.errors import LibraryBusyError, LibraryError
from search.jobs.queue import WATCH, Claim, Queue
from search.jobs.rows import ask, list_jobs, show_job
from search.library import Library
from search.maintenance import verify

ROOT = Path(__file__).resolve().parents[2]
PICTURES = 40
POISON = (1, 2, 3)

# A worker whose encoder dies on pictures of one colour, and which tells of each step.
WORKER = f"""
import os, sys
from pathlib import Path
from indexer.worker import work
from search.library import Library
from vision.encoders.colour import ColourEncoder

inner = ColourEncoder.encode_prepared
def encode(self, pixels):
    if any((one == {POISON}).all() for one in pixels):
        os._exit(9)
    return inner(self, pixels)
ColourEncoder.encode_prepared = encode

def step(progress):
    print(progress.stage, progress.done, flush=True)

with Library.open(Path(sys.argv[1]), sys.argv[2]) as library:
    report = work(library, until_empty=True, on_progress=step, tell=lambda claim, what: print("told", what, flush=True))
"""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    chance = random.Random(7)
    for number in range(PICTURES):
        colour = tuple(chance.randrange(20, 256) for _ in range(3))
        Image.new("RGB", (24 + number, 24), colour).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture
def library(home: Path, database_url: str) -> Iterator[Library]:
    with Library.open(home, database_url, create=True) as opened:
        yield opened


def form(folder: Path) -> IndexJob:
    return IndexJob((str(folder),), IndexOptions(batch_size=4, decode_workers=1), EncoderWish("colour"))


def queue(library: Library, folder: Path) -> int:
    job = form(folder)
    return Queue(library).add(job.KIND, job.lane, arguments_of(job))


def worker(home: Path, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(home), url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )


def read_until(child: subprocess.Popen[str], wanted: Callable[[str], bool]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        if wanted(line):
            return
    pytest.fail("the worker has ended before")


def halfway(line: str) -> bool:
    return line.startswith("images ") and int(line.split()[1]) >= PICTURES // 2


def indexed(library: Library) -> int:
    with library.read() as session:
        return session.scalar(select(func.count()).select_from(Embedding).where(Embedding.kind == "image")) or 0


def assert_all_there(library: Library) -> None:
    assert indexed(library) == PICTURES
    assert verify(library).findings == []


def test_arguments_survive_the_queue(tmp_path: Path) -> None:
    options = IndexOptions(prune=True, rules=RuleChange(exclude=("raw/",)), looks=5)
    asked = IndexJob((f"{tmp_path}/\udc80",), options, EncoderWish("colour", threads=3))
    assert form_of("index", arguments_of(asked)) == asked
    assert asked.lane is None, "what is pruned may not be read beside it"
    assert form_of("rebuild", arguments_of(RebuildJob(compact=True))) == RebuildJob(compact=True)
    for kind, arguments in (("juggle", {}), ("index", {"paths": 3})):
        with pytest.raises(LibraryError, match="cannot run a job"):
            form_of(kind, arguments)


def test_a_killed_worker_is_followed_and_nothing_is_done_twice(
    library: Library, home: Path, database_url: str, pictures: Path
) -> None:
    number = queue(library, pictures)
    first = worker(home, database_url)
    read_until(first, halfway)
    first.kill()
    first.communicate()
    kept = indexed(library)
    assert 0 < kept < PICTURES
    report = work(library, until_empty=True)
    assert (report.done, report.failed) == (1, 0)
    details = show_job(library, number)
    assert (details.info.state, details.info.attempts) == ("done", 2)
    assert details.report is not None
    assert details.report["embedded"] == PICTURES - kept
    assert_all_there(library)


def test_a_picture_that_kills_three_workers_is_left_out_and_the_others_are_not(
    library: Library, home: Path, database_url: str, pictures: Path
) -> None:
    Image.new("RGB", (64, 64), POISON).save(pictures / "99-poison.png")
    number = queue(library, pictures)
    for _ in range(3):
        child = worker(home, database_url)
        child.communicate()
        assert child.returncode == 9
    child = worker(home, database_url)
    child.communicate()
    assert child.returncode == 0
    with library.read() as session:
        refused = session.execute(select(File.path, File.reason).where(File.state == "refused")).all()
    assert [path for path, _ in refused] == [str(pictures / "99-poison.png")]
    assert refused[0].reason.startswith("quarantined: 3 workers died")
    assert show_job(library, number).info.state == "done"
    assert_all_there(library)
    again = IndexJob((), IndexOptions(retry_refused=True), EncoderWish())
    assert run_here(library, again, Desk()).embedded == 1, "it is tried again when somebody asks for it"


@pytest.mark.parametrize(("wish", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_a_job_that_is_asked_to_stop_keeps_what_it_has(
    library: Library, home: Path, database_url: str, pictures: Path, wish: str, state: str
) -> None:
    number = queue(library, pictures)
    seen = 0

    def slowly(step: Progress) -> None:
        nonlocal seen
        seen += 1
        if seen == 12:
            ask(library, number, wish)
        time.sleep(0.15 if step.stage == "images" and seen >= 12 else 0)

    report = work(library, until_empty=True, on_progress=slowly)
    assert (report.done, report.stopped) == (0, 1)
    details = show_job(library, number)
    assert details.info.state == state
    assert any("pictures of this run are in the library" in what for _, what in details.events)
    assert 0 < indexed(library) < PICTURES
    ask(library, number, "resume" if wish == "pause" else "retry")
    assert work(library, until_empty=True).done == 1
    assert_all_there(library)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_worker_that_is_told_to_leave_queues_its_job_again(
    library: Library, home: Path, database_url: str, pictures: Path, number: signal.Signals
) -> None:
    job = queue(library, pictures)
    command = [sys.executable, "-m", "deixis", "worker", "--home", str(home), "--database-url", database_url]
    child = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert child.stderr is not None
    read_line = child.stderr.readline()
    assert "begun" in read_line
    child.send_signal(number)
    child.communicate(timeout=60)
    assert child.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert show_job(library, job).info.state in ("queued", "done")
    work(library, until_empty=True)
    assert_all_there(library)


def test_a_worker_that_slept_is_followed_and_refused_when_it_wakes(
    library: Library, home: Path, database_url: str, pictures: Path
) -> None:
    number = queue(library, pictures)
    sleeper = worker(home, database_url)
    read_until(sleeper, halfway)
    sleeper.send_signal(signal.SIGSTOP)
    try:
        # Its lease runs out; on Postgres it may have fallen asleep within a transaction, which nobody can wait for.
        with library.write() as session:
            session.execute(update(Job).values(leased_until=Job.created_at))
    except LibraryBusyError:
        sleeper.kill()
        sleeper.communicate()
        pytest.skip("it fell asleep while it was writing")
    report = work(library, until_empty=True)
    assert report.done == 1
    token = token_of(library, number)
    sleeper.send_signal(signal.SIGCONT)
    said, _ = sleeper.communicate(timeout=60)
    assert "taken over by" in said or "ended by somebody else" in said or "deleted while a job ran" in said
    assert (token_of(library, number), show_job(library, number).info.state) == (token, "done")
    assert_all_there(library)


def token_of(library: Library, number: int) -> int:
    with library.read() as session:
        return session.get_one(Job, number).token


def test_a_command_that_is_interrupted_leaves_a_paused_job_that_the_same_command_ends(
    library: Library, pictures: Path
) -> None:
    def interrupt(step: Progress) -> None:
        if step.stage == "images" and step.done >= PICTURES // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_here(library, form(pictures), Desk(interrupt))
    (job,) = list_jobs(library)
    assert job.state == "paused"
    assert 0 < indexed(library) < PICTURES
    run_here(library, form(pictures), Desk())
    (job,) = list_jobs(library)
    assert (job.state, job.attempts) == ("done", 2)
    assert_all_there(library)


def test_what_fails_is_noted_with_its_reason(library: Library, pictures: Path) -> None:
    def fail(step: Progress) -> None:
        if step.stage == "images" and step.done:
            raise OSError(28, "No space left on device", "/somewhere")

    with pytest.raises(OSError, match="No space left"):
        run_here(library, form(pictures), Desk(fail))
    (job,) = list_jobs(library)
    assert job.state == "failed"
    assert job.error is not None
    assert "full" in job.error or "space" in job.error
    ask(library, job.id, "retry")
    assert work(library, until_empty=True).done == 1
    assert_all_there(library)


def test_a_lane_that_is_busy_outside_of_the_queue_is_waited_for(
    library: Library, home: Path, database_url: str
) -> None:
    with Library.open(home, database_url) as other, other.working("pictures"), pytest.raises(LibraryBusyError):
        run_here(library, form(home), Desk())
    assert list_jobs(library) == [], "who never had the lane has begun no job"


def test_a_job_that_comes_no_further_writes_seldom(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.jobs.running._BEAT_S", 0.005)
    did: list[str] = []

    class Counted(Queue):
        def beat(self, claim: Claim, progress: Mapping[str, Any] | None) -> str | None:
            did.append("beat")
            return super().beat(claim, progress)

        def listen(self, claim: Claim) -> str | None:
            did.append("listen")
            return super().listen(claim)

    def come_further(desk: Desk, bursts: int) -> None:
        desk.on_progress(Progress("watching", bursts, None))
        since = len(did)
        ends = time.monotonic() + 60
        while did[since:].count("listen") < 5:
            assert time.monotonic() < ends
            time.sleep(0.005)

    counted, desk = Counted(library), Desk()
    claim = counted.begin("watch", WATCH, {})
    with _alive(counted, claim, desk):
        come_further(desk, 1)
        come_further(desk, 2)
        assert did.count("beat") == 2
        ask(library, claim.id, "cancel")
        with pytest.raises(JobStopped):
            for bursts in range(3, 100):
                come_further(desk, bursts)
    counted.end(claim, "cancelled", what="cancelled")


def test_a_stop_goes_through_the_desk() -> None:
    desk = Desk()
    desk.on_progress(Progress("images", 1, 10))
    desk.stop("pause")
    with pytest.raises(JobStopped) as caught:
        desk.on_progress(Progress("images", 2, 10))
    assert caught.value.wish == "pause"
    progress = desk.progress()
    assert progress is not None
    assert (progress["stage"], progress["done"], progress["total"]) == ("images", 2, 10)

"""The queue: one worker a job, dead ones are followed, stale ones refused, and what killed three is left out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from search.db.schema import Job, Suspect
from search.errors import NotFoundError, QueryError
from search.jobs.quarantine import CRASHES, Item, acquit, crashes_of
from search.jobs.queue import KEPT, MAX_CRASHES, WATCH, Claim, Queue, StaleJobError
from search.jobs.rows import ask, list_jobs, show_job, workers_here
from search.library import Library

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def library(home: Path, database_url: str) -> Iterator[Library]:
    with Library.open(home, database_url, create=True) as opened:
        yield opened


def claimed(queue: Queue) -> Claim:
    claim = queue.claim()
    assert claim is not None
    return claim


def state(library: Library, job_id: int) -> str:
    return show_job(library, job_id).info.state


def test_a_job_goes_through_the_queue_once(library: Library) -> None:
    queue = Queue(library)
    number = queue.add("index", "pictures", {"paths": ["/a\udc80"]})
    claim = claimed(queue)
    assert (claim.id, claim.kind, claim.arguments, claim.attempt) == (number, "index", {"paths": ["/a\udc80"]}, 1)
    assert queue.claim() is None
    assert queue.beat(claim, {"stage": "images", "done": 3}) is None
    assert show_job(library, number).info.progress == {"stage": "images", "done": 3}
    queue.end(claim, "done", what="done", report={"embedded": 3})
    details = show_job(library, number)
    assert (details.info.state, details.report) == ("done", {"embedded": 3})
    assert [what for _, what in details.events][0::2] == ["queued", "done"]
    queue.close()


def test_two_workers_take_two_jobs_and_never_the_same(library: Library) -> None:
    first, second = Queue(library), Queue(library)
    first.add("index", "pictures", {})
    first.add("caption", "captions", {})
    first.add("index", "pictures", {"paths": ["/b"]})
    assert (claimed(first).kind, claimed(second).kind) == ("index", "caption")
    assert second.claim() is None, "the lane of pictures has a job"


def test_a_job_for_the_whole_library_waits_for_the_others_and_is_not_overtaken(library: Library) -> None:
    queue = Queue(library)
    queue.add("index", "pictures", {})
    running = claimed(queue)
    queue.add("rebuild", None, {})
    queue.add("caption", "captions", {})
    assert queue.claim() is None
    queue.end(running, "done", what="done")
    assert claimed(queue).kind == "rebuild"
    assert queue.claim() is None


def dead_worker(library: Library, home: Path, url: str, *, note: str = "") -> None:
    """A process that claims the next job, takes something in hand, and dies."""
    script = f"""
import os, sys
from pathlib import Path
from search.jobs.quarantine import Item
from search.jobs.queue import Queue
from search.library import Library
with Library.open(Path(sys.argv[1]), sys.argv[2]) as library:
    queue = Queue(library)
    claim = queue.claim()
    assert claim is not None
    if {note!r}:
        queue.hand_of(claim.id).note("pictures", [Item(key, key + ".jpg") for key in {note!r}.split()])
    os._exit(9)
"""
    child = subprocess.run([sys.executable, "-c", script, str(home), url], cwd=ROOT, check=False)
    assert child.returncode == 9


def test_a_dead_workers_job_goes_on_at_once(library: Library, home: Path, database_url: str) -> None:
    queue = Queue(library)
    number = queue.add("index", "pictures", {})
    dead_worker(library, home, database_url)
    assert show_job(library, number).info.lost
    claim = claimed(queue)
    assert not show_job(library, number).info.lost
    assert (claim.id, claim.attempt, claim.take_over) == (number, 2, False)


def test_a_worker_that_does_not_answer_is_followed_and_writes_nothing_more(library: Library) -> None:
    asleep, awake = Queue(library), Queue(library)
    asleep.add("index", "pictures", {})
    old = claimed(asleep)
    assert awake.claim() is None
    with library.write() as session:
        session.execute(update(Job).values(leased_until=datetime.now(UTC) - timedelta(seconds=1)))
    new = claimed(awake)
    assert new.take_over
    assert new.token > old.token
    with pytest.raises(StaleJobError, match="taken over by pid"), library.write() as session:
        asleep.check(session, old)
    with pytest.raises(StaleJobError):
        asleep.beat(old, None)
    with pytest.raises(StaleJobError):
        asleep.end(old, "done", what="done")
    awake.end(new, "done", what="done")
    assert state(library, new.id) == "done"


def test_who_only_listens_hears_what_is_asked_and_writes_nothing(library: Library) -> None:
    queue = Queue(library)
    number = queue.add("index", "pictures", {})
    claim = claimed(queue)
    with library.read() as session:
        before = session.get_one(Job, number).leased_until
    assert queue.listen(claim) is None
    ask(library, number, "pause")
    assert queue.listen(claim) == "pause"
    with library.read() as session:
        assert session.get_one(Job, number).leased_until == before
    queue.end(claim, "paused", what="paused")
    with pytest.raises(StaleJobError):
        queue.listen(claim)


def test_watching_holds_nobody_up_and_is_no_workers_work(library: Library) -> None:
    watching, queue = Queue(library), Queue(library)
    claim = watching.begin("watch", WATCH, {"often": 1})
    number = queue.add("rebuild", None, {})
    whole = claimed(queue)
    assert whole.id == number
    queue.end(whole, "done", what="done")
    with library.write() as session:
        session.execute(update(Job).where(Job.id == claim.id).values(leased_until=datetime.now(UTC)))
    assert show_job(library, claim.id).info.lost
    assert queue.claim() is None
    again = queue.begin("watch", WATCH, {"often": 2})
    assert (again.id, again.arguments, again.attempt) == (claim.id, {"often": 2}, 2)
    with pytest.raises(StaleJobError):
        watching.listen(claim)


def test_a_fenced_library_refuses_every_write_of_a_stale_worker(library: Library) -> None:
    queue = Queue(library)
    queue.add("index", "pictures", {})
    claim = claimed(queue)
    library.database.fence = lambda session: queue.check(session, claim)
    with library.write() as session:
        session.execute(update(Job).values(token=Job.token + 1))
    with pytest.raises(StaleJobError), library.write():
        pytest.fail("a stale worker writes")


def test_what_three_workers_died_over_is_left_out(library: Library, home: Path, database_url: str) -> None:
    queue = Queue(library)
    number = queue.add("index", "pictures", {})
    dead_worker(library, home, database_url, note="aa bb cc")
    for _ in range(CRASHES - 1):
        dead_worker(library, home, database_url, note="bb")
    with library.read() as session:
        assert crashes_of(session, "pictures") == {"aa": 1, "bb": 2, "cc": 1}, "the last death is not counted yet"
    assert claimed(queue).lost == ("bb.jpg",)
    with library.write() as session:
        assert crashes_of(session, "pictures") == {"aa": 1, "bb": 3, "cc": 1}
        assert acquit(session, "pictures", ["aa", "bb"]) == 1, "what is left out is not acquitted in passing"
        assert acquit(session, "pictures", ["bb"], quarantined=True) == 1
    assert any("bb.jpg" in what for _, what in show_job(library, number).events)


def test_a_job_whose_workers_die_with_empty_hands_is_given_up(library: Library, home: Path, database_url: str) -> None:
    queue = Queue(library)
    number = queue.add("index", "pictures", {})
    for _ in range(MAX_CRASHES):
        dead_worker(library, home, database_url)
    assert queue.claim() is None
    details = show_job(library, number)
    assert details.info.state == "failed"
    assert details.info.error is not None
    assert f"{MAX_CRASHES} workers died" in details.info.error


@pytest.mark.parametrize(("wish", "becomes"), [("pause", "paused"), ("cancel", "cancelled")])
def test_what_a_dead_worker_was_asked_for_is_done(
    library: Library, home: Path, database_url: str, wish: str, becomes: str
) -> None:
    number = Queue(library).add("index", "pictures", {})
    dead_worker(library, home, database_url)
    assert ask(library, number, wish) == "running"
    assert Queue(library).claim() is None
    assert state(library, number) == becomes


@pytest.mark.parametrize(
    ("wishes", "becomes"),
    [
        (["pause"], "paused"),
        (["pause", "resume"], "queued"),
        (["cancel"], "cancelled"),
        (["pause", "cancel"], "cancelled"),
        (["cancel", "retry"], "queued"),
    ],
)
def test_jobs_are_steered(library: Library, wishes: list[str], becomes: str) -> None:
    number = Queue(library).add("index", "pictures", {})
    for wish in wishes:
        assert ask(library, number, wish) in ("paused", "queued", "cancelled")
    assert state(library, number) == becomes
    assert (Queue(library).claim() is not None) == (becomes == "queued")


@pytest.mark.parametrize(("before", "wish"), [("cancel", "pause"), ("cancel", "cancel"), ("", "resume"), ("", "retry")])
def test_what_makes_no_sense_is_said(library: Library, before: str, wish: str) -> None:
    number = Queue(library).add("index", "pictures", {})
    if before:
        ask(library, number, before)
    with pytest.raises(QueryError, match=f"Job {number} is"):
        ask(library, number, wish)


def test_a_number_that_no_job_has_is_said(library: Library) -> None:
    with pytest.raises(NotFoundError, match="no job 77"):
        ask(library, 77, "pause")
    with pytest.raises(NotFoundError, match="no job 77"):
        show_job(library, 77)


def test_the_running_worker_hears_what_it_is_asked_for(library: Library) -> None:
    queue = Queue(library)
    claim = queue.begin("index", "pictures", {})
    assert ask(library, claim.id, "pause") == "running"
    assert queue.beat(claim, None) == "pause"
    ask(library, claim.id, "resume")
    assert queue.beat(claim, None) is None


def test_a_command_takes_up_what_the_same_command_left(library: Library, home: Path, database_url: str) -> None:
    queue = Queue(library)
    first = queue.begin("index", "pictures", {"paths": ["/a"]})
    queue.end(first, "paused", what="interrupted")
    other = queue.begin("index", "pictures", {"paths": ["/b"]})
    assert other.id != first.id
    queue.end(other, "done", what="done")
    again = queue.begin("index", "pictures", {"paths": ["/a"]})
    assert (again.id, again.attempt) == (first.id, 2)
    queue.end(again, "done", what="done")
    assert queue.begin("index", "pictures", {"paths": ["/a"]}).id not in (first.id, other.id)


def test_reports_of_the_last_thousand_are_kept(library: Library) -> None:
    now = datetime.now(UTC)
    facts = {"kind": "index", "lane": "pictures", "arguments": {}, "state": "done", "created_at": now, "ended_at": now}
    with library.write() as session:
        session.add_all([Job(token=1, attempts=1, crashes=0, **facts) for _ in range(KEPT + 5)])
    queue = Queue(library)
    number = queue.add("index", "pictures", {})
    jobs = list_jobs(library)
    assert len(jobs) == KEPT + 1
    assert jobs[0].id == number
    assert [job.id for job in list_jobs(library, unended=True)] == [number]


def test_a_torn_note_of_what_was_in_hand_blames_nobody(library: Library, home: Path, database_url: str) -> None:
    queue = Queue(library)
    number = queue.add("index", "pictures", {})
    dead_worker(library, home, database_url, note="aa")
    (queue.folder / f"{number}.hand").write_text('["pictures", [["aa", "aa.j')
    claimed(queue)
    with library.read() as session:
        assert session.scalars(select(Suspect)).all() == []
    queue.hand_of(number).note("pictures", [Item("aa", "ä\udc80.jpg")])
    hand = queue.hand_of(number).read()
    assert hand is not None
    assert hand.items == (Item("aa", "ä\udc80.jpg"),)


def test_workers_are_counted_while_they_live_and_commands_are_not(library: Library) -> None:
    assert workers_here(library) == 0
    worker, command = Queue(library), Queue(library)
    command.begin("index", "pictures", {})
    assert workers_here(library) == 0
    worker.open_for_work()
    assert workers_here(library) == 1, "before it has anything to do"
    worker.close()
    assert workers_here(library) == 0
    command.close()

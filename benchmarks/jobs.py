"""Whether bulk jobs lose anything: workers killed at random moments, then four workers and two readers side by side.

    python -m benchmarks.jobs [--kills 500] [--minutes 10] [--seed 1] [--database-url URL] [--captioner NAME]

A queue is kept filled with jobs of every kind over small drawn pictures. **Kills**: one worker after the other is begun
in a process of its own and killed with signal 9 after a random moment; some jobs are paused, resumed or cancelled.
After each, what was committed before must still be there, and nothing twice; every so often a worker may finish, and
`verify` must find nothing. The seconds are those from a worker's start until it has a job; the limit is ten. Jobs that
are given up because many workers in a row were killed before they had anything in hand are counted apart.
**Side by side**: nobody may be told that the database is locked or busy.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.job_world import KINDS, World, committed, forked
from indexer.worker import work
from search.jobs.rows import ask, list_jobs
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from vision.encoders.colour import ColourEncoder
from vision.errors import DeixisError

RESTART_LIMIT_S = 10.0


def worker_of(world: World, told: int) -> Callable[[], None]:
    """A worker that writes to a descriptor how long it took to have its first job, and how each has ended."""

    def run() -> None:
        began = time.monotonic()

        def tell(claim: object, what: str) -> None:
            os.write(told, f"{time.monotonic() - began:.3f} {what}\n".encode())

        with world.open() as library:
            work(library, until_empty=True, tell=tell)

    return run


def run_worker(world: World, *, kill_after_s: float | None) -> list[str]:
    """One worker, killed after a while or left to finish; returns what it told."""
    ours, theirs = os.pipe()
    child = forked(worker_of(world, theirs))
    os.close(theirs)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(ours) as pipe:
        told = pipe.read().splitlines()
    os.waitpid(child, 0)
    return told


def steer(world: World) -> str:
    """Ask something of a job that is not over, at random."""
    with world.open() as library:
        jobs = list_jobs(library, unended=True)
        if not jobs:
            return "nothing"
        wish = world.chance.choice(("pause", "resume", "cancel"))
        try:
            ask(library, world.chance.choice(jobs).id, wish)
        except DeixisError:
            return "refused"
        return wish


def settle(world: World) -> Counter[str]:
    """Let everything be finished; returns what is wrong."""
    with world.open() as library:
        for job in list_jobs(library, unended=True):
            if job.state == "paused":
                ask(library, job.id, "resume")
    world.queue("index")
    run_worker(world, kill_after_s=None)
    with world.open() as library:
        wrong = Counter(finding.code for finding in verify(library).findings)
        found = committed(library)
        wrong.update(["doubled" for count in found.values() if count > 1])
        wrong["missing pictures"] += world.pictures - sum(kind == "file" for kind, _ in found)
        failed = [job for job in list_jobs(library) if job.state == "failed"]
        wrong.update([f"job {job.kind}: {job.error}" for job in failed if "workers died" not in (job.error or "")])
        world.given_up = len(failed)
    return +wrong


def kill(world: World, kills: int) -> bool:
    """Kill so many workers; prints what came of it, and returns whether nothing was lost."""
    waits: list[float] = []
    lost = doubled = steered = 0
    wrong: Counter[str] = Counter()
    before: Counter[tuple[str, str]] = Counter()
    for number in range(kills):
        while True:
            with world.open() as library:
                waiting = list_jobs(library, unended=True)
            if len(waiting) >= 2:
                break
            world.queue(world.chance.choice(KINDS))
        told = run_worker(world, kill_after_s=0.05 + world.chance.random() ** 2 * 1.5)
        waits += [float(line.split()[0]) for line in told[:1]]
        with world.open() as library:
            after = committed(library)
        lost += len(before.keys() - after.keys() - {key for key in before if key[0] == "vector"})
        doubled += sum(count > 1 for count in after.values())
        before = after
        if world.chance.random() < 0.2:
            steered += steer(world) in ("pause", "resume", "cancel")
        if number % 25 == 24:
            wrong += settle(world)
            sys.stdout.write(
                f"{number + 1} kills, {world.pictures} pictures, wrong so far: {dict(wrong) or 'nothing'}\n"
            )
            sys.stdout.flush()
    wrong += settle(world)
    late = max(waits, default=0.0)
    print(f"wrong: {dict(wrong) or 'nothing'}; jobs given up after many deaths in a row: {world.given_up}")
    print(f"{kills} kills, {steered} times steered: {lost} acknowledged things lost, {doubled} doubled")
    print(
        f"from a worker's start to its job: median {np.median(waits):.2f} s, 95 % {np.quantile(waits, 0.95):.2f} s, "
        f"longest {late:.2f} s; {late / RESTART_LIMIT_S:.2f} of the limit of {RESTART_LIMIT_S:.0f} s"
    )
    return not (lost or doubled or wrong) and late <= RESTART_LIMIT_S


def read_of(world: World, ends: float, told: int) -> Callable[[], None]:
    """A reader that searches and looks at jobs until a moment, and writes what it was refused."""

    def run() -> None:
        with world.open() as library:
            service = SearchService(library, ColourEncoder())
            searches = 0
            while time.monotonic() < ends:
                try:
                    service.search(SearchRequest(text="red", k=10))
                    list_jobs(library, limit=5)
                    searches += 1
                except DeixisError as error:
                    os.write(told, f"{type(error).__name__}: {error.args[0]}\n".encode())
                time.sleep(0.05)
            os.write(told, f"searches {searches}\n".encode())

    return run


def work_until(world: World, ends: float, told: int) -> Callable[[], None]:
    """A worker that goes on until a moment, and writes how its jobs have ended."""

    def run() -> None:
        def tell(claim: object, what: str) -> None:
            if what != "begun":
                os.write(told, f"job {what}\n".encode())

        with world.open() as library:
            while time.monotonic() < ends:
                work(library, until_empty=True, tell=tell)
                time.sleep(0.2)

    return run


def side_by_side(world: World, minutes: float) -> bool:
    """Four workers, two readers, and somebody who queues; prints what they were told."""
    world.queue("index")
    run_worker(world, kill_after_s=None)
    ends = time.monotonic() + 60 * minutes
    ours, theirs = os.pipe()
    children = [forked(work_until(world, ends, theirs)) for _ in range(4)]
    children += [forked(read_of(world, ends, theirs)) for _ in range(2)]
    os.close(theirs)
    refused: Counter[str] = Counter()
    while time.monotonic() < ends:
        try:
            with world.open() as library:
                waiting = len(list_jobs(library, unended=True))
            if waiting < 6:
                world.queue(world.chance.choice(KINDS))
        except DeixisError as error:
            refused[f"{type(error).__name__}: {error.args[0]}"] += 1
        time.sleep(0.1)
    with os.fdopen(ours) as pipe:
        lines = pipe.read().splitlines()
    failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
    searches = sum(int(line.split()[1]) for line in lines if line.startswith("searches "))
    told = Counter(line for line in lines if not line.startswith("searches ")) + refused
    done = told.pop("job done", 0)
    wrong = settle(world)
    print(
        f"{minutes:g} minutes, 4 workers, 2 readers: {done} jobs done, {searches} searches, {world.pictures} pictures"
    )
    print(f"told otherwise: {dict(told) or 'nothing'}; processes that ended badly: {failed}")
    print(f"wrong: {dict(wrong) or 'nothing'}; jobs given up: {world.given_up}")
    busy = sum(count for line, count in told.items() if "Busy" in line or "locked" in line or "failed" in line)
    return not (busy or failed or wrong)


def main() -> int:
    """Run both; the exit code says whether all held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url")
    parser.add_argument("--captioner", help="such as storybook-captioner; else rebuilds take the captions' turn")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        world = World(Path(name), options.database_url, random.Random(options.seed), options.captioner)
        held = not options.kills or kill(world, options.kills)
        held &= not options.minutes or side_by_side(world, options.minutes)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

"""The N-th write, fsync, rename, open, unlink or mkdir fails, in every command: nothing is lost or doubled.

A few injections run always; `FAULTS_PER_KIND=12` makes that many of each kind and command, a large number all.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.faults.hooks import MKDIR, OPEN, RENAME, SYNC, UNLINK, WRITE

PER_KIND = int(os.environ.get("FAULTS_PER_KIND", "0"))
"""Injections per command and kind of fault; 0 for one of every third kind."""

KINDS = {
    "full_disk": (WRITE, errno.ENOSPC, True),
    "quota_at_open": (OPEN | MKDIR, errno.EDQUOT, True),
    "write_io": (WRITE, errno.EIO, False),
    "sync_io": (SYNC, errno.EIO, False),
    "rename_denied": (RENAME, errno.EACCES, False),
    "open_denied": (OPEN, errno.EACCES, False),
    "open_io": (OPEN, errno.EIO, False),
    "no_descriptors": (OPEN, errno.EMFILE, True),
    "unlink_denied": (UNLINK, errno.EACCES, False),
    "mkdir_full": (MKDIR, errno.ENOSPC, False),
    "read_only": (WRITE | RENAME | UNLINK | MKDIR, errno.EROFS, True),
}
MENDS_ITSELF = {
    "unpublished",
    "stray_file",
    "stray_preview",
    "unfinished_file",
    "segment_tail",
    "text_without_vector",
}
"""What an interrupted run may leave: the next one takes it away."""


@dataclass(frozen=True)
class Case:
    """A command on a library that is made anew for each injection."""

    name: str
    arguments: list[str]
    home: Path | None
    said: str = ""
    mend: tuple[str, ...] = ()
    """A command that lets a second run do what the first has left, where there is anything."""


COMMANDS = ["index", "index_more", "import", "worker", "search", "status", "verify", "rebuild"]
COMMANDS += ["caption"] if PER_KIND else []  # its models take seconds to load, each time


@pytest.fixture(params=COMMANDS)
def case(request: pytest.FixtureRequest, album: Path) -> Case:
    """Each command that touches a library."""
    name: str = request.param
    old, new, captions = str(album / "old"), str(album / "new"), str(album / "captions.jsonl")
    arguments, library = {
        "index": (["index", old, new, "--model", "colour", "-q"], None),
        "index_more": (["index", new, "-q"], "captioned"),
        "import": (["import", captions, "-q"], "indexed"),
        "worker": (["worker", "--until-empty", "-q"], "queued"),
        "caption": (["caption", "--captioner", "storybook-captioner", "-q"], "indexed"),
        "search": (["search", "red", "-k", "1"], "captioned"),
        "rebuild": (["rebuild", "--compact"], "captioned"),
    }.get(name, ([name], "captioned"))
    home: Path | None = None if library is None else request.getfixturevalue(library)
    mend = ("jobs", "retry", "3") if name == "worker" else ()
    return Case(name, arguments, home, said="red.png" if name == "search" else "", mend=mend)


def test_a_fault_at_any_moment_loses_nothing(case: Case, driver: Any, tmp_path: Path) -> None:
    seen: dict[int, int] = {}
    expected: dict[str, Any] = {}
    for place, (kind, (operations, code, lasting)) in enumerate(KINDS.items()):
        if PER_KIND == 0 and (place + len(case.name)) % 3:
            continue
        fault = {"operations": operations, "code": code, "lasting": lasting}
        if operations not in seen:
            home = fresh(case, tmp_path / f"{kind} counted")
            whole = driver.run(case.arguments, home, fault | {"number": 10**9})
            assert whole["code"] == 0, whole["err"]
            expected = expected or driver.judge(home)
            assert expected["codes"] == []
            seen[operations] = whole["seen"]
        endings: Counter[int] = Counter()
        for number in spread(seen[operations], place):
            home = fresh(case, tmp_path / f"{kind} {number}")
            broken = driver.run(case.arguments, home, fault | {"number": number})
            endings[broken["code"]] += 1
            check(case, f"{kind} {number}", broken, home, expected, driver)
            shutil.rmtree(home.parent)
        sys.stdout.write(f"{case.name} {kind}: {seen[operations]} calls, exit codes {dict(endings)}\n")


def check(case: Case, where: str, broken: dict[str, Any], home: Path, expected: dict[str, Any], driver: Any) -> None:
    """No traceback, an honest exit code, damage that mends itself, and a second run that completes."""
    told = broken["out"] + broken["err"]
    assert "Traceback" not in told, (where, told)
    assert "defect" not in told, (where, told)
    assert broken["code"] in (0, 1, 3), (where, told)
    found = driver.judge(home)
    if broken["code"] == 0:  # then nothing but a cache may have failed
        assert found == expected, (where, told)
        assert case.said in broken["out"], (where, told)
    else:
        assert broken["err"].strip(), where
    assert found is None or set(found.get("codes", ())) <= MENDS_ITSELF, (where, found, told)
    if case.mend:  # refused where the job is not over
        assert driver.run(list(case.mend), home)["code"] in (0, 1), where
    again = driver.run(case.arguments, home)
    assert again["code"] == 0, (where, told, again["out"] + again["err"])
    after = driver.judge(home)
    if after["codes"] == ["stray_preview"]:  # half a preview that could not even be removed: the remedy does it
        assert driver.run(["rebuild"], home)["code"] == 0, where
        after = driver.judge(home)
    assert after == expected, (where, told)


def fresh(case: Case, folder: Path) -> Path:
    """The library before the command, in a folder of its own."""
    home = folder / "home"
    folder.mkdir()
    if case.home is not None:
        shutil.copytree(case.home, home)
    return home


def spread(seen: int, place: int) -> Iterator[int]:
    """Numbers of calls to let fail: all of them, some from the first to the last, or one."""
    count = min(seen, PER_KIND)
    if PER_KIND == 0 and seen:
        yield 1 + seen * (place + 1) // (len(KINDS) + 2)
    yield from sorted({1 + round(at * (seen - 1) / max(count - 1, 1)) for at in range(count)})

"""The compiled shim, the forking driver, and small libraries to break."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


class Driver:
    """Talks to `driver.py`.

    Attributes:
        reaches_sqlite: whether faults are made below the C library, so that SQLite meets them as well.
    """

    def __init__(self, shim: Path | None, work: Path, preload: str = "") -> None:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DEIXIS_")}
        environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        environ |= {"FAULTS_PRELOAD": preload, "XDG_CACHE_HOME": str(work / "cache")}
        if shim is not None:
            environ["LD_PRELOAD"] = str(shim)
        self.reaches_sqlite = shim is not None
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(HERE / "driver.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environ,
        )

    def run(self, arguments: list[str], home: Path, fault: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run one command line, with a fault armed or without."""
        environ = {"DEIXIS_HOME": str(home), "DEIXIS_DECODE_WORKERS": "1", "DEIXIS_THREADS": "1"}
        return self._ask({"do": "run", "arguments": arguments, "environ": environ, "below": str(home), "fault": fault})

    def judge(self, home: Path) -> dict[str, Any] | None:
        """What `verify` finds and what is in the library; None where there is none."""
        answer = self._ask({"do": "judge", "home": str(home)})
        assert answer["code"] == 0, answer["err"]
        found: dict[str, Any] | None = json.loads(answer["out"])
        return found

    def close(self) -> None:
        """End the driver."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()

    def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The library to preload; None where there is no compiler, and Python's own calls are made to fail instead."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    path = tmp_path_factory.mktemp("shim") / "shim.so"
    made = subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-w", "-o", path, HERE / "shim.c", "-ldl"], check=False)
    return path if made.returncode == 0 else None


@pytest.fixture(scope="session")
def driver(shim: Path | None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    opened = Driver(shim, tmp_path_factory.mktemp("work"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders of pictures, and captions for the first."""
    folder = tmp_path_factory.mktemp("album")
    for width, name in enumerate(("old/red", "old/green", "old/blue", "new/yellow", "new/purple"), start=40):
        path = folder / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (width, 30), path.stem).save(path)
    lines = [
        {"file": f"{name}.png", "captions": [{"text": f"a {name} wall", "regions": []}]} for name in ("red", "green")
    ]
    (folder / "captions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture(scope="session")
def indexed(album: Path, driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that knows the old pictures."""
    home = tmp_path_factory.mktemp("indexed") / "home"
    made = driver.run(["index", str(album / "old"), "--model", "colour", "-q"], home)
    assert made["code"] == 0, made["err"]
    return home


@pytest.fixture(scope="session")
def captioned(album: Path, indexed: Path, driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that knows the old pictures with their captions."""
    home = tmp_path_factory.mktemp("captioned") / "home"
    shutil.copytree(indexed, home)
    made = driver.run(["import", str(album / "captions.jsonl"), "-q"], home)
    assert made["code"] == 0, made["err"]
    return home


@pytest.fixture(scope="session")
def queued(album: Path, captioned: Path, driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a job in its queue, the third: to index the new pictures."""
    home = tmp_path_factory.mktemp("queued") / "home"
    shutil.copytree(captioned, home)
    made = driver.run(["index", str(album / "new"), "--queue"], home)
    assert made["code"] == 0, made["err"]
    return home

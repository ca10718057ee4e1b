"""A process of its own that forks one child per task, arms a fault in it and lets it run a command line.

Tasks come as JSON lines on standard input, answers go out the same way. A fork saves each child the second that the
imports take; a child runs the program's own `main`, in a process of its own, to its own exit code.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import deixis.cli  # noqa: F401  # so that each child finds it imported
from deixis.__main__ import main
from search.checks.finding import VerifyReport
from search.db.schema import Caption, Embedding, File, Region
from search.library import Library
from search.maintenance import verify
from vision.errors import DeixisError


def _shim() -> Any:
    if os.environ.get("LD_PRELOAD"):
        return ctypes.CDLL(os.environ["LD_PRELOAD"])
    return importlib.import_module("hooks").PythonShim()


def _forked(work: Callable[[], int], folder: Path) -> dict[str, Any]:
    """Run `work` in a child with its output in files; answers its exit code and what it wrote."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            for name, descriptor in (("out", 1), ("err", 2)):
                opened = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.dup2(opened, descriptor)
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    written = {name: (folder / name).read_text(errors="replace") for name in ("out", "err")}
    return {"code": os.waitstatus_to_exitcode(status), **written}


def _command(task: dict[str, Any], shim: Any, folder: Path) -> int:
    sys.argv = ["deixis", *task["arguments"]]
    os.environ.update(task["environ"])
    fault = task.get("fault")
    if fault:
        shim.fault_arm(
            os.fsencode(task["below"]), fault["operations"], fault["number"], fault["code"], fault["lasting"]
        )
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        seen, fired = shim.fault_seen(), shim.fault_fired()
        shim.fault_arm(b"", 0, 0, 0, 0)
        (folder / "told").write_text(json.dumps({"seen": seen, "fired": bool(fired)}))
    return 0


def _judge(home: Path) -> int:
    """Write out what is in the library, each thing by what it is, and what `verify` finds."""
    from sqlalchemy import select

    if not (home / "deixis.db").exists():
        sys.stdout.write(json.dumps(None))
        return 0
    try:
        with Library.open(home) as library:
            report: VerifyReport = verify(library)
            with library.read() as session:
                counted = {
                    "files": sorted(session.scalars(select(File.name).where(File.state == "indexed"))),
                    "embeddings": len(session.scalars(select(Embedding.id)).all()),
                    "captions": len(session.scalars(select(Caption.id)).all()),
                    "regions": len(session.scalars(select(Region.id)).all()),
                }
    except DeixisError as error:
        sys.stdout.write(json.dumps({"error": str(error)}))
        return 0
    sys.stdout.write(json.dumps({"codes": sorted(report.codes), "counted": counted}))
    return 0


def _answer(task: dict[str, Any], shim: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if task["do"] == "judge":
            return _forked(lambda: _judge(Path(task["home"])), folder)
        answer = _forked(lambda: _command(task, shim, folder), folder)
        told = folder / "told"
        return answer | (json.loads(told.read_text()) if told.exists() else {"seen": 0, "fired": False})


def serve_tasks() -> None:
    """Answer tasks until the input ends."""
    for module in filter(None, os.environ.get("FAULTS_PRELOAD", "").split(",")):
        importlib.import_module(module)
    shim = _shim()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line), shim)) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve_tasks()

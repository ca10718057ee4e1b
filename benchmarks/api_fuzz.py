"""Whether the API keeps what its description promises, whatever is sent to it: Schemathesis, all checks, stateful.

    python -m benchmarks.api_fuzz [--cases 20000] [--seed 1] [--operation ID]

A library of drawn pictures with captions and boxes is made and served by the real server; every operation gets an equal
share of the cases, and sequences of them (a job that is made, then looked at, then steered) come on top. What
Schemathesis says of each failure is printed, then the machine, the number of cases, and failures by kind. Exit code 1
if there are any.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from indexer.embed_texts import embed_texts
from indexer.pipeline import index_paths
from indexer.report import silent
from indexer.writer import Writer
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import File
from search.library import Library
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Region, Span

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "black", "white")
_CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 410, 429, 501, 503]
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 501]
[[operations]]
include-operation-id = ["searchByPicture", "classify", "embedPictures"]
[operations.checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 404, 422, 501, 503]
"""
"""400 is a query, a cursor or labels that no schema can tell from good ones; 501 a library whose model cannot do that;
422 of an upload a file that is no picture. Everything else that the description allows has to be accepted."""

_ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the library, serve it, send the cases, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--operation", action="append", default=[], help="only this operation id; may be repeated")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        fill(home, Path(scratch) / "pictures")
        with served(home) as address:
            failed = fuzz(address, given.cases, given.seed, given.operation, Path(scratch) / "events.ndjson")
    return 1 if failed else 0


def fill(home: Path, folder: Path) -> None:
    """A library of a few pictures in one colour each, every second one with a caption and boxes."""
    folder.mkdir()
    for colour in COLOURS:
        Image.new("RGB", (120, 80), colour).save(folder / f"{colour}.png")
    encoder = ColourEncoder()
    with Library.open(home, create=True) as library:
        index_paths(library, encoder, [folder])
        with library.exclusive():
            with library.write() as session:
                model = library.check_model(session, encoder.facts)
                for file in session.scalars(select(File).order_by(File.path)).all()[::2]:
                    phrase = f"a {file.name.removesuffix('.png')} wall"
                    boxes = (Region(phrase, Box(0, 0, 1, 0.5), Span(0, len(phrase))),)
                    add_annotations(session, file.image_id or 0, [CaptionFact(f"{phrase}.", "en", boxes)], [], "import")
                session.flush()
                session.expunge(model)
            embed_texts(library, model, Writer(library, model, encoder), silent)
        library.publish(model.id)


@contextlib.contextmanager
def served(home: Path) -> Iterator[str]:
    """The address of a real server over a home."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "deixis", "serve", "--home", str(home), "--port", str(port)]
    # What is run and asked is ours.
    with open(home / "server.log", "wb") as log, subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log) as server:  # noqa: S603
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(600):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"{address}/readyz", timeout=30).close()  # noqa: S310
                    break
                time.sleep(0.1)
            yield address
        finally:
            server.terminate()
            server.wait(timeout=60)


def fuzz(address: str, cases: int, seed: int, operations: Sequence[str], report: Path) -> int:
    """Send cases to a server, and print what came of it; returns how many failures there were."""
    program = shutil.which("schemathesis", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        raise SystemExit("schemathesis is not installed")
    with urllib.request.urlopen(f"{address}/api/v1/openapi.json", timeout=60) as answer:  # noqa: S310
        paths = json.load(answer)["paths"]
    count = len(operations) or sum(len(methods) for methods in paths.values())
    config = report.with_suffix(".toml")
    config.write_text(_CONFIG)
    command = [
        program,
        "--config-file",
        str(config),
        "run",
        f"{address}/api/v1/openapi.json",
        "--checks",
        "all",
        "--seed",
        str(seed),
    ]
    command += ["--max-examples", str(max(1, cases // count)), "--continue-on-failure", "--no-color"]
    command += ["--report-ndjson-path", str(report), "--request-timeout", "60", "--suppress-health-check", "all"]
    command += [part for one in operations for part in ("--include-operation-id", one)]
    started = time.perf_counter()
    subprocess.run(command, check=False)  # noqa: S603
    sent, failures = _counted(report)
    total = sum(failures.values())
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    print(f"{sent} cases to {count} operations in {time.perf_counter() - started:.0f} s, {total} failures")
    for name, number in failures.most_common():
        print(f"  {number:>5}  {name}")
    return total


def _counted(report: Path) -> tuple[int, Counter[str]]:
    """Cases that were sent, and failed checks by their names."""
    sent, failures = 0, Counter[str]()
    for line in report.read_text(encoding="utf-8").splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder")
        if recorder is None:
            continue
        sent += len(recorder.get("cases", ()))
        for checks in recorder.get("checks", {}).values():
            failures.update(check["name"] for check in checks if check["status"] == "failure")
    return sent, failures


if __name__ == "__main__":
    sys.exit(main())

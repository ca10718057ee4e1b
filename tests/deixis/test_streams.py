"""Whatever the streams are, any text goes out, and what cannot be written is said with the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# The program's own entry, with a command line that prints what awkward names and captions hold.
PRINTING = """
import sys
from deixis import exit_codes, stopping, streams
streams.prepare()
from deixis.ending import end_of
from deixis.output import err, out, print_json
TEXT = "caf\\xe9 \\u4e2d\\u6587 \\U0001f600 \\udcff"
try:
    for _ in range(int(sys.argv[2])):
        if sys.argv[1] == "json":
            print_json({"text": TEXT})
        else:
            out().print(TEXT)
            err().print(TEXT)
    streams.finish()
except BaseException as error:
    sys.exit(end_of(error))
sys.exit(exit_codes.PARTIAL)
"""


def printing(what: str, redirection: str = "", times: int = 1, **environ: str) -> subprocess.CompletedProcess[bytes]:
    script = f'"$0" -c "$1" {what} {times} {redirection}'
    return subprocess.run(
        ["bash", "-c", script, sys.executable, PRINTING],
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
    )


ENCODINGS = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "utf-8:strict"},
    {"PYTHONIOENCODING": "cp1252"},
    {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
]


@pytest.mark.parametrize("environ", ENCODINGS)
def test_text_that_the_streams_cannot_encode_is_escaped(environ: dict[str, str]) -> None:
    done = printing("text", **environ)
    assert (done.returncode, b"Traceback" in done.stderr) == (3, False)
    assert b"caf" in done.stdout
    assert b"caf" in done.stderr
    assert b"\\udcff" in done.stdout


@pytest.mark.parametrize("environ", ENCODINGS)
def test_json_is_json_in_every_encoding(environ: dict[str, str]) -> None:
    done = printing("json", **environ)
    encoding = environ.get("PYTHONIOENCODING", "ascii").partition(":")[0]
    assert json.loads(done.stdout.decode(encoding)) == {"text": "caf\xe9 \u4e2d\u6587 \U0001f600 \ufffd"}
    assert done.returncode == 3


@pytest.mark.parametrize("times", [1, 5000])
@pytest.mark.parametrize(
    ("redirection", "reason"), [(">/dev/full", b"No space left on device"), (">&-", b"Bad file descriptor")]
)
def test_an_output_that_takes_nothing_is_an_error_and_says_so(redirection: str, reason: bytes, times: int) -> None:
    done = printing("json", redirection, times)
    assert done.returncode == 1
    assert b"The output cannot be written: " + reason in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_a_reader_that_has_left_changes_no_exit_code() -> None:
    done = printing("json", "| head -n 1 >/dev/null; exit ${PIPESTATUS[0]}", 20_000)
    assert (done.returncode, done.stderr) == (3, b"")


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "<&-", "<&- >/dev/null 2>&-"])
def test_nothing_depends_on_the_other_streams(redirection: str) -> None:
    done = printing("text", redirection)
    assert done.returncode == 3


def test_no_file_takes_the_place_of_a_closed_stream() -> None:
    script = "from deixis import streams; streams.prepare(); import os, sys; f = open(os.devnull); sys.exit(f.fileno())"
    done = subprocess.run(
        ["bash", "-c", 'exec "$0" -c "$1" <&- >&- 2>&-', sys.executable, script],
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode > 2

"""No child outlives its parent, however the parent ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.vision.decoder.pictures import encoded, slow_gif, upright
from vision.decoder.contract import DecodeLimits
from vision.decoder.process import DecodingChild
from vision.errors import DecoderError

ROOT = Path(__file__).parents[3]

PARENT = """
import signal, sys, threading
from vision.images import DecodeLimits, DecodeRequest, DecoderPool

def main():
    # Where the tests run in the background of a shell, an interrupt is ignored from birth.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with DecoderPool(DecodeLimits(timeout_s=120), workers=2) as pool:
        pool.decode(DecodeRequest(sys.argv[1]))
        endless = [DecodeRequest(sys.argv[2])] * 20
        threading.Thread(target=report, args=(pool,), daemon=True).start()
        for _ in pool.map(endless):
            pass

def report(pool):
    while len(pool.child_pids(at_work=True)) < 2:
        pass
    print(*pool.child_pids(), flush=True)

main()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_in_the_middle_of_a_picture_die_with_their_parent(tmp_path: Path, number: signal.Signals) -> None:
    good, endless = tmp_path / "good.png", tmp_path / "endless.gif"
    good.write_bytes(encoded(upright(), "PNG"))
    endless.write_bytes(slow_gif(2_000_000))
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(good), str(endless)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        children = [os.pidfd_open(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        os.killpg(parent.pid, number)  # as the terminal does it: the whole group
        status = parent.wait(30)
        ended = [bool(select.select([child], [], [], 10)[0]) for child in children]
        complaints = parent.stderr.read()
    for child in children:
        os.close(child)
    assert ended == [True, True]
    assert status == -number
    assert complaints.count("Traceback") == (1 if number == signal.SIGINT else 0)


def test_an_installation_that_cannot_decode_is_not_blamed_on_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "PIL"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('this Pillow is broken')")
    monkeypatch.syspath_prepend(str(tmp_path))  # children get the parent's import path
    with pytest.raises(DecoderError, match="this Pillow is broken"):
        DecodingChild(DecodeLimits())


def test_a_missing_interpreter_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(DecoderError, match="cannot be started"):
        DecodingChild(DecodeLimits())

"""One decoding child as its parent sees it: started, asked, judged when it dies."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from vision.decoder.answers import SENSELESS, AnswerReader
from vision.decoder.contract import Decoded, DecodeLimits, DecodeRequest, Refused
from vision.decoder.wire import receive_header, send_request
from vision.errors import DecoderError

logger = logging.getLogger(__name__)

_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 5.0

# `python -m` would need the checkout in the child's path, and multiprocessing would import the caller's main module,
# which may be a web server. The child gets the parent's import path and one function to call.
_BOOTSTRAP = "import json, sys; sys.path[:] = json.loads(sys.argv[2]); from vision.decoder.child import main; main()"

_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "LANG", "LC_ALL")
"""A decoder has no business with the other variables of the environment: they may hold passwords."""

_TOO_LONG = {signal.SIGALRM, signal.SIGXCPU}


class NotBegunError(Exception):
    """The child went away before it took the request: whatever happened, this picture did not do it."""


class DecodingChild:
    """A running child. One thread uses it at a time; only `kill` may come from another.

    Raises:
        DecoderError: the process does not start.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        self._limits = limits
        self._tasks_left = limits.tasks_per_child
        self._connection, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _launch(theirs, limits)
        except OSError as error:
            self._connection.close()
            raise DecoderError(f"the decoding process cannot be started: {error}") from error
        self.at_work = False
        self._greet()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    @property
    def spent(self) -> bool:
        """Whether the child must not be asked again."""
        return self._tasks_left <= 0

    def ask(self, request: DecodeRequest) -> Decoded | Refused:
        """Send one request and wait for its answer.

        Raises:
            NotBegunError: the child was gone, or stood still, before it took the request.
        """
        self._tasks_left -= 1
        self._await_begin(request)
        self.at_work = True
        try:
            return self._await_answer(request)
        finally:
            self.at_work = False

    def kill(self) -> None:
        """End the child at once; a thread that waits for its answer sees it hang up."""
        self._process.kill()

    def close(self) -> None:
        """End the child and collect it."""
        self.kill()
        self._connection.close()
        for pipe in (self._process.stdin, self._process.stderr):
            if pipe is not None:
                pipe.close()
        # What even SIGKILL does not end, for it waits on a dead network share, is left to the kernel.
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_TIMEOUT_S)

    def _greet(self) -> None:
        try:
            hello = receive_header(self._connection, time.monotonic() + _START_TIMEOUT_S)
        except (OSError, ValueError):
            hello = None
        if self._process.stderr is None:  # Popen was asked for a pipe; this is for the type checker
            return
        if hello is None:
            self.kill()
            said = self._process.stderr.read().decode(errors="replace").strip()
            self.close()
            raise DecoderError(
                f"the decoding process does not start (exit status {self._process.returncode}): {said[-500:]}",
                remedy="Check that the installation is complete and that the machine has memory left.",
            )
        self._process.stderr.close()

    def _await_begin(self, request: DecodeRequest) -> None:
        try:
            self._connection.settimeout(self._limits.timeout_s)
            send_request(self._connection, request)
            begun = receive_header(self._connection, time.monotonic() + self._limits.timeout_s)
        except (OSError, ValueError) as error:
            self._tasks_left = 0
            raise NotBegunError from error
        if begun is None or begun.get("kind") != "begun":
            self._tasks_left = 0
            raise NotBegunError

    def _await_answer(self, request: DecodeRequest) -> Decoded | Refused:
        deadline = time.monotonic() + self._limits.timeout_s
        reader = AnswerReader(self._connection, request, self._limits, deadline)
        try:
            header = receive_header(self._connection, deadline)
            if header is None:
                return self._post_mortem(request)
            answer = reader.read(header)
        except TimeoutError:
            return self._refuse_too_slow(request)
        except ConnectionError:
            return self._post_mortem(request)
        except SENSELESS:
            self._tasks_left = 0
            return Refused(request.path, "crashed", "The decoder gave a senseless answer to this picture.")
        except (MemoryError, OSError):
            self._tasks_left = 0
            raise
        except Exception as error:  # a mistake of ours costs this picture, not the thousands behind it
            self._tasks_left = 0
            logger.exception("reading the decoder's answer to %r failed", request.path)
            return Refused(request.path, "crashed", f"Its decoded form could not be taken in ({type(error).__name__}).")
        if header.get("spent"):
            self._tasks_left = 0
        return answer

    def _post_mortem(self, request: DecodeRequest) -> Refused:
        """Say why the child died in the middle of a picture."""
        self._tasks_left = 0
        try:
            status = self._process.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return Refused(request.path, "crashed", "The decoder hung up in the middle of this picture.")
        if -status in _TOO_LONG:
            return self._refuse_too_slow(request)
        if -status == signal.SIGKILL:
            return Refused(
                request.path,
                "crashed",
                "The decoder was killed in the middle of this picture; the machine may have run out of memory.",
            )
        manner = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return Refused(request.path, "crashed", f"The decoder crashed on this picture ({manner}).")

    def _refuse_too_slow(self, request: DecodeRequest) -> Refused:
        self._tasks_left = 0
        return Refused(request.path, "timeout", f"Decoding did not end within {self._limits.timeout_s:g} seconds.")


def _launch(theirs: socket.socket, limits: DecodeLimits) -> subprocess.Popen[bytes]:
    arguments = json.dumps({"socket": theirs.fileno(), "limits": asdict(limits)})
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # One arena: otherwise each thread of a decoding library reserves 64 MB of the limited address space.
    environment |= {"MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(  # noqa: S603  # our own interpreter with our own code
        [sys.executable, "-I", "-c", _BOOTSTRAP, arguments, json.dumps(_import_path())],
        stdin=subprocess.PIPE,  # never written to: its end tells the child that this process is gone
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=(theirs.fileno(),),
        cwd="/",  # the child must not keep a disk from being unmounted
        env=environment,
        process_group=0,  # Ctrl-C at the terminal reaches the parent only
    )


def _import_path() -> list[str]:
    """Return where this process finds modules, in terms that hold in another folder, and where it found this one."""
    return [*(os.path.abspath(entry) for entry in sys.path), str(Path(__file__).resolve().parents[2])]

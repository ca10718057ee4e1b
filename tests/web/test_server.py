"""The real server: it starts, answers, and stops cleanly on Ctrl-C."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from search.errors import SettingsError
from search.settings import Settings
from web.server import browser_address, serve

StartServer = Callable[[Path], AbstractContextManager[tuple[str, subprocess.Popen[str]]]]


def test_it_serves_until_ctrl_c_and_ends_without_a_trace(home: Path, start_server: StartServer) -> None:
    with start_server(home) as (address, process):
        with urllib.request.urlopen(address + "readyz", timeout=60) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(address + "search?q=red", timeout=60) as answer:
            page = answer.read()
        assert b"A red wall" in page
        for name in (b"vendor/pico/pico.min.css", b"deixis.js"):
            static = address + re.search(b'"/(static/' + name + b'[^"]*)"', page)[1].decode()  # type: ignore[index]
            with urllib.request.urlopen(static, timeout=60) as answer:
                assert len(answer.read()) > 100
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert "ERROR" not in errors


def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"port {port} of 127.0.0.1 is in use"):
            serve(Settings(home=tmp_path, port=port))


def test_an_address_of_another_machine_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot listen on"):
        serve(Settings(home=tmp_path, host="192.0.2.1", open=1))  # TEST-NET-1: nobody's


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8484/"),
        ("0.0.0.0", "http://127.0.0.1:8484/"),
        ("::", "http://[::1]:8484/"),
        ("::1", "http://[::1]:8484/"),
        ("pictures.lan", "http://pictures.lan:8484/"),
    ],
)
def test_the_address_for_the_browser_can_be_opened(tmp_path: Path, host: str, address: str) -> None:
    assert browser_address(Settings(home=tmp_path, host=host)) == address

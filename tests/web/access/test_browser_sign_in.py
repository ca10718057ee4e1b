"""Signing in with a real browser over plain http, where it says less of where a request comes from."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from search.keys import Scope, add_key
from search.library import Library
from web.access.lan import lan_addresses

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ADDRESS = next((address for address in lan_addresses() if ":" not in address), None)
ROOT = Path(__file__).resolve().parents[3]

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
    pytest.mark.skipif(ADDRESS is None, reason="this machine has no address but its own"),
]
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """A server on every address; gives the one by which others reach it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "DEIXIS_HOME": str(home)}
    command = [sys.executable, "-m", "deixis", "serve", "--host", "0.0.0.0", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            lines = iter(process.stderr.readline, "")
            assert any(line.startswith(f"Also on http://{ADDRESS}:") for line in lines)
            yield f"http://{ADDRESS}:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_a_person_signs_in_searches_with_a_picture_and_signs_out(home: Path, pictures: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(home, tmp_path / "home")
    with Library.open(copy) as library:
        _, key = add_key(library, "phone", Scope.SEARCH)
    with serving(copy) as address, playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--no-proxy-server"])
        page = browser.new_page()
        page.goto(f"{address}/search?q=red")
        assert page.url == f"{address}/sign-in?next=%2Fsearch%3Fq%3Dred"
        page.fill("#key", "dxs_wrong")
        page.click("main button")
        assert "no key" in page.locator("[role=alert]").inner_text()
        page.fill("#key", key)
        page.click("main button")
        assert page.url == f"{address}/search?q=red"
        assert page.evaluate("document.cookie") == ""  # no script can read it

        page.click(".ask-picture summary")
        page.set_input_files("#image", str(pictures / "red.png"))
        page.click("#upload button[type=submit]")
        page.wait_for_url(f"{address}/search")
        assert page.locator(".frame").count() > 0

        page.goto(f"{address}/sign-in")
        page.click("main form button")
        page.wait_for_url(re.compile("/sign-in"))
        page.goto(address)
        assert page.url.startswith(f"{address}/sign-in")
        browser.close()

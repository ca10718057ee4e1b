"""The pages in a real browser: nothing is reported to its console, and boxes lie where they should, to a pixel."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Self

import pytest

StartServer = Callable[[Path], AbstractContextManager[tuple[str, subprocess.Popen[str]]]]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

FLAGS = [
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1200,900",
]

BOXES = """
JSON.stringify([...document.querySelectorAll('rect.line')].map(rect => {
  const box = rect.getBoundingClientRect();
  const image = rect.closest('.frame, .stage').querySelector('img').getBoundingClientRect();
  return {
    loaded: rect.closest('.frame, .stage').querySelector('img').naturalWidth > 0,
    image: [image.width, image.height],
    shown: [box.left - image.left, box.top - image.top, box.right - image.left, box.bottom - image.top],
    said: ['x', 'y', 'width', 'height'].map(name => Number(rect.getAttribute(name))),
  };
}))
"""

ROWS = """
JSON.stringify([...document.querySelectorAll('.tile')].map(tile => {
  const box = tile.querySelector('.frame').getBoundingClientRect();
  return [Math.round(box.top), box.width, box.height, box.right];
}))
"""


# Chromium reads commands from descriptor 3 and answers on 4; this puts our pipes there and becomes Chromium.
PLUMBING = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD_CLOEXEC, 10) for number in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """Chromium, spoken to through the DevTools protocol on a pair of pipes: no driver, no port, no package."""

    def __init__(self, profile: Path) -> None:
        flags = [*FLAGS, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # Chromium refuses to sandbox itself as root
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", PLUMBING, str(commands), str(answers), CHROMIUM or "", *flags, "about:blank"],
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self.complaints: list[str] = []
        self._buffer = b""
        self._number = 0
        self._loaded = False
        self._session: str | None = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        # Transitions would still be under way when a test looks.
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def open(self, address: str) -> None:
        """Load a page with everything on it."""
        self._loaded = False
        self.call("Page.navigate", url=address)
        while not self._loaded:
            self._hear()

    def evaluate(self, expression: str) -> Any:
        """Run an expression that gives JSON."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return json.loads(answer["result"]["value"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, heard
                result: dict[str, Any] = heard["result"]
                return result

    def _hear(self, timeout_s: float = 60.0) -> dict[str, Any]:
        deadline = time.monotonic() + timeout_s
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._answers, 1 << 16) if ready else b""
            if not chunk:
                raise TimeoutError("the browser says nothing")
            self._buffer += chunk
        raw, self._buffer = self._buffer.split(b"\0", 1)
        heard: dict[str, Any] = json.loads(raw)
        method = heard.get("method", "")
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.complaints.append(json.dumps(heard["params"]))
        elif method == "Network.responseReceived" and heard["params"]["response"]["status"] >= 400:
            self.complaints.append(heard["params"]["response"]["url"])
        return heard


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def address(home: Path, start_server: StartServer) -> Iterator[str]:
    with start_server(home) as (address, _):
        yield address


def assert_boxes_lie_where_they_say(boxes: list[dict[str, Any]]) -> None:
    assert boxes
    for box in boxes:
        width, height = box["image"]
        x, y, w, h = box["said"]
        expected = [x * width, y * height, (x + w) * width, (y + h) * height]
        assert box["loaded"]
        assert box["shown"] == pytest.approx(expected, abs=0.6), "to the pixel, whatever size the window gave it"


@pytest.mark.parametrize("width_px", [390, 1200])
def test_boxes_lie_on_the_fraction_of_the_picture_that_they_name(
    browser: Browser, address: str, ids: dict[str, int], width_px: int
) -> None:
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width_px, height=900, deviceScaleFactor=1, mobile=width_px < 600
    )
    browser.open(address + "search?q=a+white+box")
    assert_boxes_lie_where_they_say(browser.evaluate(BOXES))
    for stem in ("red", "blue"):
        browser.open(f"{address}images/{ids[stem]}")
        assert_boxes_lie_where_they_say(browser.evaluate(BOXES))


def test_no_page_makes_the_browser_complain(browser: Browser, address: str, ids: dict[str, int]) -> None:
    browser.complaints.clear()
    paths = ["", "search?q=a+red+wall", f"search?like={ids['red']}", "search?q=%3Cscript%3E"]
    for path in [*paths, *(f"images/{image_id}" for image_id in ids.values())]:
        browser.open(address + path)
    assert browser.complaints == []


def test_pictures_of_a_row_have_the_same_height_and_stay_in_the_window(browser: Browser, address: str) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
    browser.open(address + "search?q=red&beyond=true")
    tiles = browser.evaluate(ROWS)
    assert len(tiles) == 12
    rows: dict[int, list[float]] = {}
    for top, width, height, right in tiles:
        assert right <= 1200
        if width > height / 2:  # a strip 120 × 900 is no wider than its caption needs, and lower than its row
            rows.setdefault(top, []).append(height)
    assert 1 < len(rows) < 8
    for heights in rows.values():
        assert max(heights) - min(heights) < 1


def test_pointing_at_a_phrase_leaves_only_its_box_bright(browser: Browser, address: str, ids: dict[str, int]) -> None:
    browser.open(f"{address}images/{ids['red']}#phrase-1")
    opacities = browser.evaluate(
        "JSON.stringify([0, 1].map(n => getComputedStyle(document.querySelector(`.box.g${n}`)).opacity))"
    )
    assert [float(opacity) < 0.5 for opacity in opacities] == [True, False]


def test_a_thing_can_be_hidden_and_all_of_them_too(browser: Browser, address: str, ids: dict[str, int]) -> None:
    browser.open(f"{address}images/{ids['red']}")
    shown = "document.querySelector('.box.g0').getClientRects().length + ',' + "
    shown += "document.querySelector('.box.g1').getClientRects().length"
    count = "JSON.stringify((() => { %s; return " + shown + "; })())"
    assert browser.evaluate(count % "") == "1,1"
    assert browser.evaluate(count % "document.getElementById('show-0').click()") == "0,1"
    assert browser.evaluate(count % "document.getElementById('boxes-none').click()") == "0,0"

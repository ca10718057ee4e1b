"""The pages in Debian's Chromium, driven by Playwright: a real server over the small library of `tests/web`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

StartServer = Callable[[Path], AbstractContextManager[tuple[str, subprocess.Popen[str]]]]

PICO_ICON = "Loading the image 'data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='24'"
"""Asked for and refused where a page is laid out, as this driver may make it, before `icons.css` has come."""

# Before any script of a page: what the policy stops, and how far things move without anybody having touched them.
WATCH = """
window.reports = []; window.shifted = 0;
addEventListener('securitypolicyviolation', event => reports.push(event.violatedDirective + ' ' + event.blockedURI));
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifted += entry.value;
}).observe({type: 'layout-shift', buffered: true});
"""


@dataclass
class Visit:
    """A page of the browser, and what it complained of."""

    page: Any
    address: str
    complaints: list[str] = field(default_factory=list)
    alerts: list[str] = field(default_factory=list)

    def go(self, path: str) -> Any:
        """Open a page of the site with everything on it."""
        self.page.goto(self.address + path.lstrip("/"), wait_until="load")
        return self.page

    @property
    def path(self) -> str:
        """Where the browser is, without the site."""
        return "/" + str(self.page.url).removeprefix(self.address)

    def hear(self, kind: str, text: str) -> None:
        """Note what the console says."""
        if kind == "error" and not text.startswith(PICO_ICON):
            self.complaints.append(text)

    def reports(self) -> list[str]:
        """What the Content-Security-Policy has stopped, Pico's own icons aside."""
        found: list[str] = self.page.evaluate("window.reports")
        return [one for one in found if one != "img-src data"]

    def until(self, expression: str) -> None:
        """Wait until a script says yes; not by Playwright's own way, which the Content-Security-Policy stops."""
        look = f"() => ({expression}) ? done() : requestAnimationFrame(look)"
        self.page.evaluate(f"new Promise(done => {{ const look = {look}; look(); }})")

    def focused(self, expression: str) -> Any:
        """What a script says of the focused element, `it`."""
        return self.page.evaluate(f"(it => {expression})(document.activeElement)")


OpenVisit = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; not for the whole session, for its driver keeps an event loop running in this thread."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(home: Path, start_server: StartServer) -> Iterator[str]:
    """Where the real server answers."""
    with start_server(home) as (address, _):
        yield address


@pytest.fixture(scope="module")
def open_visit(chromium: Any) -> OpenVisit:
    """Open a page with its own cookies and window; keywords go to Playwright's `new_context`."""

    @contextmanager
    def opened(address: str, width: int = 1200, height: int = 900, **options: Any) -> Iterator[Visit]:
        context = chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce", **options)
        with ExitStack() as closing:
            closing.callback(context.close)
            context.set_default_timeout(60_000)
            if options.get("java_script_enabled", True):
                context.add_init_script(WATCH)
            visit = Visit(context.new_page(), address)
            visit.page.on("console", lambda said: visit.hear(said.type, said.text))
            visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
            visit.page.on("dialog", lambda dialog: (visit.alerts.append(dialog.message), dialog.dismiss()))
            yield visit

    return opened


@pytest.fixture
def visit(open_visit: OpenVisit, address: str) -> Iterator[Visit]:
    """A window of 1200 × 900 in which nothing may be complained of."""
    with open_visit(address) as visit:
        yield visit
        assert visit.complaints == [], "\n".join(visit.complaints)
        assert visit.alerts == []
        assert visit.reports() == []

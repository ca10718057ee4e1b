"""The keeper's pages in a browser: no barriers at any width, all by forms alone, and told of jobs as they happen."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image as Pictures

from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from indexer.roots import RuleChange
from indexer.worker import work
from search.jobs.queue import Queue
from search.jobs.rows import show_job
from search.library import Library
from vision.encoders.colour import ColourEncoder

ROOT = Path(__file__).resolve().parents[3]
PAGES = ("library", "library/unreadable", "library/duplicates", "jobs", "jobs/1", "jobs?before=9", "nowhere")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}

SERVE = """
import sys
from pathlib import Path
from search.settings import Settings
from web.server import serve
settings = Settings(home=Path(sys.argv[1]), port=int(sys.argv[2]), threads=1, model="colour")
serve(settings, on_listening=lambda at: print(at, flush=True))
"""


@contextmanager
def serving(home: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(home), str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with folders of which one is gone, files that cannot be read, copies, and jobs in several states."""
    folder = tmp_path_factory.mktemp("kept")
    pictures, drive = folder / "pictures", folder / "a drive with a name that is rather long" / "Holiday"
    pictures.mkdir()
    drive.mkdir(parents=True)
    for colour in ("red", "green", "blue"):
        Pictures.new("RGB", (300, 200), colour).save(pictures / f"{colour}.png")
    (pictures / "copy of red.png").write_bytes((pictures / "red.png").read_bytes())
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
    Pictures.new("RGB", (30, 20), "pink").save(drive / "pink.png")
    home = folder / "home"
    with Library.open(home, create=True) as library:
        rules = RuleChange(exclude=("raw/", "*.psd"), follow_links=True)
        index_paths(library, ColourEncoder(), [pictures], IndexOptions(rules=rules))
        index_paths(library, ColourEncoder(), [drive])
        queue = Queue(library)
        queue.add("index", "pictures", {"paths": [str(pictures)], "options": {"retry_refused": True}, "encoder": {}})
        queue.add("caption", "captions", {"captioner": "no-such-captioner", "options": {}, "encoder": {}})
        assert work(library, until_empty=True).failed == 1
        queue.add("rebuild", None, {})
    drive.rename(folder / "gone")
    return home


@pytest.fixture(scope="module")
def keeper(kept: Path) -> Iterator[str]:
    with serving(kept) as address:
        yield address


def violations(page: Any) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_the_keepers_pages_have_no_barriers(
    open_visit: Any, keeper: str, tmp_path: Path, width: int, scheme: str
) -> None:
    with open_visit(keeper, width, 900, color_scheme=scheme) as visit:
        for path in PAGES:
            page = visit.go(path)
            page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
            assert violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} scrolls sideways"
            assert page.evaluate("window.reports") == [], path


@pytest.mark.parametrize("width", [320, 1440])
def test_the_first_run_has_no_barriers(open_visit: Any, tmp_path: Path, width: int) -> None:
    with serving(tmp_path / "home") as address, open_visit(address, width, 900) as visit:
        page = visit.go("/")
        assert visit.path == "/welcome"
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.complaints == []


@pytest.mark.parametrize("language", ["de", "uk", "zh-CN"])
def test_long_and_foreign_words_fit_a_narrow_window(open_visit: Any, keeper: str, language: str) -> None:
    with open_visit(keeper, 320, 900, locale=language) as visit:
        for path in PAGES:
            page = visit.go(path)
            assert page.locator("html").get_attribute("lang") == {"zh-CN": "zh-Hans"}.get(language, language)
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, f"{path} scrolls sideways"


def test_a_job_is_started_and_steered_without_a_script(open_visit: Any, keeper: str, kept: Path) -> None:
    with open_visit(keeper, java_script_enabled=False) as visit:
        page = visit.go("/jobs")
        page.locator("summary", has_text="Rebuild the indexes").click()
        page.get_by_role("button", name="Start rebuilding").click()
        number = int(visit.path.removeprefix("/jobs/"))
        for button, state in (("Pause", "paused"), ("Go on", "waiting"), ("Cancel", "cancelled")):
            page.get_by_role("button", name=button).click()
            assert page.locator("main .job-state").inner_text() == state
        with Library.open(kept) as library:
            assert show_job(library, number).info.state == "cancelled"


def test_the_language_is_chosen_without_a_script(open_visit: Any, keeper: str) -> None:
    with open_visit(keeper, java_script_enabled=False) as visit:
        page = visit.go("/jobs?before=9")
        page.get_by_label("Language").select_option("fr")
        page.get_by_role("button", name="Change").click()
        assert visit.path == "/jobs?before=9"
        assert page.locator("html").get_attribute("lang") == "fr"
        assert visit.go("/library").locator("h1").inner_text() == "Bibliothèque"


def test_unreadable_files_are_tried_again_by_keyboard(open_visit: Any, keeper: str) -> None:
    with open_visit(keeper) as visit:
        page = visit.go("/library")
        page.get_by_role("link", name="could not be read").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/library/unreadable")
        page.get_by_role("button", name="Try all of them again").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/jobs/*")
        assert page.locator("h1").inner_text().endswith("Index pictures")
        page.get_by_role("button", name="Cancel").click()
        assert visit.complaints == []


def test_progress_is_told_while_a_page_is_open(open_visit: Any, keeper: str, kept: Path) -> None:
    with Library.open(kept) as library, open_visit(keeper) as visit:
        page = visit.go("/jobs")
        queue = Queue(library)
        claim = queue.begin("read", "reading", {"reader": "rapidocr", "options": {}, "encoder": {}})
        queue.beat(claim, {"stage": "reading", "done": 1234, "total": 5678, "per_s": 2.34, "left_s": 1900.0})
        page.locator(".job-step", has_text="1,234 of 5,678").wait_for()
        pause = page.get_by_role("button", name=f"Pause: job {claim.id}")
        pause.focus()
        queue.beat(claim, {"stage": "reading", "done": 5000, "total": 5678, "per_s": 2.34, "left_s": 300.0})
        page.locator(".job-step", has_text="5,000 of 5,678").wait_for()
        assert visit.focused("it.id") == f"pause-{claim.id}", "what is told takes nobody's place away"
        queue.end(claim, "done", what="done", report={"lines": 7})
        queue.close()
        page.locator("[aria-labelledby=ended] .job", has_text="Read text in pictures").first.wait_for()
        assert visit.complaints == []


def test_a_first_run_goes_from_an_empty_home_to_the_search_page(open_visit: Any, tmp_path: Path) -> None:
    pictures, home = tmp_path / "pictures", tmp_path / "home"
    pictures.mkdir()
    Pictures.new("RGB", (300, 200), "red").save(pictures / "red.png")
    with serving(home) as address, open_visit(address) as visit:
        page = visit.go("/")
        page.get_by_label("Folder of pictures on this server").fill(str(pictures))
        page.get_by_role("button", name="Start indexing").click()
        page.get_by_text("No worker is here to run jobs.").wait_for()
        with Library.open(home) as library:
            assert work(library, until_empty=True).done == 1
        page.wait_for_url(address)
        page.locator(".tile img").first.wait_for()
        assert visit.complaints == []

"""Nothing for axe-core to find, nothing that moves by itself, nothing too wide: light and dark, from 320 px to 4K."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
MOST_SHIFT = 0.02


def paths(ids: dict[str, int]) -> list[str]:
    return ["/", "/search?q=a+white+box&filters=true", f"/images/{ids['red']}?q=a+white+box&n=1", "/nothing"]


def violations(page: Any) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1440])
def test_pages_have_no_barriers(open_visit: Any, address: str, ids: dict[str, int], width: int, scheme: str) -> None:
    with open_visit(address, width, 900, color_scheme=scheme) as visit:
        for path in paths(ids):
            page = visit.go(path)
            assert violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} scrolls sideways"
            assert page.evaluate("shifted") <= MOST_SHIFT, f"{path} moves"


def test_what_opens_over_a_page_has_no_barriers(visit: Any) -> None:
    page = visit.go("/search?q=a+white+box")
    page.locator(".why summary").first.click()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.locator(".tile .frame").first.click()
    page.locator("#viewer-dialog[open] .viewer").wait_for()
    assert violations(page) == []
    page.keyboard.press("c")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert violations(page) == []
    visit.go("/")
    page.locator("#q").press_sequentially("a whi")
    page.locator("#suggestions [role=option]").first.wait_for()
    page.locator("#suggestions [role=option]").first.hover()
    assert violations(page) == []


def test_a_very_wide_window_is_filled(open_visit: Any, address: str) -> None:
    with open_visit(address, 3840, 2160) as visit:
        page = visit.go("/search?q=red&beyond=true")
        assert page.evaluate("document.documentElement.scrollWidth") <= 3840
        assert page.evaluate("shifted") <= MOST_SHIFT
        rights = page.locator(".frame").evaluate_all("all => all.map(one => one.getBoundingClientRect().right)")
        assert max(rights) > 2000


def test_more_results_move_nothing(visit: Any) -> None:
    page = visit.go("/search?q=red&k=5&beyond=true")
    page.locator(".load-more").click()
    page.locator(".tile").nth(9).wait_for()
    assert page.evaluate("shifted") <= MOST_SHIFT

"""Twelve journeys by keyboard alone."""

from __future__ import annotations

import re
from typing import Any

IMAGE = "it.closest('.viewer')?.dataset.image"
RANK = "it.href?.match(/n=(\\d+)/)?.[1]"


def press(visit: Any, *keys: str) -> None:
    for key in keys:
        visit.page.keyboard.press(key)


def open_first(visit: Any, path: str) -> None:
    """Open the first result by keys."""
    visit.go(path)
    press(visit, "ArrowRight", "Enter")
    visit.page.locator("#viewer-dialog[open] .viewer").wait_for()


def test_a_slash_leads_to_the_box_and_enter_searches(visit: Any) -> None:
    visit.go("/search?q=red")
    press(visit, "/")
    visit.page.keyboard.type("a white box")
    press(visit, "Enter")
    visit.page.wait_for_url("**/search?q=a+white+box")


def test_a_suggestion_is_chosen_with_the_arrows(visit: Any) -> None:
    visit.go("/")
    press(visit, "/")
    visit.page.keyboard.type("a red w")
    visit.page.locator("#suggestions [role=option]").first.wait_for()
    press(visit, "ArrowDown")
    assert visit.focused("it.getAttribute('aria-activedescendant')") == "suggestion-1"
    press(visit, "Enter")
    visit.page.wait_for_url("**/search?q=A+red+wall")


def test_escape_closes_the_suggestions_and_keeps_what_was_typed(visit: Any) -> None:
    visit.go("/")
    press(visit, "/")
    visit.page.keyboard.type("a whi")
    visit.page.locator("#suggestions [role=option]").first.wait_for()
    press(visit, "Escape")
    assert visit.page.locator("#suggestions").is_hidden()
    assert visit.focused("it.value") == "a whi"


def test_the_arrows_move_among_the_results_along_and_across_rows(visit: Any) -> None:
    visit.go("/search?q=red&beyond=true")
    press(visit, "ArrowRight", "ArrowRight")
    assert visit.focused(RANK) == "2"
    top = visit.focused("it.getBoundingClientRect().top")
    press(visit, "ArrowDown")
    assert visit.focused("it.getBoundingClientRect().top") > top
    press(visit, "ArrowUp", "ArrowLeft")
    assert int(visit.focused(RANK)) < 4


def test_enter_opens_a_picture_and_escape_comes_back_to_it(visit: Any) -> None:
    open_first(visit, "/search?q=red&beyond=true")
    assert visit.path.startswith("/images/")
    press(visit, "Escape")
    visit.page.locator("#viewer-dialog[open]").wait_for(state="detached")
    assert visit.path == "/search?q=red&beyond=true"
    assert visit.focused(RANK) == "1"


def test_the_arrows_go_to_the_next_picture_and_escape_to_where_one_has_come_to(visit: Any) -> None:
    open_first(visit, "/search?q=red&beyond=true")
    press(visit, "ArrowRight")
    visit.until("location.search.includes('n=2') && document.querySelector('#viewer-dialog .steps')")
    press(visit, "Escape")
    visit.page.locator("#viewer-dialog[open]").wait_for(state="detached")
    assert visit.focused(RANK) == "2"


def test_a_picture_is_enlarged_moved_and_seen_whole_again(visit: Any, ids: dict[str, int]) -> None:
    page = visit.go(f"/images/{ids['red']}")
    box = "(box => [box.left, box.width])(document.querySelector('.stage').getBoundingClientRect())"
    left, width = page.evaluate(box)
    press(visit, "+", "+")
    zoomed_left, zoomed_width = page.evaluate(box)
    assert zoomed_width > width * 1.8
    press(visit, "ArrowRight")
    assert page.evaluate(box)[0] < zoomed_left
    press(visit, "0")
    assert page.evaluate(box) == [left, width]


def test_b_hides_and_shows_the_boxes(visit: Any, ids: dict[str, int]) -> None:
    for path, chosen in ((f"/images/{ids['red']}", ".stage .boxes"), ("/search?q=a+white+box", ".frame .boxes")):
        visit.go(path)
        boxes = visit.page.locator(chosen).first
        press(visit, "b")
        assert boxes.is_hidden()
        press(visit, "b")
        assert boxes.is_visible()


def test_s_finds_similar_pictures(visit: Any, ids: dict[str, int]) -> None:
    visit.go("/search?q=a+white+box")
    press(visit, "ArrowRight", "s")
    visit.page.wait_for_url(f"**/search?like={ids['red']}")
    open_first(visit, "/search?q=a+white+box")
    press(visit, "s")
    visit.page.wait_for_url(f"**/search?like={ids['red']}")


def test_a_part_is_chosen_moved_sized_and_searched_with(visit: Any, ids: dict[str, int]) -> None:
    visit.go(f"/images/{ids['red']}")
    press(visit, "c", "ArrowLeft", "ArrowUp", "ArrowUp", "Shift+ArrowRight", "Enter")
    visit.page.wait_for_url(re.compile("crop="))
    sides = [float(side) for side in visit.page.url.split("crop=")[1].split("%2C")]
    assert sides == [0.23, 0.21, 0.75, 0.71]


def test_why_a_picture_was_found_is_opened_and_closed(visit: Any) -> None:
    visit.go("/search?q=a+white+box")
    press(visit, "ArrowRight", "Tab", "Tab", "Enter")
    assert visit.page.locator(".why[open]").count() == 1
    press(visit, "Escape")
    assert visit.page.locator(".why[open]").count() == 0
    assert visit.focused("it.matches('.why summary')")


def test_more_results_come_with_a_key_and_the_help_names_it(visit: Any) -> None:
    visit.go("/search?q=red&k=5&beyond=true")
    press(visit, "m")
    visit.page.locator(".tile").nth(9).wait_for()
    press(visit, "?")
    assert "More results" in visit.page.locator("#help-dialog[open]").inner_text()
    press(visit, "Escape")
    assert visit.page.locator("#help-dialog[open]").count() == 0


def test_single_keys_can_be_switched_off_for_good(visit: Any) -> None:
    visit.go("/search?q=a+white+box")
    press(visit, "?")
    visit.page.locator("#single-keys").focus()
    press(visit, "Space", "Escape")
    visit.page.reload()
    press(visit, "b")
    assert visit.page.locator(".frame .boxes").first.is_visible()


def test_keys_typed_into_a_field_are_letters(visit: Any) -> None:
    visit.go("/search?q=a+white+box")
    press(visit, "/")
    visit.page.keyboard.type("bs?mc+0")
    assert visit.focused("it.value") == "bs?mc+0"
    assert visit.page.locator(".frame .boxes").first.is_visible()

"""Every search with JavaScript switched off."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image as Pictures


@pytest.fixture
def plain(open_visit: Any, address: str) -> Iterator[Any]:
    with open_visit(address, java_script_enabled=False) as visit:
        yield visit


def test_words_pages_and_orders(plain: Any) -> None:
    page = plain.go("/")
    page.fill("#q", "red")
    page.press("#q", "Enter")
    page.wait_for_url("**/search?q=red")
    page.get_by_text("newest first").click()
    page.wait_for_url("**/search?q=red+sort%3Adate")
    plain.go("/search?q=red&k=5&beyond=true")
    assert page.locator(".load-more").is_hidden(), "what needs a script is not offered"
    page.locator(".pages [rel=next]").click()
    page.wait_for_url("**page=2**")
    page.locator(".pages [rel=prev]").click()
    assert page.locator(".tile").count() == 5


def test_a_piece_of_the_query_is_removed(plain: Any) -> None:
    page = plain.go("/search?q=red+-pink")
    page.locator(".tokens .excluded a").click()
    page.wait_for_url("**/search?q=red")


def test_a_picture_its_neighbours_and_others_like_it(plain: Any, ids: dict[str, int]) -> None:
    page = plain.go("/search?q=red&beyond=true")
    page.locator(".tile .frame").first.click()
    assert "n=1" in plain.path
    assert "Why it was found" in page.locator(".panel").inner_text()
    page.locator(".steps [rel=next]").click()
    page.wait_for_url("**n=2**")
    page.locator(".alike-here a").click()
    assert page.locator("#alike .tile").count() > 0
    plain.go(f"/images/{ids['red']}")
    page.get_by_role("button", name="Similar pictures").click()
    page.wait_for_url(f"**/search?like={ids['red']}")


def test_why_examples_and_boxes(plain: Any, ids: dict[str, int]) -> None:
    page = plain.go("/search?q=a+white+box")
    page.locator(".why summary").first.click()
    page.locator(".why-card .marks a").first.click()
    page.wait_for_url("**/search?region=*")
    plain.go("/search?q=a+white+box")
    page.locator(".why summary").first.click()
    page.get_by_role("link", name="less like this").first.click()
    page.wait_for_url(f"**/search?q=a+white+box+-like%3A{ids['red']}")


def test_a_part_of_a_result_by_its_address(plain: Any, ids: dict[str, int]) -> None:
    page = plain.go(f"/search?like={ids['pink']}&crop=0,0,0.3,0.3&q=red")
    assert "a part of this one" in page.locator("h1").inner_text()
    assert page.locator(".tile").count() > 0


def test_uploads_parts_of_them_and_words(plain: Any) -> None:
    picture = Pictures.new("RGB", (80, 40), "blue")
    picture.paste("pink", (0, 0, 40, 40))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    page = plain.go("/")
    page.locator(".ask-picture summary").click()
    page.set_input_files("#image", {"name": "both.png", "mimeType": "image/png", "buffer": buffer.getvalue()})
    page.fill("#crop", "0,0,0.5,1")
    page.locator("#upload button[type=submit]").click()
    page.wait_for_url("**/search")
    assert "pink.webp" in page.locator(".says").first.inner_text()


def test_boxes_of_one_thing_are_hidden_and_shown(plain: Any, ids: dict[str, int]) -> None:
    page = plain.go(f"/images/{ids['red']}")
    page.locator("#show-0").uncheck()
    assert page.locator(".box.g0").first.is_hidden()
    page.locator("#boxes-none").check()
    assert page.locator(".stage .boxes").first.is_hidden()


def test_filters_with_counts_narrow_the_query(plain: Any) -> None:
    page = plain.go("/search?q=a+red+wall")
    page.locator("#filters a").click()
    facet = page.locator(".facet.of-format")
    assert "png" in facet.inner_text()
    facet.locator("a").first.click()
    page.wait_for_url("**/search?q=a+red+wall+format%3A*")
    assert page.locator(".tokens .filter").count() == 1
    page.locator(".tokens .filter a").click()
    page.wait_for_url("**/search?q=a+red+wall&filters=true")

"""What people do with mouse and finger: search, open, look closer, go on, search with a part."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image as Pictures


def picture_bytes(*colours: str) -> bytes:
    picture = Pictures.new("RGB", (80 * len(colours), 80))
    for place, colour in enumerate(colours):
        picture.paste(colour, (80 * place, 0, 80 * place + 80, 80))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def opened(page: Any) -> Any:
    page.locator("#viewer-dialog[open] .viewer").wait_for()
    return page.locator("#viewer-dialog .viewer")


def test_a_picture_opens_over_its_results_under_its_own_address_and_back_closes_it(
    visit: Any, ids: dict[str, int]
) -> None:
    page = visit.go("/search?q=a+white+box")
    page.locator(".tile .frame").first.click()
    article = opened(page)
    assert visit.path == f"/images/{ids['red']}?q=a+white+box&n=1"
    assert "Why it was found" in article.inner_text()
    page.go_back()
    page.locator("#viewer-dialog[open]").wait_for(state="detached")
    assert visit.path == "/search?q=a+white+box"
    assert visit.focused("it.className") == "frame"
    page.go_forward()
    opened(page)
    page.reload()
    assert page.locator("main .viewer").count() == 1, "the address is a page of its own"


def test_the_next_picture_of_the_search_follows_and_closing_comes_back_to_the_results(visit: Any) -> None:
    page = visit.go("/search?q=red&beyond=true")
    page.locator(".tile .frame").first.click()
    first = opened(page).get_attribute("data-image")
    page.locator("#viewer-dialog .steps [rel=next]").click()
    page.locator(f"#viewer-dialog .viewer:not([data-image='{first}'])").wait_for()
    assert "n=2" in visit.path
    page.locator("#viewer-dialog .steps [rel=prev]").click()
    page.locator(f"#viewer-dialog .viewer[data-image='{first}']").wait_for()
    page.locator("#viewer-dialog [data-closes]").click()
    page.locator("#viewer-dialog[open]").wait_for(state="detached")
    assert visit.path == "/search?q=red&beyond=true"


def test_wheel_buttons_and_double_click_enlarge_and_dragging_moves(visit: Any, ids: dict[str, int]) -> None:
    page = visit.go(f"/images/{ids['red']}")
    width = "document.querySelector('.stage').getBoundingClientRect().width"
    place = "document.querySelector('.stage').getBoundingClientRect().left"
    whole = page.evaluate(width)
    middle = page.locator(".stage-frame").bounding_box()
    x, y = middle["x"] + middle["width"] / 2, middle["y"] + middle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    visit.until(f"{width} > {whole * 1.5}")
    before = page.evaluate(place)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=3)
    page.mouse.up()
    assert page.evaluate(place) == pytest.approx(before + 60, abs=2)
    page.locator("[data-zoom=whole]").click()
    assert page.evaluate(width) == pytest.approx(whole)
    page.mouse.dblclick(x, y)
    assert page.evaluate(width) == pytest.approx(whole * 2.5)
    boxes = page.evaluate(
        "[document.querySelector('.stage .boxes'), document.querySelector('.stage img')]"
        ".map(one => one.getBoundingClientRect().width)"
    )
    assert boxes[0] == pytest.approx(boxes[1]), "boxes stay on their things"


def test_two_fingers_enlarge(open_visit: Any, address: str, ids: dict[str, int]) -> None:
    with open_visit(address, 390, 800, has_touch=True, is_mobile=True) as visit:
        page = visit.go(f"/images/{ids['red']}")
        width = "document.querySelector('.stage').getBoundingClientRect().width"
        whole = page.evaluate(width)
        box = page.locator(".stage-frame").bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        session = page.context.new_cdp_session(page)

        def touch(kind: str, *apart: float) -> None:
            points = [{"x": x + sign * far, "y": y, "id": place} for far in apart for place, sign in enumerate((-1, 1))]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", 20)
        for apart in (30, 40, 60):
            touch("touchMove", apart)
        touch("touchEnd")
        assert page.evaluate(width) > whole * 2


def test_suggestions_are_phrases_of_the_library(visit: Any) -> None:
    page = visit.go("/")
    page.locator("#q").press_sequentially("a whi")
    option = page.locator("#suggestions [role=option]").first
    option.wait_for()
    assert option.inner_text() == "a white box"
    option.click()
    page.wait_for_url("**/search?q=a+white+box")


def test_load_more_keeps_what_is_there_and_the_address(visit: Any) -> None:
    page = visit.go("/search?q=red&k=5&beyond=true")
    page.locator(".load-more").click()
    page.locator(".tile").nth(9).wait_for()
    assert "upto=2" in visit.path
    page.locator(".load-more").click()
    page.locator(".tile").nth(11).wait_for()
    page.reload()
    assert page.locator(".tile").count() == 12
    ranks = page.locator(".tile .frame").evaluate_all("all => all.map(one => one.href.match(/n=(\\d+)/)[1])")
    assert ranks == [str(rank) for rank in range(1, 13)]


def test_why_a_picture_was_found_does_not_cover_it(visit: Any) -> None:
    page = visit.go("/search?q=a+white+box")
    page.locator(".why summary").first.click()
    card, picture = page.locator(".why-card").first.bounding_box(), page.locator(".frame").first.bounding_box()
    assert card["y"] >= picture["y"] + picture["height"]
    page.keyboard.press("Escape")
    assert page.locator(".why[open]").count() == 0


def test_a_word_of_the_query_and_its_box_light_up_together(visit: Any) -> None:
    page = visit.go("/search?q=a+white+box")
    assert page.locator("h1 .word").inner_text() == "1a white box"
    assert page.locator(".frame .tag").first.inner_text().startswith("1 ")
    page.locator(".tile:has(.box.w1) .frame").first.hover()
    filled = "getComputedStyle(document.querySelector('h1 .word')).backgroundSize"
    assert page.evaluate(filled) == "100% 100%"
    page.mouse.move(0, 0)
    assert page.evaluate(filled) != "100% 100%"


def test_a_part_of_a_result_is_searched_with(visit: Any, ids: dict[str, int]) -> None:
    page = visit.go(f"/images/{ids['red']}")
    page.locator("[data-crop]").click()
    stage = page.locator(".stage").bounding_box()
    page.mouse.move(stage["x"] + stage["width"] * 0.02, stage["y"] + stage["height"] * 0.02)
    page.mouse.down()
    page.mouse.move(stage["x"] + stage["width"] * 0.2, stage["y"] + stage["height"] * 0.3, steps=3)
    page.mouse.up()
    page.locator(".choosing-bar button").first.click()
    page.wait_for_url("**/search?like=*crop=*")
    sides = [float(side) for side in visit.page.url.split("crop=")[1].split("%2C")]
    assert sides == pytest.approx([0.02, 0.02, 0.2, 0.3], abs=0.01)
    assert "a part of this one" in page.locator("h1").inner_text()


def test_a_part_of_an_upload_is_searched_with(visit: Any) -> None:
    page = visit.go("/")
    page.locator(".ask-picture summary").click()
    page.set_input_files(
        "#image", {"name": "both.png", "mimeType": "image/png", "buffer": picture_bytes("blue", "pink")}
    )
    page.locator(".choosable img").wait_for()
    page.locator("#upload-previews button", has_text="Choose a part").click()
    area = page.locator(".choosing").bounding_box()
    page.mouse.move(area["x"] + area["width"] * 0.55, area["y"] + 2)
    page.mouse.down()
    page.mouse.move(area["x"] + area["width"] - 2, area["y"] + area["height"] - 2, steps=3)
    page.mouse.up()
    page.locator("#upload button[type=submit]").click()
    page.wait_for_url("**/search")
    assert "pink.webp" in page.locator(".says").first.inner_text()


def test_pictures_are_pasted_and_dropped_and_several_are_searched_with(visit: Any) -> None:
    page = visit.go("/")
    give = """([kind, bytes, name]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/png'}));
      document.body.dispatchEvent(kind === 'paste'
        ? new ClipboardEvent('paste', {clipboardData: data, bubbles: true})
        : new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
    }"""
    page.evaluate(give, ["paste", list(picture_bytes("pink")), "pasted.png"])
    page.evaluate(give, ["drop", list(picture_bytes("pink")), "dropped.png"])
    assert page.locator("#upload-previews img").count() == 2
    page.locator("#upload button[type=submit]").click()
    page.wait_for_url("**/search")
    assert "pasted.png, dropped.png" in page.locator("h1").inner_text()
    assert "pink.webp" in page.locator(".says").first.inner_text()


def test_likeness_is_loaded_into_the_picture_that_is_open(visit: Any) -> None:
    page = visit.go("/search?q=a+white+box")
    page.locator(".tile .frame").first.click()
    article = opened(page)
    article.locator(".alike-here a").click()
    article.locator("#alike .tile").first.wait_for()
    first = article.get_attribute("data-image")
    article.locator("#alike .tile .frame").first.click()
    page.locator(f"#viewer-dialog .viewer:not([data-image='{first}'])").wait_for()


def test_the_folder_of_a_file_is_copied(open_visit: Any, address: str, ids: dict[str, int]) -> None:
    with open_visit(address, permissions=["clipboard-read", "clipboard-write"]) as visit:
        page = visit.go(f"/images/{ids['red']}")
        page.locator("[data-copy]").click()
        page.get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()").endswith("/")


def test_filters_open_in_place_and_the_address_says_so(visit: Any) -> None:
    page = visit.go("/search?q=a+white+box")
    page.locator("#filters a").click()
    page.locator(".facets").wait_for()
    assert visit.path == "/search?q=a+white+box&filters=true"
    page.locator("#filters a").first.click()
    page.locator(".facets").wait_for(state="detached")
    assert visit.path == "/search?q=a+white+box"

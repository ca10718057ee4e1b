"""The pages: what they show, that only our own script files run on them, and that nothing hostile comes through."""

from __future__ import annotations

import gzip
import html
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from PIL import Image as Pictures
from starlette.testclient import TestClient

from search.settings import Settings
from web.app import create_app
from web.layout import GEOMETRY_CSS, stylesheet
from web.templating import STATIC

HOSTILE_QUERIES = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onfocus='alert(1)' autofocus='",
    "{{ 7 * 7 }} {% raw %}",
    "</title><svg onload=alert(1)>",
    "javascript: alert(1)",
    "\u202eevil\u202c שלום عالم",
    "a" * 1000,
    "👩‍👩‍👧‍👦 🏳️‍🌈",
    "%00%0d%0aSet-Cookie: a=b",
    "'; DROP TABLE images; --",
    'NEAR("a" OR * AND -',
]


class Page(HTMLParser):
    """What the tests ask of a page: its elements, in order."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "rect", "path", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def by_class(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.elements if name in (attributes.get("class") or "").split()]


def browse(client: TestClient, address: str, status: int = 200) -> Page:
    answer = client.get(address, headers={"accept": "text/html"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert page.open == [], "every element is closed"
    return page


def assert_inert(page: Page) -> None:
    """Nothing that could run, and nothing that the Content-Security-Policy would have to stop."""
    assert {str(script["src"]).split("?")[0] for script in page.all("script")} == {
        "/static/vendor/htmx/htmx.min.js",
        "/static/deixis.js",
    }, "no other script, and none within the page"
    assert not page.all("style")
    for tag, attributes in page.elements:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith(("on", "hx-on", "hx-vars", "hx-vals"))], tag
        for name in ("href", "src", "action", "hx-get"):
            value = attributes.get(name) or "/"
            assert value.startswith(("/", "#")), f"{tag} {name}={value}"
            assert not value.startswith("//")


def pages_of(ids: dict[str, int]) -> list[str]:
    addresses = ["/", "/search?q=a+red+wall", f"/search?like={ids['red']}", "/search?q=red&page=900", "/nothing"]
    return addresses + [f"/images/{image_id}?q=red" for image_id in ids.values()]


def test_no_page_holds_scripts_of_its_own_or_styles_or_foreign_addresses(
    client: TestClient, ids: dict[str, int]
) -> None:
    for address in pages_of(ids):
        answer = client.get(address, headers={"accept": "text/html"})
        assert_inert(Page(answer.text))


def test_every_page_can_be_used_without_eyes(client: TestClient, ids: dict[str, int]) -> None:
    for address in pages_of(ids):
        page = Page(client.get(address, headers={"accept": "text/html"}).text)
        assert page.all("html") == [{"lang": "en"}]
        assert (
            len(page.all("main")) == len(page.all("header")[:1]) == len(page.all("footer")) == len(page.all("h1")) == 1
        )
        assert page.by_class("skip")[0]["href"] == "#main"
        assert all(picture.get("alt") for picture in page.all("img"))
        identifiers = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
        assert len(identifiers) == len(set(identifiers))
        labelled = {label["for"] for label in page.all("label") if "for" in label}
        for field in page.all("input"):
            # Radios lie inside their labels, and nobody sees what is hidden.
            assert field["type"] in ("radio", "hidden") or field["id"] in labelled
        for svg in page.all("svg"):
            assert svg["aria-hidden"] == "true"


def test_the_start_page_shows_pictures_counts_and_suggestions(client: TestClient) -> None:
    page = browse(client, "/")
    assert len(page.by_class("tile")) == 12
    assert "12 pictures" in page.text
    assert "/search?q=a+white+box" in [link["href"] for link in page.all("a")]


def test_an_empty_library_says_which_command_to_run(empty_client: TestClient) -> None:
    page = browse(empty_client, "/")
    assert "deixis index ~/Pictures" in page.text
    assert [form["action"] for form in page.all("form")] == ["/language"]
    failed = browse(empty_client, "/search?q=red", status=503)
    assert "deixis index" in failed.text


def test_results_draw_the_boxes_that_explain_the_query(client: TestClient) -> None:
    page = browse(client, "/search?q=a+white+box")
    boxes = [attributes for attributes in page.all("rect") if attributes.get("class") == "line"]
    expected = {"x": "0.250000", "y": "0.200000", "width": "0.500000", "height": "0.400000"}
    assert expected in [{name: box[name] for name in expected} for box in boxes]
    assert all(box["vector-effect"] == "non-scaling-stroke" for box in boxes)
    assert "a white box" in page.text
    assert re.search(r"0\.\d{3}", page.text)


def test_results_link_onwards_and_backwards(client: TestClient) -> None:
    first = browse(client, "/search?q=red&k=5&beyond=true")
    (following,) = [link["href"] for link in first.all("a") if link.get("rel") == "next"]
    assert following is not None
    second = browse(client, following)
    assert {link["rel"] for link in second.all("a") if "rel" in link} == {"prev", "next"}
    last = browse(client, "/search?q=red&k=5&page=3&beyond=true")
    assert {link["rel"] for link in last.all("a") if "rel" in link} == {"prev"}


def test_a_page_beyond_the_end_leads_back(client: TestClient) -> None:
    page = browse(client, "/search?q=red&page=900")
    assert "/search?q=red" in [link["href"] for link in page.all("a")]


def test_a_search_for_nothing_leads_to_the_start(client: TestClient) -> None:
    answer = client.get("/search?q=+", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_an_uploaded_picture_is_searched_by(client: TestClient) -> None:
    buffer = io.BytesIO()
    Pictures.new("RGB", (40, 40), "pink").save(buffer, "JPEG")
    files = {"image": ('"><b>me</b>.jpg', buffer.getvalue(), "image/jpeg")}
    answer = client.post("/search", files=files, headers={"accept": "text/html"})
    page = Page(answer.text)
    assert_inert(page)
    assert "pink.webp" in page.by_class("says")[0]["title"]


def test_a_part_of_an_uploaded_picture_is_searched_by_with_words(client: TestClient) -> None:
    both = Pictures.new("RGB", (80, 40), "blue")
    both.paste("pink", (0, 0, 40, 40))
    buffer = io.BytesIO()
    both.save(buffer, "PNG")
    files = {"image": ("both.png", buffer.getvalue(), "image/png")}
    for part, best in (("0,0,0.5,1", "pink.webp"), ("0.5,0,1,1", "blue")):
        page = Page(client.post("/search", files=files, data={"crop": part}, headers={"accept": "text/html"}).text)
        assert best in page.by_class("says")[0]["title"]
    page = Page(client.post("/search", files=files, data={"crop": "0,0,0.5,1", "q": "<b>pink</b>"}).text)
    assert_inert(page)
    for wrong in ("0,0,2,1", "left", "0,0,0,0", "1,2,3", "nan,0,1,1"):
        answer = client.post("/search", files=files, data={"crop": wrong}, headers={"accept": "text/html"})
        assert answer.status_code == 400
        assert "is no part of a picture" in answer.text


def test_an_unreadable_upload_is_explained_in_words(client: TestClient) -> None:
    answer = client.post("/search", files={"image": ("a.png", b"no")}, headers={"accept": "text/html"})
    assert answer.status_code == 422
    assert "The picture cannot be read" in answer.text


@pytest.mark.parametrize("query", HOSTILE_QUERIES)
def test_a_hostile_query_is_echoed_as_text(client: TestClient, query: str) -> None:
    page = browse(client, "/search?q=" + quote(query))
    assert_inert(page)
    (field,) = [field for field in page.all("input") if field.get("id") == "q"]
    assert field["value"] == query
    assert all(attributes.get("id") != "main" or name == "main" for name, attributes in page.elements)


def test_a_query_of_ten_thousand_characters_is_refused_in_words(client: TestClient) -> None:
    page = browse(client, "/search?q=" + "x" * 10_000, status=400)
    assert "10000 characters" in page.text
    assert_inert(page)


def test_hostile_names_captions_and_phrases_are_shown_as_text(client: TestClient, ids: dict[str, int]) -> None:
    (hostile,) = [image_id for stem, image_id in ids.items() if "onerror" in stem]
    answer = client.get(f"/images/{hostile}")
    page = Page(answer.text)
    assert_inert(page)
    assert '<script>alert("caption")</script>' in page.text
    assert "<script>alert('region')</script>" in page.text
    assert "<img src=x onerror=alert(1)>" in page.text
    assert html.escape("<script>", quote=False) in answer.text


def test_phrases_of_a_caption_point_at_their_boxes(client: TestClient, ids: dict[str, int]) -> None:
    page = browse(client, f"/images/{ids['red']}")
    phrases = page.by_class("phrase")
    assert [phrase["href"] for phrase in phrases] == ["#phrase-0", "#phrase-1"]
    targets = {tag["id"]: tag["class"] for tag in page.by_class("tag")}
    for phrase in phrases:
        group = (phrase["href"] or "").removeprefix("#phrase-")
        assert f"g{group}" in (targets[f"phrase-{group}"] or "").split()
    # "a white box" of the caption and the loose region "box" have the same outline: one thing with two names.
    assert len(page.by_class("row")) == 2


def test_right_to_left_captions_keep_their_direction(client: TestClient, ids: dict[str, int]) -> None:
    answer = client.get(f"/images/{ids['blue']}")
    assert 'lang="he" dir="auto"' in answer.text


def test_what_a_server_cannot_do_is_not_offered(client: TestClient, ids: dict[str, int]) -> None:
    client.get("/readyz")  # the encoder is loaded now, and known to have no heat maps
    address = f"/images/{ids['red']}?q=a+red+wall"
    assert not browse(client, address).by_class("look")
    asked = browse(client, address + "&heat=red")
    assert "gives one embedding per picture" in asked.text
    assert "without a captioner" in browse(client, address + "&ask=why", status=501).text


def test_the_stylesheet_of_classes_is_up_to_date() -> None:
    assert GEOMETRY_CSS.read_text(encoding="utf-8") == stylesheet(), "run: python -m web.layout"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8484", "LOCALHOST:1", "[::1]:8484", "pictures.lan"])
def test_the_server_answers_to_its_own_names(settings: Settings, host: str) -> None:
    named = replace(settings, allowed_hosts=settings.allowed_hosts + ", Pictures.LAN")
    with TestClient(create_app(named), base_url="http://localhost") as client:
        assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_script_and_style_are_small() -> None:
    files = [path for path in STATIC.rglob("*") if path.suffix in (".css", ".js")]
    assert len(files) > 15
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= 60_000


def test_a_caption_labels_a_picture_and_its_file_is_named_apart(client: TestClient) -> None:
    page = browse(client, "/search?q=a+white+box")
    assert page.by_class("says")[0]["title"] == "A red wall with a white box."
    assert page.all("img")[0]["alt"] == "A red wall with a white box."
    assert "red.png" in page.text


def test_the_line_between_what_is_likely_and_what_is_not_is_drawn(client: TestClient) -> None:
    likely = client.get("/api/v1/search", params={"q": "a white box", "k": 100}).json()["likely"]
    assert 0 < likely < 12
    page = browse(client, "/search?q=a+white+box&beyond=true")
    shown = [name for _, attributes in page.elements for name in (attributes.get("class") or "").split()]
    order = [name for name in shown if name in {"tile", "divide"}]
    assert order == ["tile"] * likely + ["divide"] + ["tile"] * (12 - likely)


def test_a_picture_knows_its_place_in_the_search_that_led_to_it(client: TestClient, ids: dict[str, int]) -> None:
    hits = client.get("/api/v1/search", params={"q": "red", "k": 3}).json()["hits"]
    first, second, third = (hit["image_id"] for hit in hits)
    page = browse(client, f"/images/{second}?q=red&n=2&beyond=true")
    steps = {link["rel"]: link["href"] for link in page.all("a") if link.get("rel") in ("prev", "next")}
    assert steps == {
        "prev": f"/images/{first}?q=red&beyond=true&n=1",
        "next": f"/images/{third}?q=red&beyond=true&n=3",
    }
    elsewhere = browse(client, f"/images/{third}?q=red&n=1&beyond=true")
    assert "Why it was found" in elsewhere.text, "the library has grown since: it is one of the three"
    for address in (f"/images/{second}?q=red", f"/images/{second}?n=2", f"/images/{second}?q=nosuch:filter&n=2"):
        assert "Why it was found" not in browse(client, address).text


def test_pictures_like_one_are_a_page(client: TestClient, ids: dict[str, int]) -> None:
    page = browse(client, f"/images/{ids['red']}/alike")
    assert_inert(page)
    assert len(page.by_class("tile")) == 11
    browse(client, "/images/999999/alike", status=404)


def test_suggestions_keep_what_was_typed_before(client: TestClient) -> None:
    page = Page(client.get("/suggest", params={"q": "-blue a whi"}).text)
    assert [option["data-query"] for option in page.all("li")] == ["-blue a white box"]
    for typed in ("", "a", "nosuchphrase", "date:20", "a white box", '"a whi'):
        assert not Page(client.get("/suggest", params={"q": typed}).text).all("li"), typed


def test_several_pages_are_shown_at_once(client: TestClient) -> None:
    page = browse(client, "/search?q=red&k=2&page=2&upto=4&beyond=true")
    assert len(page.by_class("tile")) == 6
    assert len(browse(client, "/search?q=red&k=2&page=2&upto=1&beyond=true").by_class("tile")) == 2
    assert len(browse(client, "/search?q=red&k=100&upto=1000&beyond=true").by_class("tile")) == 12

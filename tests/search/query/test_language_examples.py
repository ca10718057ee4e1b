"""Every example of the page about the query language, put to a library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Pictures

from indexer.pipeline import IndexOptions, index_paths
from search.db.annotations import CaptionFact, add_annotations
from search.db.schema import Image
from search.library import Library
from search.query.language import GRAMMAR
from search.query.tree_json import from_json
from search.results import SearchRequest, SearchResult
from search.service import SearchService
from tests.vision.carried.packets import KEYWORDS, MICROSOFT, xmp
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Region

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "query-language.md").read_text(encoding="utf-8")
PROSE = re.sub(r"^```.*?^```", "", PAGE, flags=re.DOTALL | re.MULTILINE)
EXAMPLES = list(dict.fromkeys(re.findall(r"`([^`\n]+)`", PROSE)))
QUERIES = [one for one in EXAMPLES if not one.startswith("{")]
NODES = [one for one in EXAMPLES if one.startswith("{") and "tree" not in one and '"q"' not in one]
DAYS = [
    day
    for line in PAGE.partition("### Days in words")[2].splitlines()
    if line.startswith("| ")
    for day in re.findall(r"`([^`]+)`", line.split("|")[2])
]
PICTURES = 45
SPECIAL = "IMG_2001.jpg"
ONLY_THE_SPECIAL_ONE = (
    "date:2024", "date:2024-05..2024-08", "folder:Italy", "format:jpeg", "has:boxes", "has:captions", "lang:de",
    "name:IMG_20*", "orient:landscape", "size:>2mp", "source:import",
    "camera:canon", "focal:35..85", "has:gps", "iso:>=1600", 'lens:"EF 50mm"', "near:48.85,2.35,10km", "rating:>=3",
    "person:Ana", "tag:veranda",
)  # fmt: skip
ALL_OTHERS = ("orient:square", "size:<1000px")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchService]:
    """Small square pictures, and a large one with a date, a caption and forty boxes, in a folder of its own."""
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "Italy").mkdir()
    for number in range(PICTURES):
        Pictures.new("RGB", (16, 16), (number * 5, 90, 200)).save(folder / f"{number}.png")
    exif = Pictures.Exif()
    exif[0x010F], exif[0x0110], exif[0x4746] = "Canon", "Canon EOS 90D", 4
    details = {0x9003: "2024:07:01 12:00:00", 0x8827: 3200, 0x920A: 50.0, 0xA434: "EF 50mm f/1.8 STM"}
    packet = xmp(MICROSOFT.replace('"Bo"', '"Ana Silva"'), KEYWORDS.replace("quokka", "veranda"))
    exif.get_ifd(0x8769).update(details)
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 38.0), 3: "E", 4: (2.0, 20.0, 15.0)})
    Pictures.new("RGB", (2000, 1500), (214, 39, 40)).save(folder / "Italy" / SPECIAL, exif=exif, xmp=packet)
    encoder = ColourEncoder()
    with Library.open(tmp_path_factory.mktemp("home"), create=True) as library:
        index_paths(library, encoder, [folder], IndexOptions())
        with library.exclusive(), library.write() as session:
            special = session.query(Image.id).filter(Image.format == "JPEG").scalar()
            boxes = [Region("polar bear", Box(0.0, 0.0, 0.5, (number + 1) / 40), score=0.5) for number in range(40)]
            add_annotations(session, special, [CaptionFact("ein polar bear im Schnee", "de")], boxes, "import")
        yield SearchService(library, encoder)


def _names(result: SearchResult) -> set[str]:
    return {Path(hit.path).name for hit in result.hits}


def test_the_page_has_examples_of_everything() -> None:
    assert {"a dog on a beach", "-snow", "region:31", *ONLY_THE_SPECIAL_ONE, *ALL_OTHERS} <= {*QUERIES}
    assert len(NODES) == 8
    assert len(DAYS) > 30


@pytest.mark.parametrize("query", QUERIES)
def test_an_example_is_answered_as_it_is_written(service: SearchService, query: str) -> None:
    result = service.search(SearchRequest(text=query, k=100))
    assert result.remarks == ()
    assert result.tokens


@pytest.mark.parametrize("day", DAYS)
def test_days_of_the_page_are_days(service: SearchService, day: str) -> None:
    (token,) = service.search(SearchRequest(text=f'date:"{day}"')).tokens
    assert token.kind == "filter"


@pytest.mark.parametrize("query", [*ONLY_THE_SPECIAL_ONE, *ALL_OTHERS])
def test_a_filter_finds_what_the_page_says_and_its_opposite_the_rest(service: SearchService, query: str) -> None:
    found, rest = (_names(service.search(SearchRequest(text=one, k=100))) for one in (query, "-" + query))
    special = found if query in ONLY_THE_SPECIAL_ONE else rest
    assert special == {SPECIAL}
    assert len(found | rest) == PICTURES + 1
    assert not found & rest


def test_exact_words_and_their_opposite(service: SearchService) -> None:
    assert _names(service.search(SearchRequest(text='"polar bear"', k=100))) == {SPECIAL}
    assert SPECIAL not in _names(service.search(SearchRequest(text='-"polar bear" -snow', k=100)))


@pytest.mark.parametrize("node", NODES)
def test_a_node_of_the_page_is_answered(service: SearchService, node: str) -> None:
    inner = '{"words": "red"}'
    written = node.replace(", …", f", {inner}").replace("[node", f"[{inner}").replace(": node", f": {inner}")
    assert service.search(SearchRequest(tree=from_json(json.loads(written)), k=100)).hits


def test_the_page_has_the_rules_of_the_grammar() -> None:
    (shown,) = re.findall(r"^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    rules = re.compile(r"^([a-z]+)\s*[=:]", re.MULTILINE)
    assert rules.findall(shown) == rules.findall(GRAMMAR)

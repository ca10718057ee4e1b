"""docs/formats.md has a place for everything that lies on disk."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import inspect
from stock import Stock

from search.checks.finding import REMEDIES
from search.db.schema import Base
from search.previews import GALLERY_PX, PreviewStore
from search.vectors.segments import BLOCK_HEAD, HEADER_BYTES, MAGIC, create_segment

PAGE = Path(__file__).resolve().parents[2] / "docs" / "formats.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("table", sorted(Base.metadata.tables))
def test_every_table_has_an_owner_on_the_page(page: str, table: str) -> None:
    assert re.search(rf"^\| `{table}` \| `[a-z_.]+`", page, re.MULTILINE), table


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_every_finding_is_on_the_page(page: str, code: str) -> None:
    assert f"`{code}`" in page


def test_every_table_in_the_database_is_on_the_page(page: str, stock: Stock) -> None:
    for name in inspect(stock.library.engine).get_table_names():
        assert f"| `{'texts_fts*' if name.startswith('texts_fts') else name}` |" in page


def test_every_file_in_a_used_home_is_on_the_page(page: str, stock: Stock) -> None:
    stock.add_pictures(3)
    stock.add_captions(["a dog"], stock.images[0])
    stock.publish()
    with stock.library.exclusive():
        pass
    PreviewStore(stock.library.home).put("ab" * 32, GALLERY_PX, b"jpeg")
    kinds = {
        r"segments/(image|text)-m\d+-\d{6}\.seg": "`segments/<kind>-m<model>-<number>.seg`",
        r"generations/(image|text)-m\d+-[0-9a-f]{16}\.faiss": "`generations/<kind>-m<model>-<random>.faiss`",
        r"previews/ab/[0-9a-f]{64}-\d+\.jpg": "`previews/ab/<sha256>-<px>.jpg`",
    }
    for path in sorted(stock.library.home.rglob("*")):
        name = str(path.relative_to(stock.library.home))
        shown = next((kind for pattern, kind in kinds.items() if re.fullmatch(pattern, name)), f"`{name}`")
        assert path.is_dir() or shown in page, name


def test_the_layout_on_the_page_is_the_layout_on_disk(page: str, stock: Stock) -> None:
    assert f"header of {HEADER_BYTES} bytes" in page
    assert MAGIC.hex(" ").upper() in page
    assert f"| {BLOCK_HEAD.size}– |" in page
    assert create_segment.__module__ in page

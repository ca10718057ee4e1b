"""Fixtures of the engine's tests: libraries with something in them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from search.library import Library

if TYPE_CHECKING:
    from tests.search.stock import Stock


def _load_stock() -> None:
    # The child processes of some tests import the same file from its folder, as a script does.
    if "stock" not in sys.modules:
        spec = importlib.util.spec_from_file_location("stock", Path(__file__).with_name("stock.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["stock"] = module
        spec.loader.exec_module(module)


_load_stock()


@pytest.fixture
def stock(library: Library) -> Stock:
    """A library with a model and a root, on each database."""
    from stock import Stock

    return Stock(library)


@pytest.fixture
def sqlite_stock(sqlite_library: Library) -> Stock:
    """A library with a model and a root, on SQLite."""
    from stock import Stock

    return Stock(sqlite_library)

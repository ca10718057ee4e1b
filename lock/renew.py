"""Renews the lock: the newest versions of everything, each file's hash, and the upper bounds that follow from them."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
OLDEST_PYTHON = "3.11"
TORCH = "torch"
"""Its file differs from index to index, so it has no hash here, and what only it needs is no more than constrained."""

SUPPORTED = tuple(
    {"sys_platform": system, "platform_machine": machine, "python_version": minor, "python_full_version": f"{minor}.0"}
    for minor in (OLDEST_PYTHON, "3.12", "3.13")
    for system, machine in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
)
"""The environments that the lock is for, as PEP 508 names their parts."""

_HEADS = {
    "run": "What `deixis` needs, everywhere. Without torch, whose file differs from index to index: torch.txt.",
    "extras": "What the extras `export`, `mcp`, `ocr`, `openvino` and `parquet` need besides run.txt.",
    "dev": "What developing needs besides run.txt and extras.txt.",
    "build": "What builds the wheel; some of it is in the other files too.",
    "torch": "Without a hash: a CPU build and the stock build are different files of the same version.",
    "with-torch": "Constraints (pip install -c), no requirements: only a build of torch that asks for these gets them.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One locked package.

    Attributes:
        name: canonical.
        lines: as pip reads them; requirement first, then its hashes.
        parents: canonical names of what asks for it; empty for what only we ask for.
    """

    name: str
    lines: tuple[str, ...]
    parents: frozenset[str]

    @property
    def requirement(self) -> str:
        """The first line without hashes."""
        return self.lines[0].removesuffix("\\").strip()


def parse(compiled: str) -> list[Entry]:
    """Read what `uv pip compile` writes with its annotations."""
    entries: list[Entry] = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", compiled.strip()):
        lines = block.splitlines()
        kept = tuple(line for line in lines if not line.lstrip().startswith("#"))
        kept = (_without_needless_marker(kept[0]), *kept[1:])
        notes = " ".join(line.strip(" #") for line in lines if line.lstrip().startswith("#")).removeprefix("via")
        parents = {word for word in notes.split() if re.fullmatch(r"[a-z0-9-]+", word) and word != "-r"}
        entries.append(Entry(canonicalize_name(lines[0].split("==")[0]), kept, frozenset(parents)))
    return entries


def _without_needless_marker(line: str) -> str:
    """A requirement without a marker that holds wherever the lock does."""
    requirement, semicolon, rest = line.partition(" ; ")
    marker = rest.removesuffix("\\").strip()
    if semicolon and all(Marker(marker).evaluate(environment) for environment in SUPPORTED):
        return requirement + (" \\" if rest.endswith("\\") else "")
    return line


def needed_by(roots: Iterable[str], entries: Iterable[Entry], without: str = "") -> set[str]:
    """Canonical names of `roots` and all that they need, not counting what only `without` needs."""
    children: dict[str, set[str]] = {}
    for entry in entries:
        for parent in entry.parents:
            children.setdefault(parent, set()).add(entry.name)
    found: set[str] = set()
    waiting = [canonicalize_name(root) for root in roots]
    while waiting:
        name = waiting.pop()
        if name not in found and name != without:
            found.add(name)
            waiting.extend(children.get(name, ()))
    return found


def divide(entries: list[Entry], asked: Mapping[str, list[str]]) -> dict[str, list[Entry]]:
    """Which entry goes into which file.

    Args:
        entries: all of them.
        asked: names that we ask for, by file: `run`, `extras`, `dev`, `build`.
    """
    files: dict[str, list[Entry]] = {}
    taken = {TORCH}
    for name in ("run", "extras", "dev"):
        closure = needed_by(asked[name], entries, without=TORCH) - taken
        files[name] = [entry for entry in entries if entry.name in closure]
        taken |= closure
    closure = needed_by(asked["build"], entries, without=TORCH)
    files["build"] = [entry for entry in entries if entry.name in closure]
    files["torch"] = [entry for entry in entries if entry.name == TORCH]
    files["with-torch"] = [entry for entry in entries if entry.name not in taken | closure]
    return files


def text_of(name: str, entries: list[Entry]) -> str:
    """A file of the lock."""
    lines = [f"# {_HEADS[name]}", "# Written by `make lock`; docs/decisions/0016-lock.md says why it is as it is."]
    for entry in entries:
        if name == "with-torch":  # a constraint holds only where the package is wanted anyway
            lines.append(entry.requirement.split(" ; ")[0])
        else:
            lines += [entry.requirement] if name == "torch" else entry.lines
    return "\n".join(lines) + "\n"


def upper_bound(version: str) -> str:
    """The first minor version after a tested one: what comes there nobody has tried."""
    tested = Version(version)
    return f"{tested.major}.{tested.minor + 1}"


def with_bounds(project: str, entries: Iterable[Entry], held: Iterable[str]) -> str:
    """pyproject.toml's text with every dependency bounded by what was locked; `held` ones stay as they are."""
    newest: dict[str, Version] = {}
    for entry in entries:
        version = Version(Requirement(entry.requirement).specifier.__str__().removeprefix("=="))
        newest[entry.name] = max(version, newest.get(entry.name, version))
    still = {canonicalize_name(name) for name in held}

    def bounded(found: re.Match[str]) -> str:
        name = canonicalize_name(found["name"])
        if name in still or name not in newest:
            return found[0]
        return f"{found['head']},<{upper_bound(str(newest[name]))}{found['rest']}"

    return re.sub(
        r'(?P<head>"(?P<name>[A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?>=[0-9.]+)(?:,<[0-9.]+)?(?P<rest>"|;| ;)', bounded, project
    )


def without_upper_bounds(requirement: str, held: Iterable[str]) -> str:
    """A requirement that may grow past what was tested, unless it is held."""
    if canonicalize_name(Requirement(requirement).name) in {canonicalize_name(name) for name in held}:
        return requirement
    return re.sub(r",<[0-9.]+", "", requirement)


def _resolve(requirements: Iterable[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "asked.in"
        asked.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        command = [
            *(str(Path(sys.executable).with_name("uv")), "pip", "compile", str(asked)),
            *("--universal", "--python-version", OLDEST_PYTHON, "--fork-strategy", "fewest"),
            *("--generate-hashes", "--no-header", "--quiet", "--upgrade", "--annotation-style", "split"),
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    if done.returncode != 0:
        sys.exit(f"uv found no versions that fit together:\n{done.stderr}")
    return done.stdout


def main() -> None:
    """Renew every file of the lock, and the upper bounds in pyproject.toml."""
    source = ROOT / "pyproject.toml"
    text = source.read_text(encoding="utf-8")
    project = tomllib.loads(text)
    extras: dict[str, list[str]] = project["project"]["optional-dependencies"]
    asked = {
        "run": project["project"]["dependencies"],
        "extras": [requirement for name, wanted in extras.items() if name != "dev" for requirement in wanted],
        "dev": extras["dev"],
        "build": [*project["build-system"]["requires"], "editables"],  # an editable install is built with it
    }
    held: list[str] = project["tool"]["deixis"]["lock"]["hold"]
    entries = parse(_resolve(without_upper_bounds(each, held) for wanted in asked.values() for each in wanted))
    names = {file: [Requirement(each).name for each in wanted] for file, wanted in asked.items()}
    for name, chosen in divide(entries, names).items():
        (HERE / f"{name}.txt").write_text(text_of(name, chosen), encoding="utf-8")
    source.write_text(with_bounds(text, entries, held), encoding="utf-8")
    sys.stdout.write(f"{len(entries)} versions locked; now: make test check check-newest check-lowest\n")


if __name__ == "__main__":
    main()

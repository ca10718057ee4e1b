"""Setting up: what is missing is said in a sentence, and what is half-made is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OTHER_VERSION = """#!/bin/sh
case "$2" in
    *version_info*) exit 1 ;;
    *) echo 3.10.4 ;;
esac
"""
WITHOUT_VENV = f"""#!/bin/sh
case "$2" in
    *ensurepip*) exit 1 ;;
    *) exec {sys.executable} "$@" ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """As much of the project as setting up needs."""
    shutil.copytree(ROOT / "lock", tmp_path / "lock", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def set_up(project: Path, python: str) -> subprocess.CompletedProcess[str]:
    unreachable = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")} | unreachable
    return subprocess.run(
        ["sh", "lock/venv.sh", "locked", python, ".venv"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "There is no"),
        (OTHER_VERSION, "Deixis needs Python 3.11, 3.12 or 3.13"),
        (OTHER_VERSION, "is 3.10.4"),
        (WITHOUT_VENV, "apt-get install python3-venv"),
    ],
)
def test_a_python_that_does_not_serve_is_named_with_the_remedy(project: Path, script: str | None, said: str) -> None:
    python = project / "python"
    if script is not None:
        python.write_text(script, encoding="utf-8")
        python.chmod(0o755)
    done = set_up(project, str(python))
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / ".venv").exists()


def test_a_half_made_environment_is_made_anew_and_an_index_out_of_reach_is_said(project: Path) -> None:
    left = project / ".venv" / "left-over"
    left.parent.mkdir()
    left.touch()
    done = set_up(project, sys.executable)
    assert done.returncode == 1
    assert "made anew" in done.stdout
    assert not left.exists()
    assert "pip could not install it" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert not (project / ".venv" / ".locked").exists()


def test_an_environment_that_is_whole_is_left_as_it_is(project: Path) -> None:
    whole = subprocess.run(
        ["sh", "-c", _STAMP, "stamp", sys.executable], cwd=project, capture_output=True, text=True, check=True
    )
    before = (project / ".venv" / ".locked").read_text(encoding="utf-8")
    done = set_up(project, "no-such-python")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), whole.stderr
    assert (project / ".venv" / ".locked").read_text(encoding="utf-8") == before


_STAMP = """
mkdir -p .venv/bin
ln -s "$1" .venv/bin/python
printf '%s %s' "$(cat lock/*.txt lock/venv.sh | cksum)" \
    "$(pwd)/.venv $(.venv/bin/python -c 'import pip, sys; print(sys.version)' | tr -d '\\n')" > .venv/.locked
cksum < pyproject.toml > .venv/.project
"""

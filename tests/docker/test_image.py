"""Dockerfile, compose files and the script that tries them say the same things."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
INSTALL = (DOCKER / "install.sh").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "docker.md").read_text(encoding="utf-8")
PACKAGED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]


def test_every_step_of_the_image_is_one_that_the_check_runs_too() -> None:
    steps = set(re.findall(r"^    ([a-z-]+)\)$", INSTALL, re.MULTILINE))
    in_image = set(re.findall(r"sh \S*install\.sh ([a-z-]+)", DOCKERFILE))
    check = (DOCKER / "check.sh").read_text(encoding="utf-8")
    in_check = set(re.findall(r"(?:^build|sh \S*install\.sh) ([a-z-]+)", check, re.MULTILINE))
    assert steps == in_image == in_check


def test_all_that_the_wheel_is_made_of_reaches_the_image() -> None:
    needed = [*PACKAGED["wheel"]["packages"], "LICENSE", "README.md", "pyproject.toml"]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    check = (DOCKER / "check.sh").read_text(encoding="utf-8")
    for name in needed:
        assert f"!{name}" in ignored
        assert re.search(rf"tar -C .*\b{re.escape(name)}\b", check.replace("\\\n", " "))


def test_the_image_runs_as_nobody_special_and_knows_whether_it_lives() -> None:
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert re.search(r"^USER [1-9][0-9]*:[1-9][0-9]*$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert re.search(r"^STOPSIGNAL SIG(INT|TERM)$", last, re.MULTILINE)
    assert DOCKERFILE.count("\nFROM ") == 2
    assert "://" not in DOCKERFILE + INSTALL


@pytest.mark.parametrize("name", sorted(set(re.findall(r"\$\{([A-Z_]+)", (DOCKER / "compose.yaml").read_text()))))
def test_the_page_explains_every_variable_of_the_compose_file(name: str) -> None:
    assert name in PAGE


@pytest.mark.parametrize("files", [["compose.yaml"], ["compose.yaml", "compose.postgres.yaml"]])
def test_the_compose_files_are_well_formed(files: list[str]) -> None:
    programs = [["docker-compose"], ["docker", "compose"]]
    program = next((each for each in programs if _answers([*each, "version"])), None)
    if program is None:
        pytest.skip("needs docker-compose or docker's compose plugin")
    arguments = [part for file in files for part in ("-f", str(DOCKER / file))]
    environment = os.environ | {"DEIXIS_PICTURES": "/pictures-of-mine", "POSTGRES_PASSWORD": "secret"}
    done = subprocess.run(
        [*program, *arguments, "config"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "/pictures" in done.stdout
    assert ("database/deixis" in done.stdout) is (len(files) == 2)


def test_hadolint_finds_nothing() -> None:
    program = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        pytest.skip("needs hadolint")
    done = subprocess.run(
        [program, str(DOCKER / "Dockerfile")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout


def test_the_health_check_says_no_where_nobody_answers() -> None:
    environment = os.environ | {"DEIXIS_PORT": "9"}
    done = subprocess.run(
        [sys.executable, str(DOCKER / "healthcheck.py")], env=environment, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 1


def _answers(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False

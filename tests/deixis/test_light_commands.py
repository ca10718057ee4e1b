"""Commands that say little cost little: what they import is counted, not timed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
_HEAVY = ("torch", "transformers", "faiss", "onnxruntime", "openvino", "alembic", "fastapi", "storybook", "sqlalchemy")
_CLIENT = ("httpx", "httpx2", "requests", "huggingface_hub.hf_api", "numpy", "PIL")
_LIST_MODULES = """
import sys
from deixis.cli import run
code = run(sys.argv[1:])
sys.stdout.flush()
sys.stderr.write("MODULES " + " ".join(sorted(sys.modules)))
sys.exit(code)
"""


def _imported_by(*arguments: str, home: Path) -> set[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DEIXIS_")}
    done = subprocess.run(
        [sys.executable, "-c", _LIST_MODULES, *arguments],
        cwd=ROOT,
        env=environment | {"DEIXIS_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.partition("MODULES ")[2].split())


@pytest.fixture(scope="module")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("light")
    Image.new("RGB", (40, 30), "red").save(folder / "red.png")
    home = folder / "home"
    arguments = [sys.executable, "-m", "deixis", "index", str(folder / "red.png"), "--model", "colour", "--home"]
    subprocess.run([*arguments, str(home)], cwd=ROOT, check=True, capture_output=True)
    return home


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("-h",), ("--version",), ("models", "list"), ("models", "list", "--json"), ("status",)],
    ids=" ".join,
)
def test_a_light_command_imports_nothing_heavy(arguments: tuple[str, ...], filled_home: Path) -> None:
    imported = _imported_by(*arguments, home=filled_home)
    assert not [name for name in (*_HEAVY, *_CLIENT) if name in imported]


def test_a_command_imports_no_other_command(filled_home: Path) -> None:
    imported = _imported_by("verify", home=filled_home)
    others = {name for name in imported if name.startswith("deixis.commands.")}
    assert others == {"deixis.commands.verify"}
    assert not {"torch", "transformers", "storybook", "fastapi"} & imported

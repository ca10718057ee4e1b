"""Every command's exit codes, as docs/exit-codes.md has them."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest
from PIL import Image

from deixis import exit_codes
from deixis.cli import run
from search.library import Library

PAGE = Path(__file__).resolve().parents[2] / "docs" / "exit-codes.md"
COMMANDS = (
    *("index", "caption", "import", "search", "serve", "eval", "models", "verify", "rebuild", "status", "demo"),
    *("classify", "explain", "export", "quality", "duplicates", "export-library", "import-library"),
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, one of them broken, annotations, and libraries in several states."""
    folder = tmp_path_factory.mktemp("place")
    for name in ("red", "green"):
        (folder / "good").mkdir(exist_ok=True)
        Image.new("RGB", (40 + len(name), 30), name).save(folder / "good" / f"{name}.png")
    (folder / "mixed").mkdir()
    Image.new("RGB", (50, 30), "blue").save(folder / "mixed" / "blue.png")
    (folder / "mixed" / "broken.png").write_bytes(b"no picture")
    lines = {"all": ["red.png"], "some": ["red.png", "nowhere.png"]}
    for name, files in lines.items():
        records = [{"file": file, "captions": [{"text": "a wall", "regions": []}]} for file in files]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, records)))
    (folder / "none.json").write_text("{")
    for home in ("home", "damaged"):
        assert run(["index", str(folder / "good"), "--model", "colour", "-q", "--home", str(folder / home)]) == 0
    for index in (folder / "damaged" / "generations").iterdir():
        index.unlink()
    return folder


TABLE = [
    ("index {good} --model colour --home {home}", exit_codes.OK),
    ("index {mixed} --home {home}", exit_codes.PARTIAL),
    ("index {nowhere} --home {home}", exit_codes.ERROR),
    ("import {all.jsonl} --home {home}", exit_codes.OK),
    ("import {some.jsonl} --home {home}", exit_codes.PARTIAL),
    ("import {none.json} --home {home}", exit_codes.ERROR),
    ("index {good} --exclude ! --home {home}", exit_codes.ERROR),
    ("forget {mixed/blue.png} --home {home} --dry-run", exit_codes.OK),
    ("forget {nowhere} --home {home}", exit_codes.ERROR),
    ("forget {good} --home {nowhere}", exit_codes.ERROR),
    ("search red --home {home}", exit_codes.OK),
    ("search red --home {nowhere}", exit_codes.ERROR),
    ("search red --home {damaged}", exit_codes.ERROR),
    ("status --home {home}", exit_codes.OK),
    ("status --home {nowhere}", exit_codes.ERROR),
    ("duplicates --home {home}", exit_codes.OK),
    ("duplicates --home {home} --below {nowhere}", exit_codes.ERROR),
    ("duplicates --home {nowhere}", exit_codes.ERROR),
    ("verify --home {home}", exit_codes.OK),
    ("verify --home {damaged}", exit_codes.ERROR),
    ("verify --home {nowhere}", exit_codes.ERROR),
    ("rebuild --home {home}", exit_codes.OK),
    ("rebuild --home {nowhere}", exit_codes.ERROR),
    ("caption --home {nowhere}", exit_codes.ERROR),
    ("classify {good/red.png} --labels red,green --model colour --home {nowhere}", exit_codes.OK),
    ("classify {good/red.png} {mixed/broken.png} --labels red,green --model colour", exit_codes.PARTIAL),
    ("classify {mixed/broken.png} --labels red,green --model colour", exit_codes.ERROR),
    ("explain {mixed/broken.png} --query red --out {explained}", exit_codes.ERROR),
    ("export {nowhere} --out {exported}", exit_codes.ERROR),
    ("quality {nowhere}", exit_codes.ERROR),
    ("eval retrieval --captions {all.jsonl} --home {home}", exit_codes.OK),
    ("eval retrieval --captions {some.jsonl} --home {home}", exit_codes.PARTIAL),
    ("eval retrieval --captions {none.json} --home {home}", exit_codes.ERROR),
    ("export-library {exported-library} --home {home}", exit_codes.OK),
    ("export-library {exported-library} --home {home}", exit_codes.ERROR),
    ("export-library {another-export} --home {nowhere}", exit_codes.ERROR),
    ("import-library {exported-library} --home {imported}", exit_codes.OK),
    ("import-library {exported-library} --home {imported}", exit_codes.ERROR),
    ("import-library {nowhere} --home {unused}", exit_codes.ERROR),
    ("models list", exit_codes.OK),
    ("models path {nowhere}", exit_codes.ERROR),
    ("demo --folder {foreign} --no-serve", exit_codes.ERROR),
]


@pytest.mark.parametrize(("line", "code"), TABLE)
def test_a_command_ends_with_its_code(
    line: str, code: int, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("DEIXIS_HOME", "DEIXIS_MODEL"):
        monkeypatch.delenv(variable, raising=False)
    (place / "foreign" / "gallery").mkdir(parents=True, exist_ok=True)
    (place / "foreign" / "gallery" / "mine.txt").write_text("not the demo's")
    arguments = [re.sub(r"{(.*)}", lambda found: str(place / found[1]), part) for part in line.split()]
    assert run(arguments) == code
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    assert (code in (exit_codes.OK,)) or told.err.strip()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_line_that_cannot_be_understood_is_2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--no-such-option"]) == exit_codes.USAGE
    assert "no-such-option" in capsys.readouterr().err


@pytest.mark.parametrize("command", [command for command in COMMANDS if command not in ("eval", "models")])
def test_help_is_0(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == exit_codes.OK
    assert capsys.readouterr().out


def test_a_port_that_is_taken_is_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["serve", "--home", str(place / "home"), "--port", port]) == exit_codes.ERROR
    assert "is in use" in capsys.readouterr().err


def test_a_library_that_another_job_holds_is_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Library.open(place / "home") as library, library.exclusive():
        for line in (["rebuild"], ["verify"]):
            assert run([*line, "--home", str(place / "home")]) == exit_codes.ERROR
            assert "Wait for it to finish" in capsys.readouterr().err


def test_the_page_names_every_code_and_every_command() -> None:
    page = PAGE.read_text(encoding="utf-8")
    codes = {value for name, value in vars(exit_codes).items() if name.isupper()}
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == codes
    for command in COMMANDS:
        assert f"`{command}`" in page

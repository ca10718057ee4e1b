"""Every command that takes --json prints one document, all of it, and nothing at all when it fails midway."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deixis.cli import run
from deixis.command_table import COMMANDS
from deixis.lazy import load_command

# The library's own encoder knows colours and no patches.
_LOOKING = ("--model", "storybook-encoder")
# Command → (arguments, exit code, a key of its document). {pictures}, {notes} and {tmp} are filled in.
_CALLS = {
    "index": (["index", "{pictures}", "--model", "colour"], 0, "embedded"),
    "search": (["search", "a", "red", "kayak"], 0, "hits"),
    "duplicates": (["duplicates"], 0, "groups"),
    "caption": (["caption", "--captioner", "storybook-captioner"], 0, "captioned"),
    "read": (["read", "--threads", "1"], 0, "pictures"),
    "captions list": (["captions", "list"], 0, "sources"),
    "captions use": (["captions", "use", "storybook-captioner"], 0, "told"),
    "captions drop": (["captions", "drop", "storybook-captioner", "--yes"], 0, "captions"),
    "export-library": (["export-library", "{tmp}/exported"], 0, "counts"),
    "import-library": (["import-library", "{tmp}/exported", "--home", "{tmp}/new"], 0, "counts"),
    "captions forget": (["captions", "forget", "import"], 0, "texts"),
    "import": (["import", "{notes}"], 0, "already_there"),
    "jobs list": (["jobs", "list"], 0, "jobs"),
    "jobs show": (["jobs", "show", "{job}"], 0, "events"),
    "jobs pause": (["jobs", "pause", "{job}"], 0, "state"),
    "jobs resume": (["jobs", "resume", "{job}"], 0, "state"),
    "jobs cancel": (["jobs", "cancel", "{job}"], 0, "state"),
    "jobs retry": (["jobs", "retry", "{job}"], 0, "state"),
    "keys add": (["keys", "add", "phone"], 0, "key"),
    "keys list": (["keys", "list"], 0, "keys"),
    "keys revoke": (["keys", "revoke", "phone"], 0, "state"),
    "worker": (["worker", "--until-empty"], 0, "done"),
    "explain": (["explain", "{pictures}/red.png", "--query", "red", *_LOOKING, "--out", "{tmp}/x"], 0, "folder"),
    "forget": (["forget", "{pictures}/red.png"], 0, "files"),
    "classify": (["classify", "{pictures}/red.png", "--labels", "red,blue"], 0, "pictures"),
    "status": (["status"], 0, "images"),
    "verify": (["verify"], 0, "findings"),
    "rebuild": (["rebuild"], 0, "rebuilt"),
    "doctor": (["doctor", "--thorough"], 0, "checks"),
    "models list": (["models", "list"], 0, "models"),
    "eval retrieval": (["eval", "retrieval", "--captions", "{notes}"], 0, "text_to_image"),
    "eval relations": (["eval", "relations", "--scenes", "20", "--per-kind", "2"], 0, "runs"),
    "eval absent": (["eval", "absent", "--scenes", "20", "--per-kind", "2"], 0, "runs"),
    "eval classification": (["eval", "classification", "{pictures}/..", "--model", "colour"], None, "figures"),
    "eval captions": (["eval", "captions", "--captions", "{notes}", "--generated", "{notes}"], 0, "figures"),
    "eval grounding": (
        ["eval", "grounding", "--entities", "{entities}", "--pictures", "{entities}", "--by", "patches", *_LOOKING],
        0,
        "splits",
    ),
    "eval storybook": (["eval", "storybook", "--scenes", "10"], 0, None),
    "eval captioner": (["eval", "captioner", "--scenes", "10"], 0, None),
    "quality": (["quality", "storybook-encoder", "--scenes", "10"], None, "rows"),
    "export": (["export", "storybook-encoder", "--out", "{tmp}/e", "--precision", "float32"], 0, "parity"),
}  # fmt: skip


_CAPTIONED = ["caption", "--captioner", "storybook-captioner", "--quiet"]
_BEFORE: dict[str, list[list[str]]] = {
    "jobs resume": [["jobs", "pause", "{job}"]],
    "jobs retry": [["jobs", "cancel", "{job}"]],
    "keys revoke": [["keys", "add", "phone"]],
    "captions use": [_CAPTIONED],
    "captions drop": [_CAPTIONED],
    "import-library": [["export-library", "{tmp}/exported"]],
}


def _takes_json() -> set[str]:
    found = set()
    for name, row in COMMANDS.items():
        if ":" in row.target:
            first, _, second = name.partition(" ")
            command = load_command(first)
            command = command.commands[second] if second else command
            found |= {name} if any("--json" in param.opts for param in command.params) else set()
    return found


def test_the_table_below_has_every_command_that_takes_json() -> None:
    assert set(_CALLS) == _takes_json()


@pytest.mark.parametrize("name", _CALLS)
def test_the_output_is_one_document(
    name: str, colour_home: Path, made_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code, key = _CALLS[name]
    places: dict[str, Path | int] = {name: made_home.parent / name for name in ("pictures", "entities")}
    places |= {"notes": made_home.parent / "notes.jsonl", "tmp": tmp_path}
    if name.startswith("jobs "):
        assert run(["rebuild", "--queue", "--json"]) == 0
        places["job"] = json.loads(capsys.readouterr().out)["job"]
    for before in _BEFORE.get(name, []):
        assert run([one.format(**places) for one in before]) == 0
    capsys.readouterr()
    found = run([*(one.format(**places) for one in arguments), "--json"])
    shown = capsys.readouterr()
    assert found == code or (code is None and found in (0, 3)), shown.err
    document = json.loads(shown.out)
    assert isinstance(document, dict)
    assert key is None or key in document


@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "red"],
        ["status"],
        ["duplicates"],
        ["verify"],
        ["rebuild"],
        ["captions", "list"],
        ["captions", "forget", "import"],
        ["import", "{notes}"],
        ["eval", "retrieval", "--captions", "{notes}"],
    ],
    ids=" ".join,
)
def test_a_command_that_fails_prints_nothing_that_could_be_taken_for_an_answer(
    arguments: list[str], colour_home: Path, made_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(colour_home)
    capsys.readouterr()
    assert run([*(one.format(notes=made_home.parent / "notes.jsonl") for one in arguments), "--json"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "There is no library in" in shown.err

"""A job that is asked for on a page is the one that the same command would queue, to the last argument."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deixis.cli import run
from indexer.jobs.kinds import form_of
from search.errors import QueryError
from search.jobs.rows import list_jobs, show_job
from search.jobs.wishes import WISHES, wish_of
from search.library import Library
from search.settings import Settings, load_settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = tmp_path / "home"
    with Library.open(made, create=True):
        return made


@pytest.mark.parametrize(
    ("command", "kind", "given"),
    [
        ("index {folder}", "index", {"folders": ["{folder}"]}),
        ("index", "index", {}),
        ("index --retry-refused --rescan", "index", {"retry_refused": True, "rescan": True}),
        ("index --prune {folder}", "index", {"folders": ["{folder}"], "prune": True}),
        (
            "index {folder} --exclude raw/ --exclude *.psd --include raw/best/ --archives "
            "--no-follow-links --clear-rules",
            "index",
            {
                "folders": ["{folder}"],
                "exclude": ["raw/", "*.psd"],
                "include": ["raw/best/"],
                "archives": True,
                "follow_links": False,
                "clear_rules": True,
            },
        ),
        ("caption", "caption", {}),
        (
            "caption --captioner florence2-base --detail detailed --language en --precision int8 --retry-refused",
            "caption",
            {
                "captioner": "florence2-base",
                "detail": "detailed",
                "language": "en",
                "precision": "int8",
                "retry_refused": True,
            },
        ),
        (
            "caption --captioner {folder} --translator {folder}",
            "caption",
            {"captioner": "{folder}", "translator": "{folder}"},
        ),
        ("read", "read", {}),
        (
            "read --folder {folder} --thorough --retry-refused",
            "read",
            {"folder": "{folder}", "thorough": True, "retry_refused": True},
        ),
        ("rebuild", "rebuild", {"compact": False}),
        ("rebuild --compact", "rebuild", {"compact": True}),
    ],
)
@pytest.mark.parametrize(
    "environ",
    [
        {"THREADS": "1", "DECODE_WORKERS": "2"},
        {
            "THREADS": "3",
            "DECODE_WORKERS": "1",
            "MAX_PIXELS": "1000000",
            "MODEL": "colour",
            "MAX_ARCHIVE_BYTES": "99",
            "MAX_FILE_BYTES": "1000000",
            "CAPTIONER": "storybook-captioner",
        },
    ],
)
def test_it_is_what_the_command_queues(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    kind: str,
    given: dict[str, Any],
    environ: dict[str, str],
) -> None:
    folder = tmp_path / "some pictures"
    folder.mkdir()
    for name, value in {**environ, "HOME": str(home)}.items():
        monkeypatch.setenv(f"DEIXIS_{name}", value)
    words = [word.replace("{folder}", str(folder)) for word in command.split(" ")]
    assert run([*words, "--queue"]) == 0
    filled = {name: _filled(value, str(folder)) for name, value in given.items()}
    wish = wish_of(kind, filled, load_settings({f"DEIXIS_{k}": v for k, v in environ.items()}, home=home))
    with Library.open(home) as library:
        (job,) = list_jobs(library)
        queued = show_job(library, job.id).arguments
    assert (job.kind, wish.kind) == (kind, kind)
    assert wish.arguments == queued
    form = form_of(wish.kind, wish.arguments)
    assert form.lane == wish.lane


def _filled(value: Any, folder: str) -> Any:
    if isinstance(value, list):
        return [_filled(each, folder) for each in value]
    return value.replace("{folder}", folder) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("export", {}),
        ("watch", {}),
        ("", {}),
        ("index", {"folders": "/"}),
        ("index", {"folders": ["pictures"]}),
        ("index", {"folders": ["/nowhere/at/all"]}),
        ("index", {"folders": ["/\0"]}),
        ("index", {"folders": ["/" + "a" * 900]}),
        ("index", {"folders": [7]}),
        ("index", {"folders": ["/tmp"] * 101}),
        ("index", {"prune": "yes"}),
        ("index", {"replace_model": True}),
        ("caption", {"detail": "endless"}),
        ("caption", {"precision": "int1"}),
        ("caption", {"captioner": ""}),
        ("caption", {"captioner": "/etc/passwd"}),
        ("caption", {"translator": "no such preset"}),
        ("read", {"reader": "/nowhere/at/all"}),
        ("read", {"folder": ["/"]}),
        ("rebuild", {"compact": 1}),
    ],
)
def test_what_cannot_be_asked_for_is_refused(kind: str, given: dict[str, Any]) -> None:
    with pytest.raises(QueryError):
        wish_of(kind, given, Settings(home=Path("/nowhere")))


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("index", {"folders": ["{folder}"]}),
        ("index", {"folders": ["{folder}/known", "{folder}"]}),
        ("index", {"folders": ["{folder}/known/../new"]}),
        ("index", {"folders": ["{folder}/known and more"]}),
        ("index", {"folders": ["{folder}/known/\0"]}),
        ("index", {"folders": 7}),
        ("read", {"folder": "{folder}/new"}),
        ("read", {"reader": "{folder}/known"}),
        ("caption", {"captioner": "{folder}/known"}),
        ("caption", {"captioner": "owner/name"}),
        ("caption", {"captioner": ["kosmos2"]}),
        ("caption", {"translator": "{folder}/known"}),
    ],
)
def test_who_may_name_known_folders_names_no_other_file_of_the_server(
    tmp_path: Path, kind: str, given: dict[str, Any]
) -> None:
    for name in ("known", "known and more", "new"):
        (tmp_path / name).mkdir()
    filled = {name: _filled(value, str(tmp_path)) for name, value in given.items()}
    with pytest.raises(QueryError):
        wish_of(kind, filled, Settings(home=tmp_path), [f"{tmp_path}/known"])


def test_known_folders_presets_and_the_captioner_of_the_server_are_for_everybody(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, captioner=str(tmp_path))
    for kind, given in (
        ("index", {"folders": [str(tmp_path)]}),
        ("read", {"folder": str(tmp_path), "reader": "rapidocr"}),
        ("caption", {"captioner": str(tmp_path), "translator": "m2m100"}),
        ("caption", {"captioner": "kosmos2"}),
    ):
        wish = wish_of(kind, given, settings, [str(tmp_path)])
        assert form_of(wish.kind, wish.arguments).lane == wish.lane


def test_every_kind_has_a_form() -> None:
    for kind in WISHES:
        wish = wish_of(kind, {}, Settings(home=Path("/nowhere")))
        assert form_of(kind, wish.arguments).lane == wish.lane

"""Real folders, a real watcher beside the test: what changes is found, what is half-written is waited for."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from indexer.mounts import Mount
from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from indexer.report import IndexReport, Progress
from indexer.roots import RuleChange
from indexer.watching.watch import Ears, WatchOptions, watch_library
from search.db.roots import add_root
from search.db.schema import Caption, File
from search.library import Library
from search.maintenance import verify
from vision.encoders.colour import ColourEncoder

Draw = Callable[..., Path]
OPTIONS = IndexOptions(decode_workers=1)


class Over(KeyboardInterrupt):
    """The test has seen enough."""


class Watcher:
    """A thread that watches, with a library of its own, as a process would."""

    def __init__(self, home: Path, url: str, encoder: ColourEncoder, options: WatchOptions) -> None:
        self.said: list[str] = []
        self.told: list[IndexReport] = []
        self.ticks = 0
        self.ended: BaseException | None = None
        self._over = threading.Event()
        self._stopping = False
        self._home, self._url, self._encoder, self._options = home, url, encoder, options
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        try:
            with Library.open(self._home, self._url) as library:
                ears = Ears(self._step, self.said.append, self.told.append)
                watch_library(library, lambda: self._encoder, self._options, ears)
        except BaseException as error:
            self.ended = error

    def _step(self, step: Progress) -> None:
        self.ticks += step.stage == "watching"
        if self._over.is_set() and not self._stopping:  # Once, as a user would: the second time leaves work undone.
            self._stopping = True
            raise Over

    def stop(self) -> None:
        self._over.set()
        self._thread.join(60)
        assert not self._thread.is_alive()
        assert isinstance(self.ended, Over), self.ended


@pytest.fixture
def library(sqlite_library: Library) -> Library:
    """On SQLite alone, but for the test that does a bit of everything."""
    return sqlite_library


@pytest.fixture
def watch(encoder: ColourEncoder) -> Iterator[Callable[..., Watcher]]:
    begun: list[Watcher] = []

    def begin(library: Library, **options: float) -> Watcher:
        url = library.engine.url.render_as_string(hide_password=False)
        begun.append(Watcher(library.home, url, encoder, WatchOptions(OPTIONS, **options)))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    for watcher in begun:
        if watcher.ended is None:
            watcher.stop()


def shown(library: Library, pictures: Path) -> set[str]:
    with library.read() as session:
        paths = session.scalars(select(File.path).where(File.state == "indexed"))
        return {os.path.relpath(path, pictures) for path in paths}


def until(true: Callable[[], bool], watcher: Watcher, what: Callable[[], object] = lambda: None) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert watcher.ended is None, watcher.ended
        assert time.monotonic() < ends, (what(), watcher.said)
        time.sleep(0.05)


def until_shown(library: Library, pictures: Path, wanted: set[str], watcher: Watcher) -> None:
    until(lambda: shown(library, pictures) == wanted, watcher, lambda: shown(library, pictures))


def let_pass(watcher: Watcher, ticks: int) -> None:
    """Give it time to do what it is not to do."""
    since = watcher.ticks
    until(lambda: watcher.ticks >= since + ticks, watcher)


def test_whatever_happens_to_folders_is_found(
    home: Path, database_url: str, pictures: Path, draw: Draw, encoder: ColourEncoder, watch: Callable[..., Watcher]
) -> None:
    with Library.open(home, database_url, create=True) as library:
        anything_happens(library, pictures, draw, encoder, watch)


def anything_happens(
    library: Library, pictures: Path, draw: Draw, encoder: ColourEncoder, watch: Callable[..., Watcher]
) -> None:
    draw("a.png")
    index_paths(library, encoder, [pictures], OPTIONS)
    draw("while-nobody-watched.png", "green")
    watcher = watch(library)
    known = {"a.png", "while-nobody-watched.png"}
    until_shown(library, pictures, known, watcher)

    draw("new.png", "blue")
    draw("deep/er/new.png", "yellow")
    until_shown(library, pictures, known := known | {"new.png", "deep/er/new.png"}, watcher)

    (pictures / "deep").rename(pictures / "moved")
    draw("moved/er/later.png", "orange")
    until_shown(
        library, pictures, known := known - {"deep/er/new.png"} | {"moved/er/new.png", "moved/er/later.png"}, watcher
    )
    let_pass(watcher, 1)
    assert sum(report.embedded for report in watcher.told) == 4, "what only moved is not embedded again"

    (pictures / "a.png").unlink()
    shutil.rmtree(pictures / "moved")
    until_shown(library, pictures, known - {"a.png", "moved/er/new.png", "moved/er/later.png"}, watcher)

    draw("private/no.png", "purple")
    (pictures / "private/.deixisignore").write_text("*\n")
    draw("yes.png", "purple", (50, 30))
    until_shown(library, pictures, {"while-nobody-watched.png", "new.png", "yes.png"}, watcher)
    watcher.stop()
    assert verify(library).findings == []


def test_a_half_written_file_is_waited_for(
    library: Library, pictures: Path, tmp_path: Path, encoder: ColourEncoder, draw: Draw, watch: Callable[..., Watcher]
) -> None:
    draw("a.png")
    index_paths(library, encoder, [pictures], OPTIONS)
    watcher = watch(library)
    whole = tmp_path / "whole.jpg"
    Image.effect_noise((400, 300), 60).convert("RGB").save(whole)
    data = whole.read_bytes()
    folder = pictures / "new"
    folder.mkdir()
    # In a new folder: it is the folder that is told of first.
    with open(folder / "slow.jpg", "wb") as file:
        for part in range(12):
            file.write(data[part * len(data) // 12 : (part + 1) * len(data) // 12])
            file.flush()
            let_pass(watcher, 1)
    until_shown(library, pictures, {"a.png", "new/slow.jpg"}, watcher)
    watcher.stop()
    assert [report.refused + report.cut_short for report in watcher.told] == [[]], "it was looked at once, when whole"


def test_a_sidecar_and_an_exclude_are_heard(
    library: Library, pictures: Path, encoder: ColourEncoder, draw: Draw, watch: Callable[..., Watcher]
) -> None:
    draw("a.png")
    index_paths(library, encoder, [pictures], IndexOptions(decode_workers=1, rules=RuleChange(exclude=("raw/",))))
    watcher = watch(library)
    let_pass(watcher, 2)
    draw("raw/b.png", "blue")
    (pictures / "a.json").write_text("{}")
    (pictures / "a.png.json").write_text('{"title": "a.png", "description": "A grey seal", "url": "x"}')

    def captions() -> int:
        with library.read() as session:
            return len(session.scalars(select(Caption.id)).all())

    until(lambda: captions() == 1, watcher)
    let_pass(watcher, 8)
    assert shown(library, pictures) == {"a.png"}


def test_a_root_that_goes_takes_nothing_with_it_and_is_heard_when_it_is_back(
    library: Library, pictures: Path, tmp_path: Path, encoder: ColourEncoder, draw: Draw, watch: Callable[..., Watcher]
) -> None:
    for number in range(3):
        draw(f"{number}.png", "red", (20 + number, 20))
    other = tmp_path / "other"
    other.mkdir()
    Image.new("RGB", (90, 20), "blue").save(other / "o.png")
    index_paths(library, encoder, [pictures, other], OPTIONS)
    known = {"0.png", "1.png", "2.png", "../other/o.png"}
    watcher = watch(library)
    let_pass(watcher, 2)
    pictures.rename(tmp_path / "unplugged")
    pictures.mkdir()
    let_pass(watcher, 10)
    assert shown(library, pictures) == known
    pictures.rmdir()
    until(lambda: any("is not there" in line for line in watcher.said), watcher)
    (other / "o.png").unlink()
    Image.new("RGB", (91, 20), "blue").save(other / "p.png")
    until_shown(library, pictures, known := known - {"../other/o.png"} | {"../other/p.png"}, watcher)
    (tmp_path / "unplugged").rename(pictures)
    until(lambda: any("is there again" in line for line in watcher.said), watcher)
    draw("new.png", "green")
    (pictures / "0.png").unlink()
    until_shown(library, pictures, known - {"0.png"} | {"new.png"}, watcher)


def test_where_nothing_is_told_it_is_scanned(
    library: Library, pictures: Path, encoder: ColourEncoder, draw: Draw, watch: Callable[..., Watcher],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    draw("a.png")
    index_paths(library, encoder, [pictures], OPTIONS)
    # The kernel's table as it is where this folder is a share: there is none to mount in a test.
    monkeypatch.setattr("indexer.watching.watch.mount_table", lambda: [Mount("nfs4", "nas:/p", str(pictures), 0)])
    watcher = watch(library, silent_every_s=0.5)
    let_pass(watcher, 2)
    draw("b.png", "blue")
    (pictures / "a.png").unlink()
    until_shown(library, pictures, {"b.png"}, watcher)
    assert not [one for one in threading.enumerate() if one.name.startswith("listener")]


def test_another_job_is_waited_for_and_no_other_is_held_up(
    library: Library, pictures: Path, encoder: ColourEncoder, draw: Draw, watch: Callable[..., Watcher]
) -> None:
    draw("a.png")
    index_paths(library, encoder, [pictures], OPTIONS)
    watcher = watch(library)
    let_pass(watcher, 4)
    with library.working("pictures"):
        draw("b.png", "blue")
        let_pass(watcher, 12)
        assert shown(library, pictures) == {"a.png"}
    until_shown(library, pictures, {"a.png", "b.png"}, watcher)
    let_pass(watcher, 2)
    with library.exclusive():
        let_pass(watcher, 4)


def test_what_is_indexed_first_is_waited_for_and_then_watched(
    library: Library, pictures: Path, encoder: ColourEncoder, draw: Draw, watch: Callable[..., Watcher]
) -> None:
    draw("a.png")
    watcher = watch(library)
    let_pass(watcher, 2)
    assert any("waiting for `deixis index" in line for line in watcher.said)
    index_paths(library, encoder, [pictures], OPTIONS)
    draw("b.png", "blue")
    until_shown(library, pictures, {"a.png", "b.png"}, watcher)


def test_files_that_are_roots_are_followed_and_addresses_are_let_be(
    library: Library, pictures: Path, encoder: ColourEncoder, draw: Draw, watch: Callable[..., Watcher]
) -> None:
    paths = [draw(f"{name}.png", "red", (20 + place, 20)) for place, name in enumerate("ab")]
    draw("c.png", "green")
    index_paths(library, encoder, paths, OPTIONS)
    with library.write() as session:
        add_root(session, "https://example.org")
    watcher = watch(library)
    until(lambda: watcher.ticks > 8, watcher)
    draw("new.png", "blue").replace(paths[0])
    paths[1].unlink()
    until(lambda: bool(watcher.told and watcher.said), watcher)
    assert sum(report.embedded for report in watcher.told) == 1
    assert watcher.said == [f"{paths[1]} is not there; what is known of it stays as it is"]
    assert shown(library, pictures) == {"a.png", "b.png"}


def test_its_own_home_is_no_folder_of_pictures(
    library: Library, home: Path, tmp_path: Path, pictures: Path, encoder: ColourEncoder, draw: Draw,
    watch: Callable[..., Watcher],
) -> None:  # fmt: skip
    draw("a.png")
    index_paths(library, encoder, [tmp_path], OPTIONS)
    watcher = watch(library)
    let_pass(watcher, 2)
    told = len(watcher.told)
    Image.new("RGB", (90, 20), "blue").save(home / "previews" / "x.png")
    # Writing to it makes changes that must not keep it busy for ever.
    draw("b.png", "blue")
    until_shown(library, pictures, {"a.png", "b.png"}, watcher)
    let_pass(watcher, 10)
    assert len(watcher.told) == told + 1


def test_a_storm_of_changes_starves_nobody(
    library: Library, pictures: Path, encoder: ColourEncoder, draw: Draw, watch: Callable[..., Watcher]
) -> None:
    path = draw("a.png")
    index_paths(library, encoder, [pictures], OPTIONS)
    watcher = watch(library)
    let_pass(watcher, 2)
    over = threading.Event()

    def storm() -> None:
        number = 0
        while not over.wait(0.001):
            (pictures / "journal.txt").write_text(str(number))
            (pictures / f"{number % 50}.tmp").touch()
            number += 1

    thread = threading.Thread(target=storm)
    thread.start()
    try:
        for number in range(800):
            shutil.copy(path, pictures / f"copy{number}.png")
        until(lambda: len(shown(library, pictures)) == 801, watcher, lambda: len(shown(library, pictures)))
        (pictures / "copy7.png").unlink()
        until(lambda: len(shown(library, pictures)) == 800, watcher)
    finally:
        over.set()
        thread.join()

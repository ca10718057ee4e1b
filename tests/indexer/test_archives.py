"""Pictures in archives: found, found again, moved, gone, described and forgotten as if they lay in folders."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Pictures
from sqlalchemy import select

from indexer.caption import caption_library
from indexer.forget import forget
from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from indexer.report import IndexReport
from indexer.roots import RuleChange
from search.db.archives import known_archives
from search.db.schema import Archive, Caption, File, TextBody
from search.library import Library
from search.maintenance import verify
from search.results import SearchRequest
from search.service import SearchService
from tests.vision.grounding.conftest import save_captioner
from vision.archives.listing import list_archive
from vision.encoders.colour import ColourEncoder
from vision.grounding.kosmos2 import Kosmos2Captioner

OPTIONS = IndexOptions(decode_workers=1, batch_size=4)
OPEN = IndexOptions(decode_workers=1, batch_size=4, rules=RuleChange(archives=True))
FILES = ("a.png", "beach/b.png", "beach/c.png")
Pack = Callable[[Path, Mapping[str, bytes]], Path]


def picture(colour: str = "red", width: int = 48) -> bytes:
    file = io.BytesIO()
    Pictures.new("RGB", (width, 32), colour).save(file, "PNG")
    return file.getvalue()


def three() -> dict[str, bytes]:
    return {name: picture(("red", "green", "blue")[number], 40 + number) for number, name in enumerate(FILES)}


def pack_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6)), data)
    return path


def pack_tar(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


PACKERS: dict[str, Pack] = {"x.zip": pack_zip, "x.tar": pack_tar, "x.tgz": pack_tar}


def states(library: Library, below: Path) -> dict[str, str]:
    with library.read() as session:
        return {
            path.removeprefix(f"{below}/"): state
            for path, state in session.execute(select(File.path, File.state))
            if path.startswith(f"{below}/")
        }


def said(library: Library) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with library.read() as session:
        for body, source in session.execute(select(TextBody.body, Caption.source).join(Caption)):
            found.setdefault(source, set()).add(body)
    return found


def codes(report: IndexReport) -> Counter[str]:
    return Counter(file.reason.partition(":")[0] for file in report.refused)


@pytest.mark.parametrize("name", PACKERS)
def test_a_named_archive_is_opened_and_read_only_once(
    library: Library, encoder: ColourEncoder, tmp_path: Path, name: str
) -> None:
    archive = PACKERS[name](tmp_path / name, three())
    assert index_paths(library, encoder, [archive], OPTIONS).embedded == 3
    assert states(library, archive) == dict.fromkeys(FILES, "indexed")
    hits = SearchService(library, encoder).search(SearchRequest(text="folder:beach name:b")).hits
    assert [hit.path for hit in hits] == [f"{archive}/beach/b.png"]
    with library.read() as session:
        assert known_archives(session, str(archive))[str(archive)].members == 3
    # Not one byte of it is looked at: what its file says is what it said, and that is all that is asked.
    info = archive.stat()
    with library.write() as session:
        row = session.scalar(select(Archive))
        assert row is not None
        archive.write_bytes(bytes(info.st_size))
        row.mtime_ns, row.ctime_ns = archive.stat().st_mtime_ns, archive.stat().st_ctime_ns
    report = index_paths(library, encoder, [archive], OPTIONS)
    assert (report.unchanged, report.embedded, report.refused) == (3, 0, [])
    assert verify(library).findings == []


@pytest.mark.parametrize("name", PACKERS)
def test_what_changes_in_an_archive_is_all_that_is_embedded(
    library: Library, encoder: ColourEncoder, tmp_path: Path, name: str
) -> None:
    files = three()
    archive = PACKERS[name](tmp_path / name, files)
    index_paths(library, encoder, [archive], OPTIONS)
    files = {"new.png": picture("pink", 60), "a.png": picture("black", 61), "beach/b.png": files["beach/b.png"]}
    PACKERS[name](archive, files)
    report = index_paths(library, encoder, [], OPTIONS)
    assert (report.embedded, report.unchanged + report.reused, report.missing) == (2, 1, 1)
    assert states(library, archive) == {
        "new.png": "indexed", "a.png": "indexed", "beach/b.png": "indexed", "beach/c.png": "missing",
    }  # fmt: skip
    archive.touch()
    report = index_paths(library, encoder, [], OPTIONS)
    assert (report.embedded, report.unchanged) == (0, 3)


@pytest.mark.parametrize("name", PACKERS)
def test_pictures_move_and_vanish_with_their_archive(
    library: Library, encoder: ColourEncoder, pictures: Path, name: str
) -> None:
    archive = PACKERS[name](pictures / name, three())
    index_paths(library, encoder, [pictures], OPEN)
    (pictures / "moved").mkdir()
    moved = archive.rename(pictures / "moved" / name)
    report = index_paths(library, encoder, [], OPTIONS)
    assert (report.embedded, report.reused, report.missing) == (0, 3, 3)
    assert set(states(library, moved).values()) == {"indexed"}
    (pictures / "one.png").write_bytes(picture("pink", 70))
    moved.rename(pictures.parent / "aside")
    assert index_paths(library, encoder, [], OPTIONS).missing == 3
    (pictures.parent / "aside").rename(moved)
    report = index_paths(library, encoder, [], OPTIONS)
    assert (report.embedded, report.reused + report.unchanged) == (0, 4)
    moved.unlink()
    index_paths(library, encoder, [], replace(OPTIONS, prune=True))
    assert states(library, moved) == {}
    pack_zip(moved, three())
    assert index_paths(library, encoder, [], OPTIONS).embedded == 3
    assert verify(library).findings == []


def test_archives_in_folders_wait_until_they_are_asked_for(
    library: Library, encoder: ColourEncoder, pictures: Path
) -> None:
    archive = pack_zip(pictures / "x.zip", three())
    pack_tar(pictures / "y.tar", {"d.png": picture("pink", 90)})
    report = index_paths(library, encoder, [pictures], OPTIONS)
    assert [(entry.kind, entry.folder) for entry in report.passed_over] == [("archive", False)] * 2
    assert index_paths(library, encoder, [archive], OPTIONS).embedded == 3
    assert index_paths(library, encoder, [], OPTIONS).unchanged == 3  # as it was named, it stays open
    assert index_paths(library, encoder, [pictures], OPEN).embedded == 1
    assert index_paths(library, encoder, [], OPTIONS).unchanged == 4
    shut = replace(OPTIONS, rules=RuleChange(archives=False))
    assert index_paths(library, encoder, [pictures], shut).excluded == 1


def test_rules_hold_in_archives_and_open_them_anew_when_they_change(
    library: Library, encoder: ColourEncoder, pictures: Path
) -> None:
    archive = pack_zip(
        pictures / "x.zip",
        {**three(), "__MACOSX/._a.png": picture(), "beach/.hidden.png": picture(), "Thumbs.db": b"x"},
    )
    report = index_paths(library, encoder, [pictures], OPEN)
    assert report.embedded == 3
    assert {(Path(entry.path).name, entry.kind) for entry in report.passed_over} == {
        ("__MACOSX", "system"), (".hidden.png", "hidden"),
    }  # fmt: skip
    without = replace(OPTIONS, rules=RuleChange(exclude=("beach/",)))
    report = index_paths(library, encoder, [pictures], without)
    assert (report.unchanged, report.excluded) == (1, 2)
    assert states(library, archive)["beach/b.png"] == "missing"
    with_one = replace(OPTIONS, rules=RuleChange(include=("/x.zip/beach/b.png",)))
    index_paths(library, encoder, [pictures], with_one)
    assert states(library, archive) == {"a.png": "indexed", "beach/b.png": "indexed", "beach/c.png": "missing"}
    (pictures / ".deixisignore").write_text("a.png\n")
    assert index_paths(library, encoder, [], OPTIONS).excluded == 1
    (pictures / ".deixisignore").write_text("*.zip\n")
    index_paths(library, encoder, [], OPTIONS)
    # What a person asked for by its path goes before an ignore file; the archive around it is left out all the same.
    assert "indexed" not in {state for name, state in states(library, archive).items() if name != "beach/b.png"}


def test_bad_members_cost_themselves_and_are_told_at_every_run(
    library: Library, encoder: ColourEncoder, tmp_path: Path
) -> None:
    archive = tmp_path / "x.tar"
    with tarfile.open(archive, "w") as packed:
        for name, data in [
            *three().items(),
            ("../out.png", picture()),
            ("in.zip", b"PK"),
            ("bad.png", b"x"),
            ("a.png", b"y"),
        ]:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        packed.addfile(link)
    report = index_paths(library, encoder, [archive], OPTIONS)
    expected = Counter(unsafe_name=1, duplicate_name=1, nested_archive=1, not_an_image=2, not_a_file=1)
    assert (report.embedded, codes(report)) == (2, expected)
    again = index_paths(library, encoder, [archive], OPTIONS)
    assert (again.unchanged, codes(again)) == (2, expected)
    assert {file.earlier for file in again.refused if "name" not in file.reason.partition(":")[0]} == {True}
    assert verify(library).findings == []


def test_an_archive_that_cannot_be_read_removes_nothing(
    library: Library, encoder: ColourEncoder, pictures: Path
) -> None:
    archive = pack_zip(pictures / "x.zip", three())
    index_paths(library, encoder, [pictures], OPEN)
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-40])
    report = index_paths(library, encoder, [], OPTIONS)
    assert (report.unavailable, report.missing, codes(report)) == (3, 0, Counter(corrupt=1))
    archive.write_bytes(b"no archive at all")
    report = index_paths(library, encoder, [], OPTIONS)
    assert (report.unavailable, codes(report)) == (3, Counter(corrupt=1))
    archive.write_bytes(whole)
    assert index_paths(library, encoder, [], OPTIONS).unchanged == 3


@pytest.mark.parametrize("part", [1, 2])
def test_archives_are_compared_in_parts_of_any_size(
    library: Library, encoder: ColourEncoder, pictures: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr("indexer.scan._PART", part)
    monkeypatch.setattr("indexer.remembered._PAGE", part)
    pack_zip(pictures / "x.zip", three())
    (pictures / "x.zip-b.png").write_bytes(picture("black", 60))
    assert index_paths(library, encoder, [pictures], OPEN).embedded == 4
    monkeypatch.setattr("indexer.archives.list_archive", None)  # as it was: it is not read
    second = index_paths(library, encoder, [], OPTIONS)
    assert (second.unchanged, second.missing, second.refused) == (4, 0, [])
    monkeypatch.undo()
    monkeypatch.setattr("indexer.scan._PART", part)
    pack_zip(pictures / "x.zip", {name: data for name, data in three().items() if name != "beach/b.png"})
    third = index_paths(library, encoder, [], OPTIONS)
    assert (third.embedded, third.unchanged, third.reused, third.missing) == (
        0,
        2,
        1,
        1,
    )  # one lies elsewhere in it now
    assert verify(library).findings == []


def test_the_texts_of_a_shard_are_captions_of_its_pictures(
    library: Library, encoder: ColourEncoder, tmp_path: Path
) -> None:
    shard = {
        "0.jpg.png": picture("red", 40), "0.txt": b"a crimson quokka\n",
        "0.json": json.dumps({"caption": "zorblax", "url": 7}).encode(),
        "1.png": picture("blue", 41), "1.json": b'{"captions": ["one", "two"], "deep": {"caption": "no"}}',
        "2.png": picture("green", 42), "2.json": b"[[[[", "2.txt": b"\xff\xfe\x00bad",
        "d/3.png": picture("pink", 43), "d/3.cls": b"7", "3.txt": b"of another folder",
    }  # fmt: skip
    archive = pack_tar(tmp_path / "x.tar", shard)
    assert index_paths(library, encoder, [archive], OPTIONS).embedded == 4
    assert said(library)["webdataset"] >= {"a crimson quokka", "zorblax", "one", "two"}
    assert not said(library)["webdataset"] & {"no", "of another folder", "7"}
    hit = SearchService(library, encoder).search(SearchRequest(text="quokka")).hits[0]
    assert hit.path == f"{archive}/0.jpg.png"
    pack_tar(archive, {**shard, "0.txt": b"a vermilion quokka"})
    index_paths(library, encoder, [archive], OPTIONS)
    assert "a vermilion quokka" in said(library)["webdataset"]
    assert "a crimson quokka" not in said(library)["webdataset"]
    index_paths(library, encoder, [], OPTIONS)
    assert "a vermilion quokka" in said(library)["webdataset"]


def test_takeout_speaks_of_pictures_in_its_own_archives(
    library: Library, encoder: ColourEncoder, tmp_path: Path
) -> None:
    takeout = {"title": "a.png", "description": "zorblax", "photoTakenTime": {"timestamp": "1700000000"}}
    files = {
        "Photos/a.png": picture(), "Photos/a.png.supplemental-metadata.json": json.dumps(takeout).encode(),
        "Photos/a.txt": b"not a shard", "other/a.png": picture("blue", 50),
    }  # fmt: skip
    index_paths(library, encoder, [pack_zip(tmp_path / "takeout.zip", files)], OPTIONS)
    assert said(library) == {"takeout": {"zorblax"}}


def test_pictures_in_archives_are_captioned(
    sqlite_library: Library, encoder: ColourEncoder, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    captioner = Kosmos2Captioner(save_captioner(tmp_path_factory.mktemp("captioner")), name="tiny", threads=1)
    archive = pack_tar(tmp_path / "x.tgz", three())
    index_paths(sqlite_library, encoder, [archive], OPTIONS)
    report = caption_library(sqlite_library, encoder, captioner)
    assert report.captioned + report.silent == 3
    assert report.refused == []
    shutil.move(archive, tmp_path / "aside")
    assert caption_library(sqlite_library, encoder, captioner).captioned == 0


def test_an_archive_or_a_member_is_forgotten_and_stays_so(
    library: Library, encoder: ColourEncoder, pictures: Path
) -> None:
    pack_zip(pictures / "x.zip", three())
    pack_tar(pictures / "y.tar", {"d.png": picture("pink", 90), "e.png": picture("black", 91)})
    assert index_paths(library, encoder, [pictures], OPEN).embedded == 5
    report = forget(library, [pictures / "x.zip", pictures / "y.tar" / "d.png"])
    assert (report.files, report.pictures) == (4, 4)
    report_after = index_paths(library, encoder, [], OPTIONS)
    assert (report_after.embedded, report_after.unchanged) == (0, 1)
    assert states(library, pictures) == {"y.tar/e.png": "indexed"}
    assert index_paths(library, encoder, [pictures / "x.zip"], OPTIONS).embedded == 3
    assert verify(library).findings == []


def test_hostile_member_names_are_only_names(library: Library, encoder: ColourEncoder, tmp_path: Path) -> None:
    names = ['<img src=x onerror=alert(1)>".png', "שלום.png", "a b\t.png", "x" * 200 + ".png"]
    archive = pack_zip(tmp_path / "x.zip", {name: picture("red", 30 + n) for n, name in enumerate(names)})
    assert index_paths(library, encoder, [archive], OPTIONS).embedded == 4
    assert set(states(library, archive)) == set(list_archive(str(archive)).members) == set(names)
    assert index_paths(library, encoder, [archive], OPTIONS).unchanged == 4

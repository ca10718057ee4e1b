"""What nobody means by "my pictures" is passed over, counted, and written down."""

from __future__ import annotations

import fnmatch
from pathlib import Path

import pytest

from indexer.passed_over import BUILT_IN, KINDS, MARKED_FOLDERS, ONLY_ORIGINALS, kind_of, kind_of_marked
from indexer.scan import ScanOptions, scan_root

PAGE = Path(__file__).resolve().parents[2] / "docs" / "folders.md"
JPEG = b"\xff\xd8\xff one"


def test_the_page_shows_the_table_and_nothing_else() -> None:
    page = PAGE.read_text(encoding="utf-8")
    shown = {line for line in page.splitlines() if line.startswith("| ")}
    for names in BUILT_IN:
        folders, files = (" ".join(f"`{name}`" for name in some.split()) for some in (names.folders, names.files))
        row = f"| {names.kind} | {names.whose} | {folders} | {files} |"
        assert row in shown
        shown.discard(row)
    kinds = {f"| `{kind}` | {words} |" for kind, words in KINDS.items()}
    originals = {f"| `{name}` | {', '.join(f'`{one}`' for one in only)} |" for name, only in ONLY_ORIGINALS.items()}
    assert kinds | originals <= shown
    assert all(
        any(line.startswith(f"| `{marker}` | {kind} |") for line in shown)
        for marker, (kind, _) in MARKED_FOLDERS.items()
    )
    heads = {
        "| kind | whose | folders | files |",
        "| library | looked at |",
        "| file | kind | folders of the name |",
        "| kind | in the report |",
    }
    assert len(shown - kinds - originals - heads) == len(MARKED_FOLDERS)


def test_every_name_of_the_table_is_of_its_kind_and_every_kind_is_known() -> None:
    for names in BUILT_IN:
        assert names.kind in KINDS
        for which, folder in ((names.folders, True), (names.files, False)):
            for pattern in which.split():
                parent, _, name = pattern.rpartition("/")
                for plain in (name.replace("[0-9]", "0").replace("*", "a").replace("?", " "), name.upper()):
                    if fnmatch.fnmatch(plain.casefold(), name.casefold()):
                        assert kind_of(parent, plain, folder=folder) is not None, pattern


@pytest.mark.parametrize(
    ("parent", "name", "folder", "kind"),
    [
        ("photo", "@eaDir", True, "thumbnails"),
        ("photo", "@EADIR", True, "thumbnails"),
        ("share", "#recycle", True, "recycle"),
        ("share", "$Recycle.Bin", True, "recycle"),
        ("share", "System Volume Information", True, "system"),
        ("share", "found.017", True, "system"),
        ("DCIM", ".thumbnails", True, "thumbnails"),
        ("DCIM", ".trashed-1700000000-IMG_1.jpg", False, "recycle"),
        ("DCIM", ".pending-1700000000-IMG_1.jpg", False, "unfinished"),
        ("x", "._IMG_1.jpg", False, "system"),
        ("x", "IMG_1.jpg.part", False, "unfinished"),
        ("x", "IMG_1.jpg.crdownload", False, "unfinished"),
        ("x", "~$IMG.jpg", False, "unfinished"),
        ("x", ".IMG_1.jpg.Ab12xY", False, "unfinished"),
        ("x", ".secret.jpg", False, "hidden"),
        ("x", ".secret", True, "hidden"),
        ("M4ROOT", "THMBNL", True, "thumbnails"),
        ("x", "THMBNL", True, None),
        ("CaptureOne", "Cache", True, "thumbnails"),
        ("x", "Cache", True, None),
        ("Holiday.photoslibrary", "originals", True, None),
        ("Holiday.photoslibrary", "resources", True, "catalogues"),
        ("Old.photolibrary", "Masters", True, None),
        ("x", "resources", True, None),
        ("x", "recycle", True, None),
        ("x", "a.download.jpg", False, None),
        ("x", "tmp.jpg", False, None),
        ("x", "thumbs", True, None),
        ("x", "Previews.lrdata", True, "thumbnails"),
        ("x", "node_modules", True, None),
    ],
)
def test_names_that_people_meet(parent: str, name: str, folder: bool, kind: str | None) -> None:
    assert kind_of(parent, name, folder=folder) == kind


def test_a_folder_of_thumbs_is_immichs_only_where_immich_says_so() -> None:
    assert kind_of_marked("thumbs", ".immich") == "thumbnails"
    assert kind_of_marked("library", ".immich") is None
    assert kind_of_marked("anything", ".nomedia") == "nomedia"
    assert kind_of_marked("anything", "notes.txt") is None


def test_pictures_of_systems_are_passed_over_and_named_by_kind(tmp_path: Path) -> None:
    good = ["a.jpg", "deep/b.jpg", "Lib.photoslibrary/originals/0/c.jpg"]
    bad = {
        "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg": ("@eaDir", "thumbnails", True),
        "#recycle/x.jpg": ("#recycle", "recycle", True),
        "deep/.nomedia": ("deep/.nomedia", "hidden", False),
        "Lib.photoslibrary/resources/derivatives/d.jpg": ("Lib.photoslibrary/resources", "catalogues", True),
        "half.jpg.part": ("half.jpg.part", "unfinished", False),
        "._a.jpg": ("._a.jpg", "system", False),
        "up/thumbs/t.jpg": ("up/thumbs/t.jpg", "", False),
    }
    for name in (*good, *bad):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(JPEG)
    (tmp_path / "deep" / ".nomedia").unlink()
    (tmp_path / "up" / "thumbs" / ".immich").touch()
    (tmp_path / "phone" / "private").mkdir(parents=True)
    (tmp_path / "phone" / ".nomedia").touch()
    (tmp_path / "phone" / "private" / "p.jpg").write_bytes(JPEG)
    scan = scan_root(str(tmp_path), {})
    assert sorted(fact.path for fact in scan.work) == sorted(str(tmp_path / name) for name in good)
    found = {(str(Path(entry.path).relative_to(tmp_path)), entry.kind) for entry in scan.passed_over}
    expected = {(path, kind) for path, kind, _ in bad.values() if kind and ".nomedia" not in path}
    assert expected <= found
    assert {"nomedia", "thumbnails"} <= {kind for _, kind in found}
    assert scan.not_pictures == []
    assert ScanOptions().root is None

"""What changed about a file is told from what changed in the picture; both databases, real decoding children."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import func, select, update

from indexer.options import IndexOptions
from indexer.pipeline import index_paths
from search.db.annotations import CaptionFact, RegionFact, add_annotations
from search.db.schema import Caption, Embedding, File, Image, Region
from search.library import Library
from search.maintenance import verify
from search.previews import GALLERY_PX, PreviewStore
from vision.encoders.base import Encoder
from vision.encoders.colour import ColourEncoder
from vision.types import Box, Span

Draw = Callable[..., Path]
ONE_CHILD = IndexOptions(decode_workers=1, batch_size=4)
RESCAN = IndexOptions(decode_workers=1, batch_size=4, rescan=True)


def rewrite(path: Path, word: str) -> None:
    """What a program does that writes a keyword: other bytes, same pixels, by way of a temporary file."""
    info = PngInfo()
    info.add_text("Keywords", word)
    with Pillow.open(path) as picture:
        picture.save(path.with_suffix(".tmp"), "PNG", pnginfo=info)
    os.replace(path.with_suffix(".tmp"), path)


def image_at(library: Library, path: Path) -> Image:
    with library.read() as session:
        image = session.scalar(select(Image).join(File, File.image_id == Image.id).where(File.path == str(path)))
    assert image is not None
    return image


def annotate(library: Library, path: Path, text: str = "a red thing") -> None:
    with library.write() as session:
        region = RegionFact(phrase="thing", box=Box(0.0, 0.0, 0.5, 0.5), span=Span(6, 11), score=0.5)
        loose = RegionFact(phrase="corner", box=Box(0.5, 0.5, 1.0, 1.0), span=None, score=None)
        caption = CaptionFact(text=text, language="en", regions=(region,))
        add_annotations(session, image_at(library, path).id, [caption], [loose], "import")


def said_of(library: Library, path: Path) -> tuple[int, int]:
    image_id = image_at(library, path).id
    with library.read() as session:
        count = [session.scalar(select(func.count()).where(table.image_id == image_id)) for table in (Caption, Region)]
    return count[0] or 0, count[1] or 0


def count(library: Library, table: type[Image] | type[Embedding] | type[File]) -> int:
    with library.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def assert_sound(library: Library) -> None:
    assert verify(library).findings == []


def test_what_touches_only_the_file_costs_no_embedding(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    touched = [draw("chmod.png"), draw("link.png", "blue", (50, 30)), draw("rename.png", "green", (51, 30))]
    index_paths(library, encoder, [pictures], ONE_CHILD)
    touched[0].chmod(0o600)
    os.link(touched[1], pictures.parent / "elsewhere.png")
    touched[2].rename(pictures / "aside.png")
    (pictures / "aside.png").rename(touched[2])
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.reused, report.unchanged) == (0, 0, 3)
    with library.read() as session:
        noted = dict(session.execute(select(File.path, File.ctime_ns)).all())
    assert noted == {str(path): path.stat().st_ctime_ns for path in touched}
    assert_sound(library)


def test_a_change_that_keeps_size_and_date_is_seen(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = pictures / "a.bmp"
    Pillow.new("RGB", (40, 30), "red").save(path)
    draw("other.png")
    index_paths(library, encoder, [pictures], ONE_CHILD)
    before = path.stat()
    Pillow.new("RGB", (40, 30), "blue").save(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.unchanged) == (1, 1)


def test_a_library_that_knows_no_ctime_learns_it_without_reading_a_picture(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = draw("a.png")
    index_paths(library, encoder, [pictures], ONE_CHILD)
    with library.write() as session:
        session.execute(update(File).values(ctime_ns=None, device="1"))
        session.execute(update(Image).values(sha256="0" * 64))  # whoever reads the file would find another picture
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.unchanged) == (0, 1)
    with library.read() as session:
        assert session.scalar(select(File.ctime_ns)) == path.stat().st_ctime_ns
        assert session.scalar(select(File.device)) != "1"


def test_rescan_reads_every_file_and_fills_in_what_an_older_library_lacks(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = draw("a.png")
    index_paths(library, encoder, [pictures], ONE_CHILD)
    digest, seen = image_at(library, path).pixels_sha256, image_at(library, path).perceptual_hash
    for lacking in ({"pixels_sha256": None}, {"perceptual_hash": None}):
        with library.write() as session:
            session.execute(update(Image).values(lacking))
        report = index_paths(library, encoder, [pictures], RESCAN)
        assert (report.embedded, report.reused, report.unchanged) == (0, 0, 1)
        assert image_at(library, path).pixels_sha256 == digest is not None
        assert image_at(library, path).perceptual_hash == seen is not None
    # A disk that rots changes neither size nor any date.
    with library.write() as session:
        session.execute(update(Image).values(sha256="0" * 64, pixels_sha256=None))
    assert index_paths(library, encoder, [pictures], ONE_CHILD).unchanged == 1
    assert index_paths(library, encoder, [pictures], RESCAN).embedded == 1


def test_a_rewritten_picture_keeps_its_address_captions_boxes_and_vector(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = draw("a.png")
    draw("b.png", "blue", (50, 30))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    annotate(library, path)
    before, previews = image_at(library, path), PreviewStore(library.home)
    index_paths(library, encoder, [pictures], ONE_CHILD)
    vectors = count(library, Embedding)
    rewrite(path, "keyword")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    after = image_at(library, path)
    assert (report.embedded, report.rewritten, report.unchanged) == (0, 1, 1)
    assert after.id == before.id
    assert after.sha256 != before.sha256
    assert after.size_bytes == path.stat().st_size
    assert said_of(library, path) == (1, 2)
    assert (count(library, Image), count(library, Embedding)) == (2, vectors)
    assert previews.path(after.sha256, GALLERY_PX).is_file()
    assert not previews.path(before.sha256, GALLERY_PX).exists()
    assert index_paths(library, encoder, [pictures], ONE_CHILD).unchanged == 2
    assert_sound(library)


def test_a_picture_that_is_rewritten_under_a_new_name_is_still_that_picture(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    old = draw("IMG_1.png")
    draw("other.png", "blue", (50, 30))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    annotate(library, old)
    before = image_at(library, old)
    new = old.rename(pictures / "a/walter.png") if (pictures / "a").mkdir() is None else old
    rewrite(new, "walter")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.rewritten, report.missing) == (0, 1, 1)
    assert image_at(library, new).id == before.id
    assert said_of(library, new) == (1, 2)
    # The old file returns with its old bytes: it is looked at anew, and nothing is shown for it that it is not.
    Pillow.new("RGB", (48, 32), "red").save(old)
    index_paths(library, encoder, [pictures], ONE_CHILD)
    assert image_at(library, old).id != before.id
    assert_sound(library)


def test_a_copy_with_a_keyword_is_a_picture_of_its_own(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = draw("a.png")
    index_paths(library, encoder, [pictures], ONE_CHILD)
    annotate(library, path)
    copy = Path(shutil.copy(path, pictures / "copy.png"))
    rewrite(copy, "keyword")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.rewritten) == (1, 0)
    assert (said_of(library, path), said_of(library, copy)) == ((1, 2), (0, 0))


def test_where_a_copy_keeps_the_old_bytes_both_have_the_captions(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = draw("a.png")
    copy = Path(shutil.copy(path, pictures / "copy.png"))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    annotate(library, path)
    before = image_at(library, copy)
    rewrite(path, "keyword")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.rewritten, count(library, Image)) == (1, 2)
    assert image_at(library, copy).id == before.id
    assert image_at(library, path).id != before.id
    assert (said_of(library, path), said_of(library, copy)) == ((1, 2), (1, 2))
    # The copy follows: its bytes are known by now, and nothing is said twice.
    shutil.copy(path, copy)
    index_paths(library, encoder, [pictures], ONE_CHILD)
    assert said_of(library, copy) == (1, 2)
    assert_sound(library)


def test_copies_that_are_rewritten_alike_stay_one_picture(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = draw("a.png")
    copy = Path(shutil.copy(path, pictures / "copy.png"))
    index_paths(library, encoder, [pictures], ONE_CHILD)
    annotate(library, path)
    before = image_at(library, path)
    rewrite(path, "keyword")
    shutil.copy(path, copy)
    index_paths(library, encoder, [pictures], ONE_CHILD)
    assert image_at(library, path).id == image_at(library, copy).id == before.id
    assert (count(library, Image), said_of(library, path)) == (1, (1, 2))
    assert_sound(library)


def test_another_picture_at_the_same_path_inherits_nothing(
    library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = draw("a.png")
    index_paths(library, encoder, [pictures], ONE_CHILD)
    annotate(library, path)
    draw("a.png", "blue")
    report = index_paths(library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.rewritten) == (1, 0)
    assert said_of(library, path) == (0, 0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_was_refused_for_its_rights_is_tried_again_when_they_change(
    sqlite_library: Library, encoder: Encoder, draw: Draw, pictures: Path
) -> None:
    path = draw("a.png")
    path.chmod(0)
    assert len(index_paths(sqlite_library, encoder, [pictures], ONE_CHILD).refused) == 1
    path.chmod(0o600)
    assert index_paths(sqlite_library, encoder, [pictures], ONE_CHILD).embedded == 1


def test_instants_are_those_of_the_new_bytes(sqlite_library: Library, encoder: Encoder, pictures: Path) -> None:
    path = pictures / "a.jpg"
    Pillow.new("RGB", (40, 30), "red").save(path)
    index_paths(sqlite_library, encoder, [pictures], ONE_CHILD)
    exif = Pillow.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2019:07:14 12:30:00"
    payload = exif.tobytes()
    data = path.read_bytes()
    # Losslessly, as an organiser does it: an APP1 segment behind the start of the image.
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload + data[2:])
    report = index_paths(sqlite_library, encoder, [pictures], ONE_CHILD)
    assert (report.embedded, report.rewritten) == (0, 1)
    taken = image_at(sqlite_library, path).taken_at
    assert taken == datetime(2019, 7, 14, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize("part", [1, 2])
def test_parts_of_any_size_tell_the_same(
    library: Library, draw: Draw, pictures: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr("indexer.scan._PART", part)
    monkeypatch.setattr("indexer.remembered._PAGE", part)
    for number, name in enumerate(["b/x.png", "b.png", "a/z/1.png", "a/y.png", "c.png"]):
        draw(name, "red", (40 + number, 30))
    first = index_paths(library, ColourEncoder(), [pictures], IndexOptions(decode_workers=1))
    (pictures / "b/x.png").rename(pictures / "moved.png")
    (pictures / "c.png").unlink()
    (pictures / "a/y.png").unlink()
    second = index_paths(library, ColourEncoder(), [pictures], IndexOptions(decode_workers=1))
    assert (first.embedded, second.unchanged, second.reused, second.missing) == (5, 2, 1, 3)
    assert index_paths(library, ColourEncoder(), [pictures], IndexOptions(rescan=True)).unchanged == 3
    assert verify(library).findings == []

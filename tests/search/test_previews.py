"""Previews are named by content, written whole, checked when read, and by no other names."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from search.previews import GALLERY_PX, PAGE_PX, PreviewStore, erase_previews, sides_px, unsealed

SHA = "ab" * 32


def webp(width: int = 32, height: int = 20, **options: object) -> bytes:
    """A small WebP picture with something in it."""
    buffer = io.BytesIO()
    picture = Image.linear_gradient("L").resize((width, height)).convert(str(options.pop("mode", "RGB")))
    picture.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def jpeg(width: int = 32, height: int = 20, **options: object) -> bytes:
    """The same as a JPEG."""
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(buffer, "JPEG", **options)
    return buffer.getvalue()


def test_what_is_put_is_read_and_no_temporary_file_stays(tmp_path: Path) -> None:
    store = PreviewStore(tmp_path)
    assert store.read(SHA, GALLERY_PX) is None
    path = store.put(SHA, GALLERY_PX, jpeg())
    assert store.read(SHA, GALLERY_PX) == jpeg()
    assert [file.name for file in path.parent.iterdir()] == [f"{SHA}-{GALLERY_PX}.jpg"]
    store.put(SHA, GALLERY_PX, b"again")
    assert store.read(SHA, GALLERY_PX) == b"again"
    with Image.open(store.put(SHA, GALLERY_PX, jpeg())) as shown:
        shown.load()  # Other programs show the file as it lies there.
    assert path.stat().st_mode & 0o077 == 0


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_lost_or_added_byte_goes_unnoticed(data: st.DataObject) -> None:
    whole = _sealed()
    place = data.draw(st.integers(0, len(whole) - 1))
    flipped = bytearray(whole)
    flipped[place] ^= data.draw(st.integers(1, 255))
    assert unsealed(bytes(flipped)) is None
    assert unsealed(whole[:place]) in (None, jpeg()), "without the whole checksum, an undamaged picture at most"
    assert unsealed(whole + data.draw(st.binary(min_size=1, max_size=9))) is None


def _sealed() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        return PreviewStore(Path(folder)).put(SHA, GALLERY_PX, jpeg()).read_bytes()


def test_a_preview_of_an_earlier_version_is_believed_when_it_is_whole() -> None:
    assert unsealed(webp()) == webp()
    assert unsealed(webp()[:-1]) is None
    assert unsealed(b"") is None
    assert unsealed(b"\xff\xd8 a JPEG, by its head") is None


def test_a_preview_of_an_earlier_version_is_found_and_removed_where_it_lies(tmp_path: Path) -> None:
    store = PreviewStore(tmp_path)
    path = store.put(SHA, GALLERY_PX, webp())
    earlier = path.rename(path.with_suffix(".webp"))
    assert store.read(SHA, GALLERY_PX) == webp()
    assert dict(store.files()) == {earlier: SHA}
    path.write_bytes(b"damaged")
    assert store.read(SHA, GALLERY_PX) == webp()
    assert store.discard(SHA) == 2
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"exif": b"Exif\0\0" + bytes(500)}, {"comment": b"\xff\xc0"}]
)
def test_the_head_of_a_jpeg_tells_the_sides(options: dict[str, object]) -> None:
    assert sides_px(jpeg(33, 21, **options)) == (33, 21)
    assert sides_px(jpeg(**options)[:20]) is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40), st.sampled_from([b"\xff\xd8", b"RIFF\0\0\0\0WEBP", b""]))
def test_no_head_is_taken_for_granted(noise: bytes, start: bytes) -> None:
    sides = sides_px(start + noise)
    assert sides is None or min(sides) >= 0


@pytest.mark.parametrize(
    "options", [{}, {"lossless": True}, {"mode": "RGBA"}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}]
)
def test_the_head_tells_the_sides(options: dict[str, object]) -> None:
    assert sides_px(webp(33, 21, **options)) == (33, 21)
    assert sides_px(webp(**options)[:20]) is None


def test_strangers_among_the_previews_are_told_from_previews(tmp_path: Path) -> None:
    store = PreviewStore(tmp_path)
    assert list(store.files()) == []
    mine = [store.put(SHA, size_px, webp()) for size_px in (GALLERY_PX, PAGE_PX)]
    strangers = [
        mine[0].with_name(".0123.tmp"),
        mine[0].with_name(f"{'cd' * 32}-512.webp"),
        mine[0].with_name(f"{SHA}-513.webp"),
        store.folder / "note.txt",
    ]
    for path in strangers:
        path.write_bytes(b"x")
    found = dict(store.files())
    assert {path for path, sha in found.items() if sha == SHA} == set(mine)
    assert {path for path, sha in found.items() if sha is None} == set(strangers)
    assert erase_previews([*strangers, strangers[0]]) == 4


@pytest.mark.parametrize(("sha256", "size_px"), [("../" + "a" * 61, 512), ("AB" * 32, 512), ("ab", 512), (SHA, 513)])
def test_names_that_could_leave_the_folder_are_refused(tmp_path: Path, sha256: str, size_px: int) -> None:
    with pytest.raises(ValueError, match="not"):
        PreviewStore(tmp_path).path(sha256, size_px)

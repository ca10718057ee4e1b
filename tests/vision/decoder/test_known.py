"""One table knows the formats: it is what the scan goes by, what a refusal says, and what the documents promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.vision.decoder.conftest import Reader
from tests.vision.decoder.pictures import encoded, upright
from vision.decoder import known

PAGE = Path(__file__).resolve().parents[3] / "docs" / "formats.md"

PICTURES = {
    kind: encoded(upright(), kind)
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF", "HEIF", "JPEG2000", "PPM", "PCX", "SGI", "QOI")
}


def box(kind: bytes, brand: bytes) -> bytes:
    return b"\x00\x00\x00\x18" + kind + brand + bytes(4) + brand + bytes(40)


@pytest.mark.parametrize("kind", PICTURES)
def test_what_a_picture_is_stands_in_its_first_bytes(kind: str) -> None:
    entry = known.recognise(PICTURES[kind][: known.HEAD_BYTES])
    assert entry is not None
    assert (entry.kind, entry.code) == ("read", kind)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (box(b"ftyp", b"isom"), "unsupported_format", "a video (MP4)"),
        (box(b"ftyp", b"mp42"), "unsupported_format", "a video (MP4)"),
        (box(b"ftyp", b"qt  "), "unsupported_format", "a video (QuickTime)"),
        (box(b"moov", b"mvhd"), "unsupported_format", "a video (QuickTime)"),
        (box(b"ftyp", b"3gp5"), "unsupported_format", "a video (3GPP)"),
        (b"RIFF\x00\x01\x00\x00AVI LIST" + bytes(40), "unsupported_format", "a video (AVI)"),
        (b"\x1aE\xdf\xa3" + bytes(60), "unsupported_format", "a video (Matroska or WebM)"),
        (b"\x00\x00\x01\xba" + bytes(60), "unsupported_format", "a video (MPEG)"),
        (b"%PDF-1.7\n" + bytes(60), "unsupported_format", "a document (PDF)"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_format", "SVG"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported_format", "PostScript"),
        (b"gimp xcf v011" + bytes(60), "unsupported_format", "XCF"),
        (b"v/1\x01" + bytes(60), "unsupported_format", "OpenEXR"),
        (b"#?RADIANCE\n" + bytes(60), "unsupported_format", "Radiance"),
        (b"8BPS\x00\x02" + bytes(60), "unsupported_format", "PSB"),
        (box(b"ftyp", b"M4A "), "not_an_image", "sound"),
        (b"PK\x03\x04" + bytes(60), "not_an_image", "ZIP"),
        (b"<!DOCTYPE html><html></html>", "not_an_image", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not_an_image", "Git LFS"),
        (b"\x00\x00\x00\x0cJXL \r\n\x87\n" + bytes(8), "corrupt", "JPEG XL"),
        (b"FUJIFILMCCD-RAW 0201" + bytes(500), "", "RAW"),
    ],
)
@pytest.mark.parametrize("name", ["photo.jpg", "photo"])
def test_what_is_not_read_is_named_for_what_it_is(
    reader: Reader, data: bytes, code: str, words: str, name: str
) -> None:
    refused = reader.refused(data, path=name)
    assert refused.code == code or not code
    assert words in refused.reason
    assert "header is damaged" not in refused.reason


def test_a_tga_is_known_by_its_name_or_its_end_and_nothing_else_is_tried_as_one(reader: Reader) -> None:
    data = encoded(upright(), "TGA")
    assert reader.decoded(data, path="scan.TGA").format == "TGA"
    footed = data + bytes(8) + b"TRUEVISION-XFILE.\x00"
    assert reader.decoded(footed, path="scan").format == "TGA"
    assert reader.refused(bytes(60), path="scan").code == "not_an_image"


@pytest.mark.parametrize("name", ["a.JPG", "b.jxl", "c.Nef", "d.psd", "e.svg", "f.tga"])
def test_a_name_is_enough_to_be_tried(name: str) -> None:
    assert known.is_named_picture(name)


@pytest.mark.parametrize("name", ["a.mp4", "b.mov", "c.pdf", "d.zip", "e.txt", "jpg", "f"])
def test_other_names_are_not_pictures(name: str) -> None:
    assert not known.is_named_picture(name)


def test_text_is_not_taken_for_a_picture_by_its_first_letters() -> None:
    for text in (b"P5 is a letter and a number", b"P1\nwas here", b"%PDF", b"II", b"BLP is a loan programme", b""):
        assert not known.begins_like_a_picture(text)


def test_the_documents_list_exactly_what_is_read() -> None:
    section = PAGE.read_text().partition("## Pictures that are read")[2].partition("\n## ")[0]
    promised = set(re.findall(r"^\| `([A-Z0-9]+)` \|", section, re.MULTILINE))
    assert promised == known.CODES
    for entry in known.FORMATS:
        for suffix in entry.suffixes if entry.kind == "read" else ():
            assert f"`{suffix}`" in section, suffix
        if entry.kind == "picture" and entry.suffixes:
            assert entry.suffixes[0] in section, entry.name

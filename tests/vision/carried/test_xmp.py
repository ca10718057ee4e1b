"""XMP and IPTC are read as programs write them, and no packet harms, reaches out or costs more than itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.vision.carried.packets import ACDSEE, KEYWORDS, MICROSOFT, MWG, TITLE, data_sets, with_iptc, xmp
from tests.vision.decoder.pictures import UNTURN, encoded, upright
from vision.carried.boxes import Frame
from vision.carried.facts import NOTHING, Carried
from vision.carried.iptc import read_iptc
from vision.carried.xmp import read_xmp
from vision.images import Decoded, DecodeRequest, DecoderPool

FLAT = Frame((48, 32))
WORDS = xmp(TITLE, KEYWORDS, attributes='xmp:Rating="4" exif:GPSLatitude="48,51.6N" exif:GPSLongitude="2,21,0W"')


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(workers=1) as pool:
        yield pool


def _decoded(pool: DecoderPool, data: bytes) -> Carried:
    answer = pool.decode(DecodeRequest("test", data=data))
    assert isinstance(answer, Decoded), answer
    return answer.carried


def _facts(carried: Carried) -> list[tuple[str, str | float | None]]:
    return [(fact.name, fact.number if fact.text is None else fact.text) for fact in carried.facts]


def _boxes(carried: Carried) -> dict[str, tuple[float, ...]]:
    return {one.name: tuple(round(end, 4) for end in one.box) for one in carried.boxes}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_words_are_found_in_every_format_that_has_xmp(pool: DecoderPool, kind: str) -> None:
    if kind == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", WORDS.decode())
        data = encoded(upright(), kind, pnginfo=text)
    elif kind == "TIFF":
        data = encoded(upright(), kind, tiffinfo={700: WORDS})
    else:
        data = encoded(upright(), kind, xmp=WORDS)
    carried = _decoded(pool, data)
    assert [said.text for said in carried.texts] == ["Walter", "quokka, Rottnest Island"]
    assert {said.source for said in carried.texts} == {"xmp"}
    assert [fact for fact in _facts(carried) if fact[0] != "orientation"] == [
        ("keyword", "quokka"), ("keyword", "Rottnest Island"), ("rating", 4.0), ("latitude", 48.86),
        ("longitude", -2.35),
    ]  # fmt: skip


def test_people_of_three_programs() -> None:
    carried = read_xmp(xmp(MWG.format(w=48, h=32), MICROSOFT, ACDSEE), "xmp", FLAT)
    assert _boxes(carried) == {
        "Ana Silva": (0.2, 0.4, 0.3, 0.6), "Bello": (0.7, 0.8, 1.0, 1.0), "Bo": (0.1, 0.2, 0.4, 0.6),
        "Dee": (0.4, 0.4, 0.6, 0.6),
    }  # fmt: skip
    assert _facts(carried) == [("person", "Ana Silva"), ("person", "Dee"), ("person", "Bo"), ("person", "Cy")]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_with_the_picture(pool: DecoderPool, orientation: int) -> None:
    """The upper left quarter of the upright picture is red, and so is the box of who was marked on the stored one."""
    stored = upright() if orientation == 1 else upright().transpose(UNTURN[orientation])
    quarter = Image.new("1", (48, 32))
    quarter.paste(1, (0, 0, 24, 16))
    turned = quarter if orientation == 1 else quarter.transpose(UNTURN[orientation])
    x0, y0, x1, y1 = turned.getbbox() or (0, 0, 0, 0)
    w, h = turned.size
    area = f'"{x0 / w}, {y0 / h}, {(x1 - x0) / w}, {(y1 - y0) / h}"'
    exif = Image.Exif()
    exif[0x0112] = orientation
    packet = xmp(MICROSOFT.replace('"0.1, 0.2, 0.3, 0.4"', area))
    carried = _decoded(pool, encoded(stored, "JPEG", exif=exif, xmp=packet))
    assert _boxes(carried) == {"Bo": (0.0, 0.0, 0.5, 0.5)}


def test_boxes_that_were_drawn_upright_are_not_turned() -> None:
    frame = Frame((32, 48), orientation=6)
    as_stored = read_xmp(xmp(MWG.format(w=48, h=32)), "xmp", frame)
    as_seen = read_xmp(xmp(MWG.format(w=32, h=48)), "xmp", frame)
    assert _boxes(as_stored)["Ana Silva"] == (0.4, 0.2, 0.6, 0.3)
    assert _boxes(as_seen)["Ana Silva"] == (0.2, 0.4, 0.3, 0.6)


LAUGHS = "".join(f'<!ENTITY l{n} "&l{n - 1};&l{n - 1};&l{n - 1};">' for n in range(1, 30))


@pytest.mark.parametrize(
    "packet",
    [
        b"", b"<", b"\xff" * 100, b"<a/>", b"<?xml version='1.0' encoding='martian'?><a/>", WORDS[:-100],
        xmp(TITLE, head='<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'),
        xmp('<dc:title>&l29;</dc:title>', head=f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]>'),
        xmp('<dc:title>&e;</dc:title>', head='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'),
        xmp("<dc:title>" * 100 + "</dc:title>" * 100), xmp("<dc:title/>" * 30_000), xmp("x" * 1_100_000),
    ],
)  # fmt: skip
def test_a_packet_that_is_none_or_hostile_is_nothing(packet: bytes) -> None:
    assert read_xmp(packet, "xmp", FLAT) == NOTHING


def test_a_hostile_packet_costs_no_picture(pool: DecoderPool) -> None:
    packet = xmp("<dc:title>&e;</dc:title>", head='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>')
    assert _decoded(pool, encoded(upright(), "JPEG", xmp=packet[:60_000])).texts == ()


def test_there_is_an_end_to_everything(pool: DecoderPool) -> None:
    word = "\U0001f415" * 150
    bag = "".join(f"<rdf:li>{word}{number}</rdf:li>" for number in range(1_000))
    packet = xmp(f"<dc:subject><rdf:Bag>{bag}</rdf:Bag></dc:subject>")
    text = PngInfo()
    text.add_itxt("XML:com.adobe.xmp", packet.decode())
    carried = _decoded(pool, encoded(upright(), "PNG", pnginfo=text))
    assert sum(len(fact.text or "") for fact in carried.facts) <= 20_000
    assert len(carried.facts) <= 200


@given(st.binary(max_size=300))
def test_no_bytes_make_the_readers_fail(data: bytes) -> None:
    read_xmp(data, "xmp", FLAT)
    read_iptc({0x0404: data})
    read_iptc({0x0404: b"\x1c\x02\x78" + data})


def test_iptc_is_read_from_a_jpeg(pool: DecoderPool) -> None:
    block = data_sets(
        (2, 5, "Café".encode("latin-1")), (2, 25, "été".encode()), (2, 25, b"sea"), (2, 120, b"A dog.\r\nTwo"),
        (2, 120, b""),
    )  # fmt: skip
    carried = _decoded(pool, with_iptc(upright(), block))
    assert [(said.text, said.source) for said in carried.texts] == [
        ("Café", "iptc"), ("A dog. Two", "iptc"), ("été, sea", "iptc"),
    ]  # fmt: skip
    assert _facts(carried) == [("keyword", "été"), ("keyword", "sea")]


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("Quokka Walter on the veranda", ["Quokka Walter on the veranda"]),
        ("Gr\u00fc\u00dfe".encode().decode("latin-1"), ["Gr\u00fc\u00dfe"]),
        ("OLYMPUS DIGITAL CAMERA         ", []), ("SONY DSC", []), ("  \0", []), ("IMG_2034.JPG", []),
        ("File written by Adobe Photoshop\xa8 4.0", []), ("Created with The GIMP", []),
    ],
)  # fmt: skip
def test_descriptions_in_exif_are_those_of_people(pool: DecoderPool, description: str, expected: list[str]) -> None:
    exif = Image.Exif()
    exif[0x010E] = description.encode("latin-1")
    assert [said.text for said in _decoded(pool, encoded(upright(), "JPEG", exif=exif)).texts] == expected

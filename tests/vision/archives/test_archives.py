"""Archives as programs write them, and as enemies do: what is listed, what is read, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from vision.archives.listing import Listing, NotArchiveError, list_archive
from vision.archives.member import ArchiveLimits, LocatorError, Member, MemberError
from vision.archives.names import safe_name
from vision.archives.reading import MemberReader
from vision.images import REFUSALS, DecodeLimits, DecodeRequest, Refused
from vision.images import DecoderPool as Pool
from vision.originals import Original, archive_above, in_archive, original_at

Write = Callable[[Path, dict[str, bytes]], None]


def picture(colour: str = "red", size_wh: tuple[int, int] = (48, 32), kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size_wh, colour).save(file, kind)
    return file.getvalue()


def _zip(method: int) -> Write:
    def write(path: Path, files: dict[str, bytes]) -> None:
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in files.items():
                archive.writestr(name, data)

    return write


def _tar(mode: str, form: int = tarfile.PAX_FORMAT) -> Write:
    def write(path: Path, files: dict[str, bytes]) -> None:
        with tarfile.open(path, mode, format=form) as archive:
            for name, data in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))

    return write


WRITERS: dict[str, Write] = {
    "stored.zip": _zip(0), "deflated.zip": _zip(8), "bzip2.zip": _zip(12), "lzma.cbz": _zip(14),
    "ustar.tar": _tar("w", tarfile.USTAR_FORMAT), "gnu.tar": _tar("w", tarfile.GNU_FORMAT), "pax.tar": _tar("w"),
    "a.tar.gz": _tar("w:gz"), "a.tgz": _tar("w:gz", tarfile.GNU_FORMAT), "a.tar.bz2": _tar("w:bz2"),
    "a.tar.xz": _tar("w:xz"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITERS)
def test_what_programs_write_is_listed_and_read(tmp_path: Path, name: str) -> None:
    files = {
        "beach/a.png": picture(), "./beach/日本 é.JPG": picture("blue", kind="JPEG"),
        "deep/" * 9 + "b.png": picture("green"),
        "notes.doc": b"words", "nosuffix": picture("black"), "nosuffix2": b"words",
        "big.png": picture("pink", (900, 900)),
    }  # fmt: skip
    WRITERS[name](tmp_path / name, files)
    listing = list_archive(str(tmp_path / name))
    assert listing.problem is None
    assert listing.faults == []
    assert listing.others == 2
    expected = {os.path.normpath(key): data for key, data in files.items() if key not in ("notes.doc", "nosuffix2")}
    reader = MemberReader()
    order = sorted(listing.members, key=lambda _: random.Random(3).random())  # backwards, too, in a compressed tar
    assert {key: reader.read(str(tmp_path / name), listing.members[key]) for key in order[::-1]} == expected
    for member in listing.members.values():
        assert str(Member.parse(str(member))) == str(member)


def test_long_names_of_gnu_and_pax_are_whole(tmp_path: Path) -> None:
    long = "x" * 90 + "/" + "y" * 150 + ".png"
    for name, form in (("gnu.tar", tarfile.GNU_FORMAT), ("pax.tar", tarfile.PAX_FORMAT)):
        _tar("w", form)(tmp_path / name, {long: picture()})
        assert list(list_archive(str(tmp_path / name)).members) == [long]


def test_zip64_and_what_stands_before_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive, archive.open("a.png", "w", force_zip64=True) as member:
        member.write(picture())
    path.write_bytes(b"#!/bin/sh\necho unpacking\n" + path.read_bytes())
    listing = list_archive(str(path))
    assert MemberReader().read(str(path), listing.members["a.png"]) == picture()


def test_many_members_need_a_wide_directory(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(_wide_zip(66_000))
    listing = list_archive(str(tmp_path / "a.zip"))
    assert len(listing.members) == 66_000
    assert listing.problem is None
    assert "more than 1,000" in (list_archive(str(tmp_path / "a.zip"), ArchiveLimits(max_members=1000)).problem or "")


def test_texts_of_shards_are_kept_where_coming_back_is_dear(tmp_path: Path) -> None:
    files = {
        "0.jpg": picture(),
        "0.txt": b"a red thing",
        "0.json": b"{}",
        "0.xmp": b"<x/>",
        "long.txt": b"x" * 2_000_000,
    }
    _tar("w:gz")(tmp_path / "a.tar.gz", files)
    texts = list_archive(str(tmp_path / "a.tar.gz")).texts
    assert {name: text.content for name, text in texts.items()} == {
        "0.txt": b"a red thing",
        "0.json": b"{}",
        "0.xmp": b"<x/>",
    }


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("../../etc/a.png", "leads out"), ("a/../../b.png", "leads out"), ("/etc/a.png", "absolute"),
        ("C:/a.png", "absolute"),
        ("a\0.png", "no name"), ("a\n.png", "no name"), ("./.", "empty"), ("x" * 5000 + ".png", "longer"),
        ("x/" * 101 + "a.png", "folders"),
    ],
)  # fmt: skip
def test_names_that_lead_out_are_none(name: str, complaint: str) -> None:
    with pytest.raises(MemberError, match=complaint) as caught:
        safe_name(name)
    assert caught.value.code == "unsafe_name"


@pytest.mark.parametrize("name", ["a.zip", "a.tar"])
def test_members_with_bad_names_are_told_and_cost_no_other(tmp_path: Path, name: str) -> None:
    files = {"../out.png": picture(), "/abs.png": picture(), "ok.png": picture(), "../no picture": b"words"}
    (_zip(8) if name == "a.zip" else _tar("w"))(tmp_path / name, files)
    listing = list_archive(str(tmp_path / name))
    assert list(listing.members) == ["ok.png"]
    assert listing.others == 1
    assert {name: reason.partition(":")[0] for name, reason in listing.faults} == {
        "../out.png": "unsafe_name", "/abs.png": "unsafe_name",
    }  # fmt: skip


def test_of_two_members_of_one_name_the_last_one_stays(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for colour in ("red", "blue"):
            entry = tarfile.TarInfo("a.png")
            entry.size = len(picture(colour))
            archive.addfile(entry, io.BytesIO(picture(colour)))
    listing = list_archive(str(tmp_path / "a.tar"))
    assert MemberReader().read(str(tmp_path / "a.tar"), listing.members["a.png"]) == picture("blue")
    assert [reason.partition(":")[0] for _, reason in listing.faults] == ["duplicate_name"]


def test_names_in_other_encodings_are_kept(tmp_path: Path) -> None:
    _zip(0)(tmp_path / "a.zip", {"aXXb.png": picture(), "cYYd.png": picture()})
    raw = (tmp_path / "a.zip").read_bytes().replace(b"aXXb", b"a\x81\x84b").replace(b"cYYd", "cüd".encode())
    (tmp_path / "a.zip").write_bytes(raw)
    assert set(list_archive(str(tmp_path / "a.zip")).members) == {"aüäb.png", "cüd.png"}
    _tar("w", tarfile.GNU_FORMAT)(tmp_path / "a.tar", {"aXXb.png": picture()})
    (tmp_path / "b.tar").write_bytes(_summed((tmp_path / "a.tar").read_bytes().replace(b"aXXb", b"a\xe9\xffb", 1)))
    assert list(list_archive(str(tmp_path / "b.tar")).members) == [os.fsdecode(b"a\xe9\xffb.png")]


def test_folders_of_windows_are_folders(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo("a")
    entry.filename, entry.create_system = "holiday\\beach.png", 0
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(entry, picture())
    assert list(list_archive(str(tmp_path / "a.zip")).members) == ["holiday/beach.png"]


def test_links_and_devices_are_no_pictures(tmp_path: Path) -> None:
    kinds = {tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE}
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in sorted(kinds):
            entry = tarfile.TarInfo(f"{kind.decode()}.png")
            entry.type, entry.linkname, entry.size = kind, "/etc/passwd", 0
            archive.addfile(entry)
        archive.addfile(tarfile.TarInfo("last.png"))
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive_z:
        archive_z.writestr(link, "/etc/passwd")
    for name, count in (("a.tar", 5), ("a.zip", 1)):
        members = list_archive(str(tmp_path / name)).members
        assert [member.why for member in members.values()].count("link") == count
        with pytest.raises(MemberError) as caught:
            MemberReader().read(str(tmp_path / name), next(iter(members.values())))
        assert caught.value.code == "not_a_file"


def read_or_code(path: Path, member: Member) -> bytes | str:
    """The bytes of a member, or the code for which it is refused."""
    try:
        return MemberReader().read(str(path), member)
    except MemberError as error:
        return error.code


def _one(path: Path, limits: ArchiveLimits | None = None) -> str:
    """The code for which the only member is refused."""
    listing = list_archive(str(path), limits)
    assert listing.problem is None, listing.problem
    (member,) = listing.members.values()
    with pytest.raises(MemberError) as caught:
        MemberReader(limits).read(str(path), member)
    return caught.value.code


def test_encrypted_members_say_so(tmp_path: Path) -> None:
    _zip(8)(tmp_path / "a.zip", {"a.png": picture()})
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(magic) + at] |= 1
    (tmp_path / "a.zip").write_bytes(raw)
    assert _one(tmp_path / "a.zip") == "encrypted"


@pytest.mark.parametrize("name", ["in.zip", "in.tar.gz", "in.7z", "in.rar"])
def test_archives_in_archives_are_not_opened(tmp_path: Path, name: str) -> None:
    _tar("w")(tmp_path / "a.tar", {name: b"PK\x03\x04"})
    assert _one(tmp_path / "a.tar") == "nested_archive"


@pytest.mark.parametrize("method", [8, 12, 14])
def test_bombs_in_zip_files_are_not_expanded(tmp_path: Path, method: int) -> None:
    _zip(method)(tmp_path / "a.zip", {"a.png": bytes(80 * 1024 * 1024)})
    assert _one(tmp_path / "a.zip") == "expands_too_much"


@pytest.mark.parametrize("method", [0, 8, 12, 14])
def test_a_member_that_is_longer_than_it_says_is_damaged(tmp_path: Path, method: int) -> None:
    _zip(method)(tmp_path / "a.zip", {"a.png": picture("red", (900, 900))})
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    struct.pack_into("<L", raw, raw.index(b"PK\x01\x02") + 24, 100)
    (tmp_path / "a.zip").write_bytes(raw)
    assert _one(tmp_path / "a.zip") == "corrupt"


def test_members_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """The kernel of D. Fifield's zip bomb: many entries of the directory, one compressed member."""
    _zip(8)(tmp_path / "a.zip", {"a.png": picture(), "b.png": picture()})
    raw = bytearray((tmp_path / "a.zip").read_bytes())
    struct.pack_into("<L", raw, raw.rindex(b"PK\x01\x02") + 42, 0)
    (tmp_path / "a.zip").write_bytes(raw)
    assert {member.why for member in list_archive(str(tmp_path / "a.zip")).members.values()} == {"overlapping"}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_bombs_of_compressed_tar_files_end_the_reading(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    entry = tarfile.TarInfo("a.png")
    entry.size = 80 * 1024 * 1024
    (tmp_path / "a.tar.xx").write_bytes(pack(entry.tobuf() + bytes(entry.size) + bytes(1024)))
    assert (list_archive(str(tmp_path / "a.tar.xx")).problem or "").startswith("expands_too_much")
    limits = ArchiveLimits(max_expansion=10**9, max_total_bytes=10_000_000)
    assert "DEIXIS_MAX_ARCHIVE_BYTES" in (list_archive(str(tmp_path / "a.tar.xx"), limits).problem or "")


def test_a_large_member_is_refused_unread(tmp_path: Path) -> None:
    for name, write in (("a.zip", _zip(0)), ("a.tar", _tar("w"))):
        write(tmp_path / name, {"a.png": bytes(2000)})
        assert _one(tmp_path / name, ArchiveLimits(max_file_bytes=1000)) == "too_large"


def test_headers_that_claim_much_are_not_believed(tmp_path: Path) -> None:
    _tar("w", tarfile.GNU_FORMAT)(tmp_path / "a.tar", {"x" * 200 + ".png": picture()})
    raw = bytearray((tmp_path / "a.tar").read_bytes())
    raw[124:136] = b"\x80" + (2**40).to_bytes(11, "big")
    (tmp_path / "b.tar").write_bytes(_summed(bytes(raw)))
    assert "header" in (list_archive(str(tmp_path / "b.tar")).problem or "")


@pytest.mark.parametrize("name", WRITERS)
def test_truncated_archives_give_what_is_whole_and_a_reason(tmp_path: Path, name: str) -> None:
    files = {f"{number}.png": picture("red", (60 + number, 60)) for number in range(9)}
    noise = random.Random(1).randbytes(3_000)
    WRITERS[name](tmp_path / name, {key: data + noise for key, data in files.items()})
    raw = (tmp_path / name).read_bytes()
    for share in (0.2, 0.5, 0.9):
        cut = tmp_path / f"cut-{share}-{name}"
        cut.write_bytes(raw[: int(len(raw) * share)])
        listing = list_archive(str(cut))
        assert listing.problem is not None
        assert listing.problem.startswith("corrupt")
        for key, member in listing.members.items():
            # "corrupt" is the one at which a compressed archive ends.
            assert read_or_code(cut, member) in (files[key] + noise, "corrupt")


def test_noise_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(random.Random(2).randbytes(5000))
    (tmp_path / "b.zip").write_bytes(b"")
    for name in ("a.zip", "b.zip"):
        with pytest.raises(NotArchiveError):
            list_archive(str(tmp_path / name))


@pytest.mark.parametrize("name", WRITERS)
def test_no_damage_breaks_more_than_it_touches(tmp_path: Path, name: str) -> None:
    """A thousand small damages: each ends in a listing, and each member in its bytes or in a reason."""
    WRITERS[name](tmp_path / name, {"a.png": picture(), "b/c.png": picture("blue"), "t.txt": b"words"})
    raw = (tmp_path / name).read_bytes()
    chance = random.Random(name)
    damaged = tmp_path / f"damaged-{name}"
    for _ in range(90):
        broken = bytearray(raw)
        for _ in range(chance.choice((1, 1, 4))):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        damaged.write_bytes(broken)
        try:
            listing: Listing = list_archive(str(damaged))
        except NotArchiveError:
            continue
        for key, member in listing.members.items():
            assert ".." not in key.split("/")
            assert not key.startswith("/")
            answer = read_or_code(damaged, member)
            assert answer in REFUSALS if isinstance(answer, str) else len(answer) == member.size_bytes


def test_members_are_decoded_in_the_child(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    _zip(8)(path, {"a.png": picture(), "b.zip": b"x", "c.png": b"words"})
    members = list_archive(str(path)).members
    with Pool(DecodeLimits()) as pool:
        answers = {
            key: pool.decode(
                DecodeRequest.of(Original.of(f"{path}/{key}", in_archive(str(path), member)), preview_px=32)
            )
            for key, member in members.items()
        }
        gone = pool.decode(DecodeRequest.of(Original("x/a.png", str(tmp_path / "no.zip"), str(members["a.png"]))))
    codes = {key: one.code if isinstance(one, Refused) else (one.path, one.width_px) for key, one in answers.items()}
    assert codes == {"a.png": (f"{path}/a.png", 48), "b.zip": "nested_archive", "c.png": "not_an_image"}
    assert isinstance(gone, Refused)
    assert gone.code == "not_found"


def test_an_address_is_taken_apart_again(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"h\xe9.zip")
    _zip(0)(path, {"beach/a.png": picture()})
    found = original_at(f"{path}/beach/a.png")
    assert (found.file, archive_above(found.path)) == (str(path), str(path))
    with found.open() as file:
        assert file.read() == picture()
    held = in_archive(str(path), Member.parse(found.member or ""))
    assert Original.of(found.path, held) == found
    assert original_at(f"{path}/none.png").file == f"{path}/none.png"
    for wrong in ("", "in", "in x zip", "in 4 zip 1", "kept abc", "no 1 2 3"):
        with pytest.raises(LocatorError):
            Original.of("/a/b.png", wrong, "/kept")


def test_an_archive_that_was_exchanged_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    _zip(8)(path, {"a.png": picture()})
    member = list_archive(str(path)).members["a.png"]
    _zip(8)(path, {"a.png": picture("blue")})
    with pytest.raises(MemberError):
        MemberReader().read(str(path), member)


def _wide_zip(count: int) -> bytes:
    """A zip file of many members of one byte; its directory's end says their number in ZIP64's record alone."""
    local, directory = bytearray(), bytearray()
    for number in range(count):
        name = b"%05d.png" % number
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 1, 1, 9, 0, 0, 0, 0, 0, len(local)
        )
        directory += name
        local += struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 1, 1, 9, 0) + name + b"x"
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 20, 20, 0, 0, count, count, len(directory), len(local))
    end += struct.pack("<4sLQL", b"PK\x06\x07", 0, len(local) + len(directory), 1)
    end += struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return bytes(local + directory + end)


def _summed(raw: bytes) -> bytes:
    """A tar file with the checksum of its first header made right."""
    block = raw[:148] + b" " * 8 + raw[156:512]
    return raw[:148] + b"%06o\0 " % sum(block) + raw[156:]


def test_the_unicode_field_of_info_zip_is_believed_only_for_its_own_name(tmp_path: Path) -> None:
    for name, seen in ((b"a_.png", "aü.png"), (b"other", "a_.png")):
        entry = zipfile.ZipInfo("a_.png")
        field = struct.pack("<BL", 1, zlib.crc32(name)) + "aü.png".encode()
        entry.extra = struct.pack("<2H", 0x7075, len(field)) + field
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr(entry, picture())
        assert list(list_archive(str(tmp_path / "a.zip")).members) == [seen]

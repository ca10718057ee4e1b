"""Every file format that Deixis knows by name or content: which are read, and what the others are called."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

Kind = Literal["read", "picture", "video", "document", "other"]


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        name: as people call it, with its article where a sentence needs one.
        kind: `read`; a `picture` that is not read; a `video`; a `document`; something `other` that is no picture.
        code: what `Decoded.format` says; empty where nothing is read.
        suffixes: of file names, lower case; only those of pictures are looked at by the scan whatever they hold.
        magic: byte strings and where they stand; one that matches is enough.
    """

    name: str
    kind: Kind
    code: str = ""
    suffixes: tuple[str, ...] = ()
    magic: tuple[tuple[int, bytes], ...] = ()


def _read(code: str, name: str, suffixes: str, *magic: bytes, at: int = 0) -> Format:
    return Format(name, "read", code, tuple(suffixes.split()), tuple((at, word) for word in magic))


def _not_read(kind: Kind, name: str, suffixes: str, *magic: bytes, at: int = 0) -> Format:
    return Format(name, kind, "", tuple(suffixes.split()), tuple((at, word) for word in magic))


_RAW_SUFFIXES = (
    ".dng .cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .orf .rw2 .rwl .raf .pef .srw .3fr .fff .iiq .mos .mef "
    ".erf .kdc .dcr .mrw .x3f .gpr .raw"
)

# What the first bytes say is asked from the top: camera RAW before TIFF, whose header most of it shares.
FORMATS: tuple[Format, ...] = (
    _read("JPEG", "JPEG", ".jpg .jpeg .jpe .jfif .mpo", b"\xff\xd8\xff"),
    _read("PNG", "PNG", ".png .apng", b"\x89PNG\r\n\x1a\n"),
    _read("WEBP", "WebP", ".webp", b"WEBP", at=8),
    _read("GIF", "GIF", ".gif", b"GIF87a", b"GIF89a"),
    _read("RAW", "camera RAW", _RAW_SUFFIXES, b"II*\x00\x10\x00\x00\x00CR", b"IIRO", b"IIRS", b"MMOR", b"IIU\x00"),
    _read("RAW", "camera RAW", "", b"FUJIFILMCCD-RAW", b"\x00MRM", b"FOVb"),
    _read("RAW", "camera RAW", "", b"HEAPCCDR", at=6),
    _read("RAW", "camera RAW", "", b"ftypcrx ", at=4),
    _read("TIFF", "TIFF", ".tif .tiff", b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    _read("BMP", "BMP", ".bmp .dib", b"BM"),
    _read("AVIF", "AVIF", ".avif .avifs", b"ftypavif", b"ftypavis", at=4),
    _read("HEIF", "HEIC/HEIF", ".heic .heif .hif", b"ftyphei", b"ftyphev", b"ftypmif1", b"ftypmsf1", at=4),
    _read("JXL", "JPEG XL", ".jxl", b"\x00\x00\x00\x0cJXL \r\n\x87\n", b"\xff\x0a"),
    _read(
        "JPEG2000",
        "JPEG 2000",
        ".jp2 .j2k .j2c .jpc .jpf .jpx",
        b"\x00\x00\x00\x0cjP  \r\n\x87\n",
        b"\xff\x4f\xff\x51",
    ),
    _read("ICO", "ICO (icon)", ".ico", b"\x00\x00\x01\x00"),
    _read("TGA", "TGA", ".tga .icb .vda .vst"),  # no magic in front: known by its footer or its name
    _read("PPM", "PPM", ".ppm .pgm .pbm .pnm .pfm", *(b"P%d" % kind for kind in range(1, 7)), b"Pf"),
    _read("PCX", "PCX", ".pcx", *(b"\x0a" + bytes([version, 1]) for version in (0, 2, 3, 5))),
    _read("SGI", "SGI", ".sgi .rgb .rgba .bw", b"\x01\xda"),
    _read("QOI", "QOI", ".qoi", b"qoif"),
    _read("DDS", "DDS", ".dds", b"DDS "),
    _read("PSD", "Photoshop (PSD)", ".psd", b"8BPS\x00\x01"),
    _not_read("picture", "large Photoshop document (PSB)", ".psb", b"8BPS"),
    _not_read("picture", "PostScript", ".eps .ps", b"%!PS", b"\xc5\xd0\xd3\xc6"),
    _not_read("picture", "SVG drawing", ".svg .svgz", b"<svg"),
    _not_read("picture", "Windows metafile", ".wmf .emf", b"\xd7\xcd\xc6\x9a", b"\x01\x00\x09\x00\x00\x03"),
    _not_read("picture", "Windows metafile (EMF)", "", b" EMF", at=40),
    _not_read("picture", "PAM or XV thumbnail", ".p7 .pam", b"P7"),
    _not_read("picture", "colour portable float map", "", b"PF"),
    _not_read("picture", "cursor", ".cur", b"\x00\x00\x02\x00"),
    _not_read("picture", "Apple icon (ICNS)", ".icns", b"icns"),
    _not_read("picture", "JPEG XR", ".jxr .wdp .hdp", b"II\xbc\x01"),
    _not_read("picture", "BPG", ".bpg", b"BPG\xfb"),
    _not_read("picture", "OpenEXR", ".exr", b"v/1\x01"),
    _not_read("picture", "Radiance HDR", ".hdr", b"#?RADIANCE", b"#?RGBE"),
    _not_read("picture", "FITS", ".fits .fit", b"SIMPLE  ="),
    _not_read("picture", "BLP texture", ".blp", b"BLP"),
    _not_read("picture", "FTEX texture", ".ftc .ftu", b"FTEX"),
    _not_read("picture", "GIMP document (XCF)", ".xcf", b"gimp xcf"),
    _not_read("picture", "Krita document", ".kra"),
    _not_read("picture", "DjVu document", ".djvu .djv", b"AT&TFORM"),
    _not_read("picture", "XBM", ".xbm", b"#define"),
    _not_read("picture", "XPM", ".xpm", b"/* XPM */"),
    _not_read("picture", "MSP", ".msp", b"DanM", b"LinS"),
    _not_read("picture", "FLI animation", ".fli .flc", b"\x11\xaf", b"\x12\xaf", at=4),
    _not_read("picture", "Microsoft compound document", ".fpx .mic", b"\xd0\xcf\x11\xe0"),
    _not_read("picture", "picture of a format that is long out of use", ".im .spider .iptc .gbr .wal .dcx"),
    _not_read("video", "AVI", ".avi", b"AVI ", at=8),
    _not_read("video", "Matroska or WebM", ".mkv .webm", b"\x1aE\xdf\xa3"),
    _not_read("video", "QuickTime", ".mov .qt", b"ftypqt  ", b"moov", b"wide", b"mdat", at=4),
    _not_read("video", "3GPP", ".3gp .3g2", b"ftyp3g", at=4),
    _not_read("video", "MPEG", ".mpg .mpeg .mts .m2ts .ts .vob", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"),
    _not_read("video", "Windows Media", ".wmv .asf", b"0&\xb2u\x8ef\xcf\x11"),
    _not_read("video", "Flash Video", ".flv", b"FLV\x01"),
    _not_read("video", "Ogg", ".ogv", b"OggS"),
    _not_read("other", "sound file (M4A)", ".m4a .m4b", b"ftypM4A", b"ftypM4B", at=4),
    _not_read("video", "MP4", ".mp4 .m4v", b"ftyp", at=4),  # what is left: isom, mp42, avc1, MSNV, dash …
    _not_read("document", "PDF", ".pdf", b"%PDF"),
    _not_read("document", "XML, perhaps SVG", "", b"<?xml"),
    _not_read("other", "web page", ".html", b"<!DOCTYPE", b"<!doctype", b"<html", b"<HTML"),
    _not_read("other", "ZIP archive", ".zip", b"PK\x03\x04"),
    _not_read("other", "gzip archive", ".gz", b"\x1f\x8b"),
    _not_read("other", "sound file (WAVE)", ".wav", b"WAVE", at=8),
    _not_read("other", "sound file (MP3)", ".mp3", b"ID3"),
    _not_read("other", "pointer of Git LFS, not the file itself", "", b"version https://git-lfs"),
)

CODES = frozenset(entry.code for entry in FORMATS if entry.kind == "read")
"""What `Decoded.format` can be."""

PICTURE_SUFFIXES = frozenset(
    suffix for entry in FORMATS if entry.kind in ("read", "picture") for suffix in entry.suffixes
)
"""What people call a picture by its name: tried whatever it holds, so that a refusal is shown and nobody wonders."""

HEAD_BYTES = 64
"""So many first bytes are enough for `recognise`."""

_TGA_FOOTER = b"TRUEVISION-XFILE.\x00"
_TGA_SUFFIXES = frozenset(suffix for entry in FORMATS if entry.code == "TGA" for suffix in entry.suffixes)

# Words that also begin plain text and data of other programs: too weak to call a nameless file a picture.
_WEAK = frozenset({"PPM", "PCX", "SGI", "ICO", "BMP"})


def recognise(head: bytes) -> Format | None:
    """Tell from the first bytes what a file is; None for no idea."""
    for entry in FORMATS:
        for offset, word in entry.magic:
            if head.startswith(word, offset) and _plausible(entry, head):
                return entry
    return None


def begins_like_a_picture(head: bytes) -> bool:
    """Whether a file whose name does not say so begins like a picture that is read."""
    entry = recognise(head)
    return entry is not None and entry.kind == "read" and (entry.code not in _WEAK or head.startswith(b"BM"))


def is_named_picture(path: str) -> bool:
    """Whether a file's name alone calls it a picture."""
    return suffix_of(path) in PICTURE_SUFFIXES


def is_targa(path: str, data: bytes) -> bool:
    """Whether a file is to be tried as TGA: by its end or its name, where its beginning says nothing better.

    A TGA of true colours begins like a cursor, one with a palette like an icon.
    """
    entry = recognise(data[:HEAD_BYTES])
    if entry is not None and entry.name != "cursor" and entry.code != "ICO":
        return False
    return data.endswith(_TGA_FOOTER) or suffix_of(path) in _TGA_SUFFIXES


def suffix_of(path: str) -> str:
    """The suffix of a file's name in lower case, with its dot."""
    return os.path.splitext(path)[1].lower()


def _plausible(entry: Format, head: bytes) -> bool:
    if entry.code == "PPM":  # "P5" and white space or a comment
        return head[2:3] in (b"\n", b" ", b"\t", b"\r", b"#")
    if entry.name == "QuickTime" and not head.startswith(b"ftyp", 4):  # an old movie: a box of plausible size
        return len(head) >= 8 and head[0] == 0 and int.from_bytes(head[:4], "big") >= 8
    return True

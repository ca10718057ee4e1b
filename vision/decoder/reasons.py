"""Why a file is not read, told truly: what it is, what it lacks, or what its format's own reader says of it."""

from __future__ import annotations

import io
import re

from PIL import Image

from vision.decoder.contract import RefusalError
from vision.decoder.known import Format, Kind
from vision.decoder.truncated import is_cut_short

_BY_KIND: dict[Kind, tuple[str, str]] = {
    "video": ("unsupported_format", "This is a video ({name}); videos are not read."),
    "document": ("unsupported_format", "This is a document ({name}), a format that is not read."),
    "picture": ("unsupported_format", "This is a picture in a format that is not read: {name}."),
    "other": ("not_an_image", "This is no picture but a {name}."),
}

_LACKING = re.compile(r"support|cannot handle|n[o']t implemented|unimplemented", re.IGNORECASE)


def says_unsupported(words: str) -> bool:
    """Whether a reader's complaint is that it lacks something, not that the file does."""
    return _LACKING.search(words) is not None


def unidentified(data: bytes, entry: Format | None, *, targa: bool) -> RefusalError:
    """Say why no reader has taken a file.

    Args:
        data: the whole file.
        entry: what it looks like.
        targa: it was tried as TGA, for its name or its end.
    """
    if targa:
        return RefusalError("corrupt", "The file is named like TGA, but its header is none.")
    if entry is None:
        return RefusalError("not_an_image", "The file is not a picture in any format that is known.")
    if entry.kind != "read":
        code, reason = _BY_KIND[entry.kind]
        return RefusalError(code, reason.format(name=entry.name))
    return _broken_header(data, entry)


def _broken_header(data: bytes, entry: Format) -> RefusalError:
    words = _readers_words(entry.code, data)
    if says_unsupported(words):
        return RefusalError("unsupported_format", f"This kind of {entry.name} is not read: {words}.")
    if is_cut_short(entry.code, data):
        return RefusalError("corrupt", f"The file begins like {entry.name}, but ends before its picture does.")
    said = f": {words}" if words else ""
    return RefusalError("corrupt", f"The file begins like {entry.name}, but its header is damaged{said}.")


def _readers_words(code: str, data: bytes) -> str:
    """What the format's own reader says of the file."""
    opener = Image.OPEN.get(code, (None,))[0]
    try:
        if opener is not None:
            opener(io.BytesIO(data), "").close()
    except Exception as error:  # it was asked for its complaint
        words = " ".join(str(error).split()).rstrip(".")[:200]
        return "" if "identif" in words else words  # "not identified by this driver" says nothing
    return ""

"""What lies beside a picture's file and speaks of it: XMP sidecars and the JSON of Google Takeout. Only ever read."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from indexer.archives import Listings
from indexer.webdataset import names_beside, read_shard_json, read_shard_text
from search.db.images import display_name
from vision.archives.listing import Listing, NotArchiveError, Text
from vision.archives.member import MemberError
from vision.archives.reading import MemberReader
from vision.carried.boxes import Frame
from vision.carried.facts import SIDECAR, TAKEOUT, Carried, Gathering, together
from vision.carried.xml_tree import MAX_BYTES
from vision.carried.xmp import read_xmp
from vision.decoder.known import is_named_picture
from vision.opening import open_regular
from vision.originals import archive_above

_SUPPLEMENT = ".supplemental-metadata"
_TAKEOUT_CHARS = 46
"""Takeout cuts the name of a JSON file, without its ending, to so many characters."""

_NUMBERED = re.compile(r"(.*)(\(\d{1,4}\))(\.[^.]*)", re.DOTALL)


@dataclass(slots=True)
class _Archive:
    archive: str
    listing: Listing
    folders: dict[str, dict[str, list[str]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Folder:
    """The listing of one folder, on the disk or in an archive.

    Attributes:
        path: of the folder.
        names: of what may speak of a picture, by their lower-case form.
        archive: in which it lies; None where it is a folder on the disk.
    """

    path: str
    names: dict[str, list[str]]
    archive: _Archive | None = None

    @property
    def shard(self) -> bool:
        """Whether it lies in a tar file."""
        return self.archive is not None and self.archive.listing.kind == "tar"

    def text(self, path: str) -> Text | None:
        """What is known of a text that lies in an archive."""
        return None if self.archive is None else self.archive.listing.texts[path[len(self.archive.archive) + 1 :]]


class Beside:
    """Finds and reads what lies beside pictures, in folders and in archives; the listing of the last folder is kept.

    Args:
        listings: of archives.
    """

    def __init__(self, listings: Listings | None = None) -> None:
        self._listings = listings or Listings()
        self._reader = MemberReader()
        self._folder = _Folder("", {})
        self._archive = _Archive("", Listing(""))

    def files(self, path: str) -> list[str]:
        """Paths of the files that speak of a picture: sidecars first."""
        folder, name = os.path.split(path)
        self._list(folder)
        wanted = [*_names_for(name), *(names_beside(name) if self._folder.shard else ())]
        found = dict.fromkeys(one for key in wanted for one in self._folder.names.get(key.lower(), ()))
        return [os.path.join(folder, one) for one in found]

    def token(self, path: str) -> str | None:
        """What changes when one of them does: hex; None where there is none."""
        digest, some = hashlib.sha256(), False
        for beside in self.files(path):
            try:
                facts = self._facts(beside)
            except OSError:
                continue
            some = True
            digest.update(os.fsencode(beside) + f"\0{facts}\0".encode())
        return digest.hexdigest() if some else None

    def said(self, path: str, frame: Frame) -> Carried:
        """What they say; what cannot be read, or is none, says nothing.

        Args:
            path: of the picture.
            frame: its size, and how it was turned.
        """
        said = []
        for one in self.files(path):
            data = self._content(one)
            if data is None:
                continue
            if one.lower().endswith(".xmp"):
                said.append(read_xmp(data, SIDECAR, frame))
            elif one.lower().endswith(".txt"):
                said.append(read_shard_text(data))
            elif self._folder.shard and os.path.basename(one) in names_beside(os.path.basename(path)):
                said.append(read_shard_json(data))
            else:
                said.append(read_takeout(data, display_name(path)))
        return together(said)

    def _facts(self, path: str) -> str:
        text = self._folder.text(path)
        if text is None:
            info = os.stat(path)
            return f"{info.st_size}\0{info.st_mtime_ns}\0{info.st_ctime_ns}"
        content = "" if text.content is None else hashlib.sha256(text.content).hexdigest()
        return f"{text.member}\0{text.member.mtime_ns}\0{content}"

    def _content(self, path: str) -> bytes | None:
        text = self._folder.text(path)
        try:
            if text is not None:
                return self._reader.read(self._archive.archive, text.member) if text.content is None else text.content
            with open_regular(path) as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, ValueError, MemberError):
            return None
        return data if len(data) <= MAX_BYTES else None

    def _list(self, folder: str) -> None:
        if folder == self._folder.path:
            return
        names: dict[str, list[str]] = {}
        self._folder = _Folder(folder, names)
        try:
            with os.scandir(folder) as listing:
                for entry in listing:
                    if is_beside(entry.name):
                        names.setdefault(entry.name.lower(), []).append(entry.name)
        except NotADirectoryError:
            self._list_archive(folder)
        except OSError:
            return  # The walk has said so.

    def _list_archive(self, folder: str) -> None:
        archive = archive_above(folder + "/")
        try:
            listing = Listing("") if archive is None else self._listings.of(archive)
        except (OSError, NotArchiveError):
            return
        if self._archive.archive != archive or self._archive.listing is not listing:
            self._archive = _Archive(archive or "", listing)
            for address in listing.texts:
                above, name = os.path.split(f"{archive}/{address}")
                self._archive.folders.setdefault(above, {}).setdefault(name.lower(), []).append(name)
        self._folder = _Folder(folder, self._archive.folders.get(folder, {}), self._archive)


def is_beside(name: str) -> bool:
    """Whether a file of this name may speak of a picture beside it."""
    return name.lower().endswith((".xmp", ".json"))


def pictures_of(folder: str, names: Collection[str]) -> list[str]:
    """Files in a folder of which one of these names of sidecars may speak; the sidecars need not be there any more."""
    wanted = {name.lower() for name in names}
    try:
        with os.scandir(folder) as listing:
            others = sorted(entry.name for entry in listing if not is_beside(entry.name))
    except OSError:
        return []  # What holds for the folder is told where it is looked at.
    return [os.path.join(folder, name) for name in others if any(one.lower() in wanted for one in _names_for(name))]


def _names_for(name: str) -> Iterator[str]:
    stem, _ = os.path.splitext(name)
    yield f"{name}.xmp"
    yield f"{stem}.xmp"
    numbered = _NUMBERED.fullmatch(name)
    for plain, number in [(name, "")] + ([(numbered[1] + numbered[3], numbered[2])] if numbered else []):
        whole = plain + _SUPPLEMENT
        for length in sorted({*range(len(plain), len(whole) + 1), _TAKEOUT_CHARS}):
            if length <= len(whole):
                yield f"{whole[:length]}{number}.json"


def read_takeout(data: bytes, name: str) -> Carried:
    """Read a JSON file of Google Takeout.

    Args:
        data: its content.
        name: of the picture; a title that is only a file's name says nothing.
    """
    found = Gathering(TAKEOUT)
    try:
        written = json.loads(data)
    except (ValueError, RecursionError):
        return found.done()
    if not isinstance(written, dict) or not {"photoTakenTime", "title", "url", "geoData"} & set(written):
        return found.done()  # somebody else's JSON
    title = written.get("title")
    if isinstance(title, str) and title != name and not is_named_picture(title):
        found.say(title)
    found.say(written.get("description"))
    people = written.get("people")
    for person in people[:1000] if isinstance(people, list) else ():
        if isinstance(person, dict):
            found.word("person", person.get("name"))
    for key in ("geoData", "geoDataExif"):
        place = written.get(key)
        if isinstance(place, dict):
            found.place(place.get("latitude"), place.get("longitude"), place.get("altitude"))
    taken = written.get("photoTakenTime")
    if isinstance(taken, dict):
        found.number("taken", taken.get("timestamp"))
    return found.done()

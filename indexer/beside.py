"""What lies beside a picture's file and speaks of it: XMP sidecars and the JSON of Google Takeout. Only ever read."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator

from search.db.images import display_name
from vision.carried.boxes import Frame
from vision.carried.facts import SIDECAR, TAKEOUT, Carried, Gathering, together
from vision.carried.xml_tree import MAX_BYTES
from vision.carried.xmp import read_xmp
from vision.decoder.known import is_named_picture
from vision.opening import open_regular

_SUPPLEMENT = ".supplemental-metadata"
_TAKEOUT_CHARS = 46
"""Takeout cuts the name of a JSON file, without its ending, to so many characters."""

_NUMBERED = re.compile(r"(.*)(\(\d{1,4}\))(\.[^.]*)", re.DOTALL)


class Beside:
    """Finds what lies beside pictures; the listing of the folder that was asked about last is kept."""

    def __init__(self) -> None:
        self._folder = ""
        self._names: dict[str, list[str]] = {}

    def files(self, path: str) -> list[str]:
        """Paths of the files that speak of a picture: sidecars first."""
        folder, name = os.path.split(path)
        self._list(folder)
        found = dict.fromkeys(one for wanted in _names_for(name) for one in self._names.get(wanted.lower(), ()))
        return [os.path.join(folder, one) for one in found]

    def token(self, path: str) -> str | None:
        """What changes when one of them does: hex; None where there is none."""
        digest, some = hashlib.sha256(), False
        for beside in self.files(path):
            try:
                info = os.stat(beside)
            except OSError:
                continue
            some = True
            digest.update(os.fsencode(beside) + f"\0{info.st_size}\0{info.st_mtime_ns}\0{info.st_ctime_ns}\0".encode())
        return digest.hexdigest() if some else None

    def _list(self, folder: str) -> None:
        if folder == self._folder:
            return
        self._folder, self._names = folder, {}
        try:
            with os.scandir(folder) as listing:
                for entry in listing:
                    if entry.name.lower().endswith((".xmp", ".json")):
                        self._names.setdefault(entry.name.lower(), []).append(entry.name)
        except OSError:
            return  # The walk has said so.


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


def read_beside(path: str, frame: Frame, beside: Beside) -> Carried:
    """Read all that lies beside a picture's file; what cannot be read, or is none, says nothing."""
    said = []
    for one in beside.files(path):
        data = _content(one)
        if data is None:
            continue
        if one.lower().endswith(".xmp"):
            said.append(read_xmp(data, SIDECAR, frame))
        else:
            said.append(read_takeout(data, display_name(path)))
    return together(said)


def _content(path: str) -> bytes | None:
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError):
        return None
    return data if len(data) <= MAX_BYTES else None


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

"""The texts of WebDataset shards: beside `key.jpg`, a caption in `key.txt`, or in the fields of `key.json`.

Source: WebDataset's README ("The WebDataset Format"); img2dataset's README ("Output format").
"""

from __future__ import annotations

import json

from vision.carried.facts import WEBDATASET, Carried, Gathering

_FIELDS = ("caption", "captions", "text", "TEXT", "title", "description", "alt")
_MOST_TEXTS = 8


def names_beside(name: str) -> tuple[str, str]:
    """The members that speak of a picture in a shard: its key is its name up to the first dot."""
    key = name.split(".", 1)[0]
    return f"{key}.txt", f"{key}.json"


def read_shard_text(data: bytes) -> Carried:
    """A caption in a `.txt` member."""
    found = Gathering(WEBDATASET)
    found.say(data.decode("utf-8-sig", "replace"))
    return found.done()


def read_shard_json(data: bytes) -> Carried:
    """The captions among the fields of a `.json` member, or the member itself where it is one text."""
    found = Gathering(WEBDATASET)
    try:
        written = json.loads(data)
    except (ValueError, RecursionError):
        return found.done()
    values = [written.get(name) for name in _FIELDS] if isinstance(written, dict) else [written]
    for value in values:
        for text in value[:_MOST_TEXTS] if isinstance(value, list) else [value]:
            found.say(text if isinstance(text, str) else None)
    return found.done()

"""Read a small XML document of a stranger: no document type, no entities, bounded in bytes, nodes and depth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn
from xml.parsers import expat

MAX_BYTES = 1024 * 1024
_MAX_NODES = 20_000
_MAX_DEPTH = 40
_MAX_TEXT_CHARS = 200_000


class XmlError(Exception):
    """A document that is none, or that is not read."""


@dataclass(slots=True)
class Node:
    """One element.

    Attributes:
        space: its namespace.
        name: its name without prefix.
        attributes: by their names as `namespace name`, or the bare name.
        text: directly inside it.
    """

    space: str
    name: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    text: str = ""


def parse(data: bytes) -> Node:
    """Read a document.

    Raises:
        XmlError: it is not well-formed, has a document type, or is larger than what is read.
    """
    if len(data) > MAX_BYTES:
        raise XmlError(f"a document of {len(data)} bytes")
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    try:
        parser.Parse(data.strip(b"\0 \t\r\n"), True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise XmlError(str(error)) from error
    if builder.root is None:
        raise XmlError("no element")
    return builder.root


def _refuse(*_: object) -> NoReturn:
    raise XmlError("a document type")


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._nodes = 0
        self._chars = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1
        self._chars += sum(map(len, attributes.values()))
        if self._nodes > _MAX_NODES or len(self._open) >= _MAX_DEPTH or self._chars > _MAX_TEXT_CHARS:
            raise XmlError("more than what is read")
        space, _, local = name.rpartition(" ")
        node = Node(space, local, attributes)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, name: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._chars += len(text)
        if self._chars > _MAX_TEXT_CHARS:
            raise XmlError("more than what is read")
        self._open[-1].text += text

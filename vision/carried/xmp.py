"""Titles, descriptions, keywords, stars, places and named regions in XMP (ISO 16684-1), embedded or beside the file."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vision.carried.boxes import Frame, from_centre, from_corner
from vision.carried.facts import NOTHING, Carried, Gathering, as_number, one_line
from vision.carried.xml_tree import Node, XmlError, parse

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DC = "http://purl.org/dc/elements/1.1/"
_XMP = "http://ns.adobe.com/xap/1.0/"
_EXIF = "http://ns.adobe.com/exif/1.0/"
_PERSON = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_MWG = "http://www.metadataworkinggroup.com/schemas/regions/"
_MICROSOFT = "http://ns.microsoft.com/photo/1.2/"
_ACDSEE = "http://ns.acdsee.com/regions/"
_LANG = "http://www.w3.org/XML/1998/namespace lang"

_NOT_PEOPLE = frozenset({"pet", "focus", "barcode"})
_DEGREES = re.compile(r"(\d{1,3}),(\d{1,2}(?:\.\d{1,12})?)(?:,(\d{1,2}(?:\.\d{1,12})?))?([NSEW])")


def read_xmp(packet: bytes, source: str, frame: Frame) -> Carried:
    """Read a packet or the content of a sidecar; nothing where it is damaged or not XMP.

    Args:
        packet: XML, with or without `xpacket` around it.
        source: to be named with each fact.
        frame: of the picture, for its regions.
    """
    try:
        root = parse(packet)
    except XmlError:
        return NOTHING
    found = Gathering(source)
    for rdf in [root] if root.name == "RDF" else [one for one in root.children if one.name == "RDF"]:
        for about in rdf.children:
            if (about.space, about.name) == (_RDF, "Description"):
                _words(about, found)
                _numbers(about, found)
                _regions(about, found, frame)
    return found.done()


def _words(about: Node, found: Gathering) -> None:
    for name in ("title", "description"):
        found.say(_preferred(_property(about, _DC, name)))
    found.keywords([item.text for item in _items(_property(about, _DC, "subject"))])
    for item in _items(_property(about, _PERSON, "PersonInImage")):
        found.word("person", item.text)


def _numbers(about: Node, found: Gathering) -> None:
    rating = _property(about, _XMP, "Rating")
    if rating is not None:
        found.number("rating", rating.text)
    ends = [_property(about, _EXIF, name) for name in ("GPSLatitude", "GPSLongitude")]
    north, east = (None if end is None else _degrees(end.text) for end in ends)
    found.place(north, east)


def _degrees(text: str) -> float | None:
    """`48,51.63N` or `48,51,38N`."""
    match = _DEGREES.fullmatch(text.strip())
    if match is None:
        return None
    degrees = float(match[1]) + float(match[2]) / 60 + float(match[3] or 0) / 3600
    return -degrees if match[4] in "SW" else degrees


def _regions(about: Node, found: Gathering, frame: Frame) -> None:
    for space, areas in ((_MWG, ("Area",)), (_ACDSEE, ("DLYArea", "ALGArea"))):
        regions = _property(about, space, "Regions")
        if regions is None:
            continue
        size = _field(regions, "AppliedToDimensions")
        placed = frame.applied_to(_number(size, "w"), _number(size, "h"))
        for item in _items(_field(regions, "RegionList")):
            area = next((one for name in areas if (one := _field(item, name)) is not None), None)
            box = None if area is None else from_centre(*(_number(area, name) for name in ("x", "y", "w", "h")))
            kind = _text(item, "Type").lower()
            found.named(_text(item, "Name"), placed.upright(box), person=kind not in _NOT_PEOPLE)
    info = _property(about, _MICROSOFT, "RegionInfo")
    for item in _items(None if info is None else _field(info, "Regions")):
        corner = [as_number(part) for part in _text(item, "Rectangle").split(",")[:5]]
        box = from_corner(*corner) if len(corner) == 4 else None
        found.named(_text(item, "PersonDisplayName"), frame.upright(box), person=True)


def _property(about: Node, space: str, name: str) -> Node | None:
    """A property, whether it is written as an attribute or as an element."""
    written = about.attributes.get(f"{space} {name}")
    if written is not None:
        return Node(space, name, {}, [], written)
    return next((one for one in about.children if (one.space, one.name) == (space, name)), None)


def _items(node: Node | None) -> Iterator[Node]:
    """The items of a bag, a sequence or alternatives; a bare value is the only one."""
    if node is None:
        return
    lists = [one for one in node.children if one.space == _RDF and one.name in ("Bag", "Seq", "Alt")]
    if not lists and node.text.strip():
        yield node
    for one in lists:
        yield from (item for item in one.children if (item.space, item.name) == (_RDF, "li"))


def _preferred(node: Node | None) -> str:
    """Of the same text in several languages the one that is marked as the default, else the first."""
    items = list(_items(node))
    best = next((one for one in items if one.attributes.get(_LANG) == "x-default"), items[0] if items else None)
    return "" if best is None else best.text


def _field(structure: Node, name: str) -> Node | None:
    """A field of a structure: its own attribute or element, or of a description inside it."""
    inner = [one for one in structure.children if (one.space, one.name) == (_RDF, "Description")]
    for holder in (structure, *inner):
        for child in holder.children:
            if child.name == name:
                return child
        for key, value in holder.attributes.items():
            if key.rpartition(" ")[2] == name:
                return Node("", name, {}, [], value)
    return None


def _text(structure: Node, name: str) -> str:
    one = _field(structure, name)
    return "" if one is None else one_line(one.text, 300)


def _number(structure: Node | None, name: str) -> float | None:
    return None if structure is None else as_number(_text(structure, name))

"""What a picture carries, for its page: in words, with who says so, and where to find more like it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from search.results import FactInfo

_MOST_PIECES = 40


@dataclass(frozen=True, slots=True)
class Piece:
    """One value; `query` finds more with it, where a filter does."""

    text: str
    query: str = ""


@dataclass(frozen=True, slots=True)
class ShownFact:
    """A line of the page.

    Attributes:
        sources: who says so, in words.
    """

    label: str
    pieces: tuple[Piece, ...]
    sources: str


def shown_facts(facts: Sequence[FactInfo]) -> list[ShownFact]:
    """The lines that there is something to say in."""
    lines = [
        _line("Camera", [one for one in facts if one.name == "camera"], lambda one: _word("camera", one)),
        _line("Lens", [one for one in facts if one.name == "lens"], lambda one: _word("lens", one)),
        _line("Exposure", _first(facts, tuple(_EXPOSURE)), lambda one: _EXPOSURE[one.name](one.number or 0.0)),
        _place(facts),
        _line("Rating", _first(facts, ("rating",)), _stars),
        _line("People", [one for one in facts if one.name == "person"], lambda one: _word("person", one)),
        _line("Keywords", [one for one in facts if one.name == "keyword"], lambda one: _word("tag", one)),
    ]
    return [line for line in lines if line is not None]


def _first(facts: Sequence[FactInfo], names: Sequence[str]) -> list[FactInfo]:
    """Of each name the fact that was said first."""
    found: dict[str, FactInfo] = {}
    for one in facts:
        found.setdefault(one.name, one)
    return [found[name] for name in names if name in found]


def _line(label: str, facts: Sequence[FactInfo], shown: Callable[[FactInfo], Piece]) -> ShownFact | None:
    pieces = dict.fromkeys(shown(one) for one in facts[:_MOST_PIECES])
    sources = dict.fromkeys(one.source for one in facts)
    return ShownFact(label, tuple(pieces), ", ".join(sources)) if pieces else None


def _word(filter_name: str, fact: FactInfo) -> Piece:
    text = fact.text or ""
    # Quotation marks would end the value, and a star stands for anything.
    value = " ".join(text.replace('"', " ").replace("*", " ").split())
    return Piece(text, f'{filter_name}:"{value}"' if value == text else "")


def _exposure(seconds: float) -> Piece:
    return Piece(f"1/{1 / seconds:.0f} s" if 0 < seconds < 0.3 else f"{seconds:.3g} s")


_EXPOSURE: Mapping[str, Callable[[float], Piece]] = {
    "exposure": _exposure,
    "aperture": lambda stop: Piece(f"f/{stop:.3g}"),
    "iso": lambda speed: Piece(f"ISO {speed:.0f}", f"iso:{speed:.0f}"),
    "focal": lambda mm: Piece(f"{mm:g} mm", f"focal:{mm:.6f}".rstrip("0").rstrip(".")),
}


def _stars(fact: FactInfo) -> Piece:
    return Piece(f"{fact.number:g} of 5", f"rating:{fact.number:g}")


def _place(facts: Sequence[FactInfo]) -> ShownFact | None:
    """The first place that a source gives whole."""
    for source in dict.fromkeys(one.source for one in facts):
        told = {one.name: one.number for one in facts if one.source == source and one.number is not None}
        if "latitude" in told and "longitude" in told:
            north, east = told["latitude"], told["longitude"]
            where = f"{abs(north):.5f}° {'NS'[north < 0]}, {abs(east):.5f}° {'EW'[east < 0]}"
            pieces = [Piece(where, f"near:{north:.5f},{east:.5f},1km")]
            pieces += [Piece(f"{told['altitude']:.0f} m")] if "altitude" in told else []
            return ShownFact("Place", tuple(pieces), source)
    return None

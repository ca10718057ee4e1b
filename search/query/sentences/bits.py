"""Cuts a Chinese sentence, which has no blanks, into noun phrases and the small words between them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from search.query.sentences.table import Table

BitKind: TypeAlias = Literal["noun", "relation", "place", "and", "or", "no", "of", "at", "has", "comma", "stop"]


@dataclass(slots=True)
class Bit:
    """A noun phrase or a small word, and where it stands."""

    kind: BitKind
    start: int
    end: int
    value: str = ""
    number: int = 0
    plain: int = 0  # where the noun phrase begins behind number and measure word
    thing: int = -1


_COMMA, _STOP = "，、,；;", '。！？!?：:…（）()「」“”"\n '
_DIGITS = re.compile(r"\d{1,2}(?!\d)")
SIZED_ALREADY = (
    "大象",
    "大海",
    "大楼",
    "大厦",
    "大门",
    "大人",
    "大熊猫",
    "大衣",
    "小孩",
    "小麦",
    "小提琴",
    "小朋友",
    "大家",
)
_AT = ("站在", "坐在", "躺在", "位于", "停在", "放在", "趴在", "挂在", "走在", "飞在", "在")
_HAS = ("有", "是", "站着", "坐着", "躺着", "停着", "放着", "挂着")
_TAILS = re.compile(r"的?(?:图片|照片|画|图|画面|相片|圖片)[。！!]?\s*$")
_OPENED = re.compile(r"[一这](?:张|幅|張|个)")
_ALONE_NOT = (
    "上海",
    "中国",
    "里程",
    "下巴",
    "前景",
    "后院",
    "中午",
    "上衣",
    "下午",
    "上午",
    "左轮",
    "无人机",
    "和服",
    "有轨",
)
"""Words that begin like a small word and are none."""


class Cutter:
    """Cuts one sentence.

    Attributes:
        bits: what was found, in the order of the text.
        scenery: nouns that are where a picture was taken.
    """

    def __init__(self, text: str, table: Table) -> None:
        self._text = text
        self._table = table
        self.scenery = frozenset(table.scenery.split())
        self.bits: list[Bit] = []
        self._attributes = frozenset(self._table.colours.split())
        tables: tuple[tuple[BitKind, dict[str, str]], ...] = (
            ("place", {p: name for name, phrases in self._table.places.items() for p in phrases.split("|")}),
            ("relation", {p: name for name, phrases in self._table.relations.items() for p in phrases.split("|")}),
            ("no", dict.fromkeys(self._table.negations.split("|"), "")),
            ("and", dict.fromkeys(self._table.both.split("|"), "")),
            ("or", dict.fromkeys(self._table.either.split("|"), "")),
            ("at", dict.fromkeys(_AT, "")),
            ("has", dict.fromkeys(_HAS, "")),
        )
        self._small = {phrase: (kind, value) for kind, found in reversed(tables) for phrase, value in found.items()}
        self._longest = max(map(len, self._small))
        start, end = self._body()
        self._cut(start, end)

    def _body(self) -> tuple[int, int]:
        """The sentence without what opens and ends it and shows nothing: "一张…的图片"."""
        start, end = 0, len(self._text)
        leads = sorted(self._table.leads.split("|"), key=len, reverse=True)
        found = True
        while found:
            found = False
            for lead in leads:
                if self._text.startswith(lead, start) and start + len(lead) < end:
                    start += len(lead)
                    found = True
                    break
        if (tail := _TAILS.search(self._text, start)) and tail.start() > start:
            end = tail.start()
            if start == 0 and (opening := _OPENED.match(self._text, start, end)):
                start = opening.end() if opening.end() < end else start
        return start, end

    def _cut(self, start: int, end: int) -> None:
        """Cut into noun phrases and small words."""
        at = begun = start
        while at < end:
            small = self._small_at(at, begun, end)
            if small is None:
                at += 1
                continue
            self._noun(begun, at)
            self.bits.append(small)
            at = begun = small.end
        self._noun(begun, end)

    def _small_at(self, at: int, begun: int, end: int) -> Bit | None:
        char = self._text[at]
        if char in _COMMA or char in _STOP:
            return Bit("comma" if char in _COMMA else "stop", at, at + 1)
        if self._text.startswith(_ALONE_NOT, at) or self._text.startswith(SIZED_ALREADY, at):
            return None
        for length in range(min(self._longest, end - at), 0, -1):
            entry = self._small.get(self._text[at : at + length])
            if entry is None:
                continue
            kind, value = entry
            after = at + length
            if kind == "relation" and length == 1 and not self._closes(at, begun, after, end):
                continue
            return Bit(kind, at, after, value)
        if char == "的" and self._splits(at, begun):
            return Bit("of", at, at + 1)
        return None

    def _closes(self, at: int, begun: int, after: int, end: int) -> bool:
        """Whether a single 上, 里 … ends a place rather than begins or fills a word."""
        if at == begun:
            return False
        if after >= end or self._text[after] in _COMMA + _STOP + "的有是没沒无無站坐躺停":
            return True
        number = self._text[after] in self._table.numbers or self._text[after].isdecimal()
        return number and after + 1 < end and self._text[after + 1] in self._table.measures

    def _splits(self, at: int, begun: int) -> bool:
        """Whether 的 stands behind a relation, before one, or between what is lacking and what lacks it."""
        if at == begun:
            return True
        if any(
            self._text[at + 1 : at + 1 + length] in self._small
            and self._small[self._text[at + 1 : at + 1 + length]][0] == "relation"
            for length in (1, 2, 3)
        ):
            return True
        if self.bits and self.bits[-1].kind == "at" and self._text[begun:at] in self.scenery:
            return True
        denied = bool(self.bits) and self.bits[-1].kind == "no"
        opening = not any(bit.kind == "noun" for bit in self.bits)
        return denied and opening and self._text[begun:at] not in self._attributes

    def _noun(self, start: int, end: int) -> None:
        while start < end and self._text[start] in "的着了 ":
            start += 1
        while end > start and self._text[end - 1] in "的着了 ":
            end -= 1
        if start >= end:
            return
        number, plain = 0, start
        digits = _DIGITS.match(self._text, start, end)
        length = len(digits[0]) if digits else 1
        if digits or self._text[start] in self._table.numbers:
            after = start + length
            if after < end - 1 and self._text[after] in self._table.measures:
                number = int(digits[0]) if digits else self._table.numbers[self._text[start]]
                plain = after + 1
        self.bits.append(Bit("noun", start, end, number=number, plain=plain))

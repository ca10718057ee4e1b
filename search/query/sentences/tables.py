"""The tables of all languages by their codes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from search.query.sentences.chinese import CHINESE
from search.query.sentences.english import ENGLISH
from search.query.sentences.french import FRENCH
from search.query.sentences.german import GERMAN
from search.query.sentences.spanish import SPANISH
from search.query.sentences.table import Table
from search.query.sentences.ukrainian import UKRAINIAN

TABLES: Mapping[str, Table] = MappingProxyType(
    {table.code: table for table in (ENGLISH, GERMAN, FRENCH, SPANISH, UKRAINIAN, CHINESE)}
)
"""Every language that is read, by its ISO 639-1 code."""

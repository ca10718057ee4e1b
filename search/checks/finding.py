"""What `verify` has to say: one finding per thing that is wrong, and how much was looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from search.vectors.segments import REPAIR

REINDEX = "Run `deixis index`."
REBUILD = "Run `deixis rebuild`."
RESTORE = "Restore the database from a backup, or begin a new library in an empty home."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it must be.

    Attributes:
        code: a stable name; docs/formats.md lists them all.
        where: the file, table or row.
        message: what is wrong, for people.
        remedy: what to do about it.
        table: of the database, where the finding is about a row.
        row: that row's `id`, where it can be read.
    """

    code: str
    where: str
    message: str
    remedy: str
    table: str | None = None
    row: int | None = None


REFETCH = "Run `deixis index --rescan --from-urls` with its URL: it is fetched again."
RESTORE_OR_IMPORT = (
    "Restore the database from a backup; a text of an annotation file is put right by importing that file again."
)
CLEARED = "Harmless: an interrupted run left it, and the next `deixis index` removes it."

REMEDIES = {
    "row_invalid": RESTORE,
    "text_digest": RESTORE_OR_IMPORT,
    "file_outside_root": RESTORE,
    "no_active_model": REINDEX,
    "unchecked": "See to the other findings first, then run `deixis verify` again.",
    "database_damaged": RESTORE,
    "foreign_key": RESTORE,
    "region_of_other_image": RESTORE,
    "span_outside_caption": RESTORE,
    "image_without_vector": REINDEX,
    "text_without_vector": REINDEX,
    "line_unfindable": REBUILD,
    "row_in_wrong_segment": RESTORE,
    "segment_missing": REPAIR,
    "segment_header": REPAIR,
    "segment_truncated": REPAIR,
    "segment_block": REPAIR,
    "segment_tail": CLEARED,
    "row_without_vector": REPAIR,
    "vector_without_row": REPAIR,
    "vector_not_unit": REPAIR,
    "stray_file": CLEARED,
    "unfinished_file": CLEARED,
    "lock_file": "Remove it: it is not what Deixis has made, and no job needs it.",
    "preview_damaged": REBUILD,
    "copy_missing": REFETCH,
    "copy_damaged": REFETCH,
    "stray_copy": CLEARED,
    "stray_preview": REBUILD,
    "patches_damaged": "Run `deixis rebuild`, then `deixis index`: they are made again.",
    "stray_patches": REBUILD,
    "generation_missing": REBUILD,
    "generation_checksum": REBUILD,
    "generation_ids": REBUILD,
    "generation_vectors": REBUILD,
    "catalogue": REBUILD,
    "unpublished": REINDEX,
}
"""Every code that a finding can have, with its remedy."""


@dataclass(slots=True)
class VerifyReport:
    """The outcome of `verify`.

    Attributes:
        findings: what is wrong, in the order in which it was found; empty is clean.
        checked: how much was looked at, by name (`segments`, `vectors`, `generations`, `files`, …), and what is
            neither wrong nor in use (`dead_embeddings`, `images_without_file`, `unused_texts`), or not made yet
            (`boxes_without_vector`).
    """

    findings: list[Finding] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether everything agrees."""
        return not self.findings

    @property
    def codes(self) -> set[str]:
        """The distinct codes of the findings."""
        return {finding.code for finding in self.findings}

    def add(self, code: str, where: str, message: str) -> None:
        """Note a finding; its remedy is that of its code."""
        self.findings.append(Finding(code, where, message, REMEDIES[code]))

    def add_row(self, code: str, table: str, row: int | None, message: str) -> None:
        """Note a finding about a row of the database."""
        where = f"{table} row {'(number unreadable)' if row is None else row}"
        self.findings.append(Finding(code, where, message, REMEDIES[code], table, row))


OnProgress = Callable[[int, int], None]
"""Called with the bytes read so far and the bytes there are."""


def silent(_done_bytes: int, _total_bytes: int) -> None:
    """Report no progress."""

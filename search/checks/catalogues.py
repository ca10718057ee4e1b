"""Does the published catalogue hold exactly what the rows say belongs together?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from search.catalogue.build import build
from search.catalogue.catalogue import LINE, TEXT, Catalogue
from search.catalogue.file import load_catalogue
from search.checks.finding import VerifyReport
from search.db.schema import Generation
from search.errors import CorruptionError
from search.library import Library


def check_catalogue(library: Library, row: Generation, report: VerifyReport, on_bytes: Callable[[int], None]) -> None:
    """Check one catalogue's file; of the active one also what is inside, with what came since.

    Args:
        row: its generation.
        report: gets the findings.
        on_bytes: told of bytes that have been read.
    """
    report.checked["generations"] += 1
    try:
        catalogue, since = load_catalogue(library.vectors.generations_folder / row.file_name, row.sha256)
    except FileNotFoundError:
        report.add("generation_missing", row.file_name, f"the catalogue of {row.vectors} pictures is not there")
        return
    except CorruptionError as error:
        report.add("generation_checksum", row.file_name, error.args[0])
        return
    on_bytes(row.size_bytes)
    if not row.active:
        return
    with library.read() as session:
        whole = build(session, row.model_id)
        grown = build(session, row.model_id, catalogue, since)
    missing = _lacks(grown, whole)
    if missing:
        report.add("catalogue", row.file_name, f"it lacks {missing}")


def _lacks(found: Catalogue, whole: Catalogue) -> str:
    """What of the rows is not in the catalogue, in words; what is gone since is only left out of the answers."""
    images = np.setdiff1d(whole.images, found.images)
    if len(images):
        return f"{len(images)} pictures"
    for kind, one, many in ((TEXT, "text", "texts"), (LINE, "line of text", "lines of text")):
        texts = np.setdiff1d(whole.doc_id[whole.doc_kind == kind], found.doc_id[found.doc_kind == kind])
        if len(texts):
            return f"{len(texts)} {many}"
        pairs = _pairs(whole, kind) - _pairs(found, kind)
        if pairs:
            return f"{len(pairs)} pairs of a picture and a {one}"
    return ""


def _pairs(catalogue: Catalogue, kind: int) -> set[tuple[int, int]]:
    at, rows = catalogue.docs_of(np.arange(len(catalogue.images)))
    texts = catalogue.doc_kind[rows] == kind
    return set(zip(catalogue.images[at[texts]].tolist(), catalogue.doc_id[rows[texts]].tolist(), strict=True))

"""The live set is asked for by way of indexes: a wrong plan costs minutes at a hundred thousand pictures."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import event
from stock import Stock

from search.ascending import is_member
from search.vectors.live import live_ids


@pytest.mark.parametrize("kind", ["image", "text"])
def test_sqlite_looks_images_up_instead_of_walking_all_files(sqlite_stock: Stock, kind: str) -> None:
    statements: list[tuple[str, tuple[object, ...]]] = []
    library = sqlite_stock.library
    with library.read() as session:
        connection = session.connection()

        @event.listens_for(connection, "before_cursor_execute")
        def remember(_connection, _cursor, statement, parameters, _context, _many) -> None:  # type: ignore[no-untyped-def]  # SQLAlchemy's signature
            statements.append((statement, parameters))

        live_ids(session, sqlite_stock.model.id, kind)
        (statement, parameters) = statements[-1]
        plan = [str(row[3]) for row in connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters)]
    assert any("ix_files_image_id_state (image_id=? AND state=?)" in step for step in plan), plan
    assert not any(
        step.startswith("SCAN") and step.split()[1] not in ("embeddings", "caption_generations") for step in plan
    ), plan


@pytest.mark.parametrize(
    ("ids", "ascending", "expected"),
    [
        ([5, 1, 9], [1, 2, 9], [False, True, True]),
        ([5], [], [False]),
        ([], [1, 2], []),
        ([100], [1, 2], [False]),
        ([2, 2], [2], [True, True]),
    ],
)
def test_membership(ids: list[int], ascending: list[int], expected: list[bool]) -> None:
    assert is_member(np.array(ids, np.int64), np.array(ascending, np.int64)).tolist() == expected

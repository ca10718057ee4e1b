"""How measured figures are shown to people: a table with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy comes with it, which a help page does without
    from search.evaluation.ranking import Figure

_NAME_CHARS = 28
_COLUMN_CHARS = 22


def figure_table(columns: Sequence[str], rows: Mapping[str, Sequence[Figure]]) -> str:
    """A row a name, a column a run; each cell the figure with its interval, the last how many were asked."""
    head = " " * _NAME_CHARS + "".join(f"{column:>{_COLUMN_CHARS}}" for column in columns) + f"{'n':>8}"
    lines = [head] if len(columns) > 1 else []
    for name, some in rows.items():
        cells = "".join(f"{_cell(figure):>{_COLUMN_CHARS}}" for figure in some)
        lines.append(f"{name:<{_NAME_CHARS}}{cells}{max((figure.n for figure in some), default=0):>8}")
    return "\n".join(lines)


def _cell(figure: Figure) -> str:
    return str(figure) if figure.n else "–"

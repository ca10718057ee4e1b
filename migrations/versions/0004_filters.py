"""Indexes by which filters find their pictures; names of files in the order of their bytes.

Revision: 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INDEXES = (
    ("images", ("taken_at", "taken_offset_min")),
    ("images", ("format",)),
    ("images", ("size_bytes", "width_px", "height_px")),
    ("files", ("name_key", "state", "image_id")),
    ("captions", ("language", "image_id")),
    ("captions", ("source", "image_id")),
    ("regions", ("source", "image_id")),
)


def upgrade() -> None:
    op.drop_index("ix_files_name_key", "files")
    _order_names("C")
    for table, columns in _INDEXES:
        op.create_index("_".join(("ix", table, *columns)), table, list(columns))


def downgrade() -> None:
    for table, columns in reversed(_INDEXES):
        op.drop_index("_".join(("ix", table, *columns)), table)
    _order_names("default")
    op.create_index("ix_files_name_key", "files", ["name_key"])


def _order_names(collation: str) -> None:
    """SQLite compares bytes unless told otherwise."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("files", "name_key", type_=sa.Text(collation=collation))

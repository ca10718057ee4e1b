"""Facts that pictures carry: cameras, lenses, exposures, places.

Revision: 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_INDEXES = (("image_id", "name"), ("name", "key", "image_id"), ("name", "number", "image_id"))


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("images", sa.Column("facts_version", sa.Integer()))
    op.add_column("files", sa.Column("beside", sa.String(64)))
    op.create_table(
        "facts",
        sa.Column("id", big, nullable=False),
        sa.Column("image_id", big, nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("key", bytewise),
        sa.Column("number", sa.Float()),
        sa.Column("source", sa.String(64), nullable=False),
        sa.CheckConstraint("(key IS NULL) = (text IS NULL)", name="text_has_key"),
        sa.CheckConstraint("(number IS NULL) <> (text IS NULL)", name="text_or_number"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_facts_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_facts"),
    )
    for columns in _INDEXES:
        op.create_index("_".join(("ix_facts", *columns)), "facts", list(columns))


def downgrade() -> None:
    op.drop_table("facts")
    op.drop_column("files", "beside")
    op.drop_column("images", "facts_version")

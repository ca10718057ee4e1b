"""Lines of text that were read in pictures, kept apart from things that are seen, with the words to find them by.

Revision: 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.add_column("regions", sa.Column("is_read", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "readings",
        sa.Column("id", big, nullable=False),
        sa.Column("image_id", big, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_readings_image_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_readings"),
        sa.UniqueConstraint("image_id", "source", name="uq_readings_image_id_source"),
    )
    op.create_index("ix_readings_source_image_id", "readings", ["source", "image_id"])
    op.create_table(
        "read_words",
        sa.Column("id", big, nullable=False),
        sa.Column("word", bytewise, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_read_words"),
        sa.UniqueConstraint("word", name="uq_read_words_word"),
    )
    op.create_table(
        "read_spellings",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("word_id", big, nullable=False),
        sa.ForeignKeyConstraint(["word_id"], ["read_words.id"], name="fk_read_spellings_word_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", "word_id", name="pk_read_spellings"),
    )
    op.create_index("ix_read_spellings_word_id", "read_spellings", ["word_id"])


def downgrade() -> None:
    op.drop_table("read_spellings")
    op.drop_table("read_words")
    op.drop_table("readings")
    # Without the column they would be things that are seen.
    op.execute("UPDATE embeddings SET region_id = NULL WHERE region_id IN (SELECT id FROM regions WHERE is_read)")
    op.execute("DELETE FROM regions WHERE is_read")
    op.drop_column("regions", "is_read")

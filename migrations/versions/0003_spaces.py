"""Vectors of regions, measured effort, perceptual hashes, calibrated relevance; no more full text in the database.

Revision: 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_FULLTEXT_SQLITE = (
    "CREATE VIRTUAL TABLE texts_fts USING fts5("
    "body, content='texts', content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')",
    "CREATE TRIGGER texts_fts_insert AFTER INSERT ON texts BEGIN "
    "INSERT INTO texts_fts(rowid, body) VALUES (new.id, new.body); END",
    "CREATE TRIGGER texts_fts_delete AFTER DELETE ON texts BEGIN "
    "INSERT INTO texts_fts(texts_fts, rowid, body) VALUES ('delete', old.id, old.body); END",
    "CREATE TRIGGER texts_fts_update AFTER UPDATE OF id, body ON texts BEGIN "
    "INSERT INTO texts_fts(texts_fts, rowid, body) VALUES ('delete', old.id, old.body); "
    "INSERT INTO texts_fts(rowid, body) VALUES (new.id, new.body); END",
    "INSERT INTO texts_fts(texts_fts) VALUES ('rebuild')",
)
_FULLTEXT_POSTGRES = (
    "ALTER TABLE texts ADD COLUMN body_tsv tsvector "
    "GENERATED ALWAYS AS (to_tsvector('english'::regconfig, left(body, 65536))) STORED",
    "CREATE INDEX ix_texts_body_tsv ON texts USING gin (body_tsv)",
)
_NO_FULLTEXT_SQLITE = (
    "DROP TRIGGER texts_fts_insert",
    "DROP TRIGGER texts_fts_delete",
    "DROP TRIGGER texts_fts_update",
    "DROP TABLE texts_fts",
)
_NO_FULLTEXT_POSTGRES = ("DROP INDEX IF EXISTS ix_texts_body_tsv", "ALTER TABLE texts DROP COLUMN body_tsv")


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _NO_FULLTEXT_SQLITE if on_sqlite else _NO_FULLTEXT_POSTGRES:
        op.execute(statement)
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("embeddings", sa.Column("region_id", big, nullable=True))
    op.create_index("uq_embeddings_model_id_region_id", "embeddings", ["model_id", "region_id"], unique=True)
    op.create_index("ix_embeddings_region_id", "embeddings", ["region_id"])
    op.add_column("generations", sa.Column("measured", sa.JSON()))
    op.add_column("images", sa.Column("perceptual_hash", sa.BigInteger()))
    op.create_table(
        "calibrations",
        sa.Column("id", big, nullable=False),
        sa.Column("model_id", big, sa.ForeignKey("models.id", name="fk_calibrations_model_id"), nullable=False),
        sa.Column("query_class", sa.String(32), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calibrations"),
        sa.UniqueConstraint("model_id", "query_class", name="uq_calibrations_model_id_query_class"),
    )


def downgrade() -> None:
    op.drop_table("calibrations")
    op.drop_column("images", "perceptual_hash")
    op.drop_column("generations", "measured")
    op.drop_index("ix_embeddings_region_id", "embeddings")
    op.drop_index("uq_embeddings_model_id_region_id", "embeddings")
    op.drop_column("embeddings", "region_id")
    for statement in _FULLTEXT_SQLITE if op.get_bind().dialect.name == "sqlite" else _FULLTEXT_POSTGRES:
        op.execute(statement)

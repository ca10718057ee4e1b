"""The first form of the library: pictures, words, vectors and the full-text index.

Revision: 0001, the first. Types are spelled out rather than imported: a migration must not change when a model does.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_PATH = sa.LargeBinary()

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
)
# Cut because a tsvector holds at most 1 MB: a monstrous text is stored whole, and found by its beginning.
_FULLTEXT_POSTGRES = (
    "ALTER TABLE texts ADD COLUMN body_tsv tsvector "
    "GENERATED ALWAYS AS (to_tsvector('english'::regconfig, left(body, 65536))) STORED",
    "CREATE INDEX ix_texts_body_tsv ON texts USING gin (body_tsv)",
)


def upgrade() -> None:
    _create_images()
    _create_roots()
    _create_files()
    _create_texts()
    _create_captions()
    _create_regions()
    _create_library()
    _create_models()
    _create_segments()
    _create_embeddings()
    _create_generations()
    for statement in _FULLTEXT_SQLITE if op.get_bind().dialect.name == "sqlite" else _FULLTEXT_POSTGRES:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE texts_fts")
    for name in (
        "regions",
        "embeddings",
        "segments",
        "generations",
        "files",
        "captions",
        "texts",
        "roots",
        "models",
        "library",
        "images",
    ):
        op.drop_table(name)


def _create_images() -> None:
    op.create_table(
        "images",
        sa.Column("id", _ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("width_px", sa.Integer(), nullable=False),
        sa.Column("height_px", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("taken_at", _INSTANT, nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("sha256", name=op.f("uq_images_sha256")),
        sqlite_autoincrement=True,
    )


def _create_roots() -> None:
    op.create_table(
        "roots",
        sa.Column("id", _ID, nullable=False),
        sa.Column("path", _PATH, nullable=False),
        sa.Column("last_scanned_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roots")),
        sa.UniqueConstraint("path", name=op.f("uq_roots_path")),
    )


def _create_files() -> None:
    op.create_table(
        "files",
        sa.Column("id", _ID, nullable=False),
        sa.Column("path", _PATH, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("root_id", _ID, nullable=False),
        sa.Column("image_id", _ID, nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("seen_at", _INSTANT, nullable=False),
        sa.CheckConstraint("state <> 'indexed' OR image_id IS NOT NULL", name=op.f("ck_files_indexed_has_image")),
        sa.CheckConstraint("state <> 'refused' OR reason IS NOT NULL", name=op.f("ck_files_refused_has_reason")),
        sa.CheckConstraint("state IN ('indexed', 'refused', 'missing')", name=op.f("ck_files_state")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_files_image_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], name=op.f("fk_files_root_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("path", name=op.f("uq_files_path")),
    )
    op.create_index("ix_files_image_id_state", "files", ["image_id", "state"], unique=False)
    op.create_index(op.f("ix_files_name"), "files", ["name"], unique=False)
    op.create_index(op.f("ix_files_root_id"), "files", ["root_id"], unique=False)


def _create_texts() -> None:
    op.create_table(
        "texts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_texts")),
        sa.UniqueConstraint("sha256", name=op.f("uq_texts_sha256")),
    )


def _create_captions() -> None:
    op.create_table(
        "captions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("image_id", _ID, nullable=False),
        sa.Column("text_id", _ID, nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_captions_image_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["text_id"], ["texts.id"], name=op.f("fk_captions_text_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_captions")),
        sa.UniqueConstraint("image_id", "text_id", "source", name=op.f("uq_captions_image_id_text_id_source")),
    )
    op.create_index(op.f("ix_captions_image_id"), "captions", ["image_id"], unique=False)
    op.create_index(op.f("ix_captions_text_id"), "captions", ["text_id"], unique=False)


def _create_regions() -> None:
    op.create_table(
        "regions",
        sa.Column("id", _ID, nullable=False),
        sa.Column("image_id", _ID, nullable=False),
        sa.Column("caption_id", _ID, nullable=True),
        sa.Column("text_id", _ID, nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=True),
        sa.Column("span_end", sa.Integer(), nullable=True),
        sa.Column("x0", sa.Float(), nullable=False),
        sa.Column("y0", sa.Float(), nullable=False),
        sa.Column("x1", sa.Float(), nullable=False),
        sa.Column("y1", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(span_start IS NULL AND span_end IS NULL) OR (span_start >= 0 AND span_start < span_end)",
            name=op.f("ck_regions_span"),
        ),
        sa.CheckConstraint("span_start IS NULL OR caption_id IS NOT NULL", name=op.f("ck_regions_span_has_caption")),
        sa.CheckConstraint(
            "x0 >= 0 AND y0 >= 0 AND x1 <= 1 AND y1 <= 1 AND x0 < x1 AND y0 < y1", name=op.f("ck_regions_box")
        ),
        sa.ForeignKeyConstraint(
            ["caption_id"], ["captions.id"], name=op.f("fk_regions_caption_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_regions_image_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["text_id"], ["texts.id"], name=op.f("fk_regions_text_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regions")),
    )
    op.create_index(op.f("ix_regions_caption_id"), "regions", ["caption_id"], unique=False)
    op.create_index("ix_regions_image_id_text_id", "regions", ["image_id", "text_id"], unique=False)
    op.create_index(op.f("ix_regions_text_id"), "regions", ["text_id"], unique=False)


def _create_library() -> None:
    op.create_table(
        "library",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_library_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library")),
    )


def _create_models() -> None:
    op.create_table(
        "models",
        sa.Column("id", _ID, nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("backend", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("location", _PATH, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("identity", name=op.f("uq_models_identity")),
    )
    op.create_index(
        "uq_models_active",
        "models",
        ["active"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )


def _create_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("id", _ID, nullable=False),
        sa.Column("model_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("file_name", sa.String(length=128), nullable=False),
        sa.Column("committed_rows", sa.BigInteger(), nullable=False),
        sa.Column("committed_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_segments_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segments")),
        sa.UniqueConstraint("file_name", name=op.f("uq_segments_file_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_segments_model_id"), "segments", ["model_id"], unique=False)


def _create_embeddings() -> None:
    op.create_table(
        "embeddings",
        sa.Column("id", _ID, nullable=False),
        sa.Column("model_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("image_id", _ID, nullable=True),
        sa.Column("text_id", _ID, nullable=True),
        sa.Column("segment_id", _ID, nullable=False),
        sa.Column("segment_row", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("image_id IS NULL OR text_id IS NULL", name=op.f("ck_embeddings_one_owner")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_embeddings_image_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_embeddings_model_id")),
        sa.ForeignKeyConstraint(["segment_id"], ["segments.id"], name=op.f("fk_embeddings_segment_id")),
        sa.ForeignKeyConstraint(["text_id"], ["texts.id"], name=op.f("fk_embeddings_text_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embeddings")),
        sa.UniqueConstraint("model_id", "image_id", name=op.f("uq_embeddings_model_id_image_id")),
        sa.UniqueConstraint("model_id", "text_id", name=op.f("uq_embeddings_model_id_text_id")),
        sa.UniqueConstraint("segment_id", "segment_row", name=op.f("uq_embeddings_segment_id_segment_row")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_embeddings_image_id"), "embeddings", ["image_id"], unique=False)
    op.create_index(op.f("ix_embeddings_text_id"), "embeddings", ["text_id"], unique=False)


def _create_generations() -> None:
    op.create_table(
        "generations",
        sa.Column("id", _ID, nullable=False),
        sa.Column("model_id", _ID, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("file_name", sa.String(length=128), nullable=False),
        sa.Column("index_key", sa.String(length=64), nullable=False),
        sa.Column("vectors", sa.BigInteger(), nullable=False),
        sa.Column("ids_sha256", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name=op.f("fk_generations_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generations")),
        sa.UniqueConstraint("file_name", name=op.f("uq_generations_file_name")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_generations_active",
        "generations",
        ["model_id", "kind"],
        unique=True,
        sqlite_where=sa.text("active"),
        postgresql_where=sa.text("active"),
    )

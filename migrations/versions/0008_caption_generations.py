"""Generations of captions, which can be laid to rest; every index that filters use knows whose a row is.

Revision: 0008, after 0007.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PEOPLE = ("import", "exif", "iptc", "xmp", "xmp-sidecar", "takeout")
_INDEXES = (
    ("captions", ("image_id",)),
    ("captions", ("language", "image_id")),
    ("captions", ("source", "image_id")),
    ("regions", ("image_id", "text_id")),
    ("regions", ("source", "image_id")),
)


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    made = op.create_table(
        "caption_generations",
        sa.Column("id", big, nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16)),
        sa.Column("detail", sa.String(16)),
        sa.Column("resting", sa.Boolean(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_caption_generations"),
        sa.UniqueConstraint("source", "language", name="uq_caption_generations_source_language"),
        sqlite_autoincrement=True,
    )
    for table in ("captions", "regions"):
        op.add_column(table, sa.Column("generation_id", big))
    _gather(made)
    for table, columns in _INDEXES:
        op.drop_index("_".join(("ix", table, *columns)), table)
        op.create_index("_".join(("ix", table, *columns, "generation_id")), table, [*columns, "generation_id"])
    for table in ("captions", "regions"):
        op.create_index(f"ix_{table}_generation_id_image_id", table, ["generation_id", "image_id"])


def downgrade() -> None:
    for table in ("captions", "regions"):
        op.drop_index(f"ix_{table}_generation_id_image_id", table)
    for table, columns in reversed(_INDEXES):
        op.drop_index("_".join(("ix", table, *columns, "generation_id")), table)
        op.create_index("_".join(("ix", table, *columns)), table, list(columns))
    for table in ("captions", "regions"):
        op.drop_column(table, "generation_id")
    op.drop_table("caption_generations")


def _gather(made: sa.Table) -> None:
    """What captioners have said so far: a generation for each source and language."""
    connection, now = op.get_bind(), datetime.now(UTC)
    captions = sa.table("captions", *map(sa.column, ("id", "source", "language", "generation_id", "created_at")))
    regions = sa.table("regions", *map(sa.column, ("source", "caption_id", "generation_id")))
    pairs = sa.select(captions.c.source, captions.c.language).distinct()
    spoken = connection.execute(pairs.where(captions.c.source.not_in(_PEOPLE)).order_by(*pairs.selected_columns)).all()
    for source, language in spoken:
        same = (captions.c.source == source, captions.c.language.is_not_distinct_from(language))
        first = connection.execute(sa.select(sa.func.min(captions.c.created_at)).where(*same)).scalar()
        if isinstance(first, str):  # SQLite has no instants
            first = datetime.fromisoformat(first)
        said = {"source": source, "language": language, "detail": None, "resting": False}
        key = connection.execute(
            sa.insert(made).values(**said, token=secrets.randbits(40), started_at=first or now)
        ).inserted_primary_key
        number = key[0] if key else None
        connection.execute(sa.update(captions).where(*same).values(generation_id=number))
    for source in dict.fromkeys(source for source, _ in spoken):
        # A box goes with its caption; one that belongs to none goes with the first that its source has begun.
        own = sa.select(captions.c.generation_id).where(captions.c.id == regions.c.caption_id).scalar_subquery()
        begun = sa.select(sa.func.min(made.c.id)).where(made.c.source == source).scalar_subquery()
        wanted = sa.func.coalesce(own, begun)
        connection.execute(sa.update(regions).where(regions.c.source == source).values(generation_id=wanted))

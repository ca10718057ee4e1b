"""What tells a rewritten file from another picture, and whose library this is.

Revision: 0002, after 0001. Digest of pixels, offset of the date, remarks about pictures; change times and comparable
names of files; what a root passes over; the home that a database belongs to.
"""

from __future__ import annotations

import os
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_COLUMNS = (
    ("images", sa.Column("pixels_sha256", sa.String(64))),
    ("images", sa.Column("taken_offset_min", sa.Integer())),
    ("images", sa.Column("remark", sa.Text())),
    ("files", sa.Column("ctime_ns", sa.BigInteger())),
    ("files", sa.Column("name_key", sa.Text())),
    ("roots", sa.Column("rules", sa.JSON())),
    ("library", sa.Column("home", sa.LargeBinary())),
    ("library", sa.Column("host", sa.Text())),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.add_column(table, column)
    op.create_index("ix_images_pixels_sha256", "images", ["pixels_sha256"])
    op.create_index("ix_files_name_key", "files", ["name_key"])
    _fill_name_keys()


def downgrade() -> None:
    op.drop_index("ix_files_name_key", "files")
    op.drop_index("ix_images_pixels_sha256", "images")
    for table, column in reversed(_COLUMNS):
        op.drop_column(table, column.name)


def _fill_name_keys() -> None:
    files = sa.table("files", sa.column("id", sa.BigInteger), sa.column("path", sa.LargeBinary), sa.column("name_key"))
    connection = op.get_bind()
    last = 0
    while rows := connection.execute(
        sa.select(files.c.id, files.c.path).where(files.c.id > last).order_by(files.c.id).limit(1000)
    ).all():
        connection.execute(
            sa.update(files).where(files.c.id == sa.bindparam("of")).values(name_key=sa.bindparam("key")),
            [{"of": row.id, "key": _name_key(bytes(row.path))} for row in rows],
        )
        last = rows[-1].id


def _name_key(path: bytes) -> str:
    name = os.fsdecode(path).rsplit("/", 1)[-1].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())

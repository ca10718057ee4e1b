"""Jobs remember the key with which a program asked for them, so that asking twice queues one.

Revision: 0011, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("request_key", sa.String(64)))
    op.create_index("uq_jobs_request_key", "jobs", ["request_key"], unique=True)


def downgrade() -> None:
    op.drop_index("uq_jobs_request_key", table_name="jobs")
    op.drop_column("jobs", "request_key")

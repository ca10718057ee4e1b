"""Jobs with their events, and what was in a worker's hand when it died.

Revision: 0006, after 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATES = "state IN ('queued', 'running', 'paused', 'done', 'failed', 'cancelled')"
_LEASED = "state <> 'running' OR (worker IS NOT NULL AND leased_until IS NOT NULL)"


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "jobs",
        sa.Column("id", big, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("lane", sa.String(16)),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked", sa.String(16)),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text()),
        sa.Column("leased_until", instant),
        sa.Column("progress", sa.JSON()),
        sa.Column("report", sa.JSON()),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("started_at", instant),
        sa.Column("ended_at", instant),
        sa.CheckConstraint(_STATES, name="state"),
        sa.CheckConstraint("asked IS NULL OR asked IN ('pause', 'cancel')", name="asked"),
        sa.CheckConstraint(_LEASED, name="leased"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_jobs_state_id", "jobs", ["state", "id"])
    op.create_table(
        "job_events",
        sa.Column("id", big, nullable=False),
        sa.Column("job_id", big, nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_job_events_job_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_job_events"),
    )
    op.create_index("ix_job_events_job_id", "job_events", ["job_id"])
    op.create_table(
        "suspects",
        sa.Column("id", big, nullable=False),
        sa.Column("work", sa.String(80), nullable=False),
        sa.Column("item", bytewise, nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suspects"),
    )
    op.create_index("uq_suspects_work_item", "suspects", ["work", "item"], unique=True)


def downgrade() -> None:
    for table in ("suspects", "job_events", "jobs"):
        op.drop_table(table)

"""Notes and their comments."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_notes()
    _create_comments()


def _create_notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.String(255), nullable=False),
        sa.Column("times_sent", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=True),
        sa.Column("content_sha256", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notes"),
        sa.UniqueConstraint("idempotency_key", name="uq_notes_idempotency_key"),
    )


def _create_comments() -> None:
    op.create_table(
        "comments",
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idempotency_key", sa.String(255), nullable=True),
        sa.Column("note_version", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["note_id"], ["notes.id"], name="fk_comments_note_id_notes", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("note_id", "id", name="pk_comments"),
        sa.UniqueConstraint("note_id", "idempotency_key", name="uq_comments_note_id"),
    )


def downgrade() -> None:
    op.drop_table("comments")
    op.drop_table("notes")

"""Make the table."""

from alembic import op

from tests.kit.probe.sql import TABLES

revision = "0001"
down_revision = None


def upgrade() -> None:
    TABLES.create_all(op.get_bind())


def downgrade() -> None:
    TABLES.drop_all(op.get_bind())

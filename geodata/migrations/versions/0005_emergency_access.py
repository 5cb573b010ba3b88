"""Villages that people let themselves into in an emergency."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "emergency_access",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at >= began_at", name=op.f("ck_emergency_access_dates")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_emergency_access_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["village_code"], ["area.code"], name=op.f("fk_emergency_access_village_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_access")),
    )
    op.create_index("ix_emergency_access_account_id", "emergency_access", ["account_id"], unique=False)
    op.create_index("ix_emergency_access_village_code", "emergency_access", ["village_code"], unique=False)


def downgrade() -> None:
    op.drop_table("emergency_access")

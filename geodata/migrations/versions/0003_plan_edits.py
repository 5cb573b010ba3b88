"""What was done with a plan, one row each, and plans as they were, to the last bit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plan", sa.Column("version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("plan", sa.Column("base_plan_id", sa.Integer(), nullable=True))
    op.create_foreign_key(op.f("fk_plan_base_plan_id"), "plan", "plan", ["base_plan_id"], ["id"], ondelete="SET NULL")
    op.create_index("ix_plan_base_plan_id", "plan", ["base_plan_id"], unique=False)
    op.create_table(
        "plan_edit",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("record", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_plan_edit_version")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_edit_plan_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["village_code"], ["area.code"], name=op.f("fk_plan_edit_village_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "version", name=op.f("pk_plan_edit")),
    )
    op.create_index("ix_plan_edit_village_code", "plan_edit", ["village_code"], unique=False)
    op.create_table(
        "plan_snapshot",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_snapshot_plan_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["village_code"], ["area.code"], name=op.f("fk_plan_snapshot_village_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "version", name=op.f("pk_plan_snapshot")),
    )
    op.create_index("ix_plan_snapshot_village_code", "plan_snapshot", ["village_code"], unique=False)
    # What is compressed already would only be compressed again, in vain.
    op.execute("ALTER TABLE plan_snapshot ALTER COLUMN packed SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_index("ix_plan_snapshot_village_code", table_name="plan_snapshot")
    op.drop_table("plan_snapshot")
    op.drop_index("ix_plan_edit_village_code", table_name="plan_edit")
    op.drop_table("plan_edit")
    op.drop_index("ix_plan_base_plan_id", table_name="plan")
    op.drop_constraint(op.f("fk_plan_base_plan_id"), "plan", type_="foreignkey")
    op.drop_column("plan", "base_plan_id")
    op.drop_column("plan", "version")

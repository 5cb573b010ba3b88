"""Jobs, their queue, and answers kept for requests that are asked again."""

from importlib.resources import files

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_QUEUE_TABLES = ("procrastinate_events", "procrastinate_periodic_defers", "procrastinate_jobs", "procrastinate_workers")


def upgrade() -> None:
    _run("queue.sql")
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="queued", nullable=False),
        sa.Column("progress", sa.Float(), server_default="0", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("queue_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('divide')", name=op.f("ck_job_kind")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')", name=op.f("ck_job_state")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_job_progress")),
        sa.CheckConstraint("(state IN ('queued', 'running')) = (ended_at IS NULL)", name=op.f("ck_job_ended_at")),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name=op.f("fk_job_village_code"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index("ix_job_state", "job", ["state"], unique=False)
    op.create_index(
        "uq_job_open_in_village",
        "job",
        ["village_code", "kind"],
        unique=True,
        postgresql_where="state IN ('queued', 'running')",
    )
    op.create_table(
        "kept_answer",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_kept_answer")),
    )
    op.create_index("ix_kept_answer_made_at", "kept_answer", ["made_at"], unique=False)
    _run("jobs.sql")


def downgrade() -> None:
    op.drop_table("kept_answer")
    op.drop_table("job")
    bind = op.get_bind()
    bind.exec_driver_sql(f"DROP TABLE {', '.join(_QUEUE_TABLES)} CASCADE")  # a function returns rows of one
    functions = sa.text(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE proname ~ '^(procrastinate_|job_enqueue$|job_cancel$)'"
        " AND pronamespace = current_schema()::regnamespace"
    )
    for signature in bind.scalars(functions).all():
        bind.exec_driver_sql(f"DROP FUNCTION {signature}")
    types = sa.text(
        "SELECT oid::regtype::text FROM pg_type WHERE typname ~ '^procrastinate_' AND typtype IN ('e', 'c')"
        " AND typnamespace = current_schema()::regnamespace"
    )
    for name in bind.scalars(types).all():
        bind.exec_driver_sql(f"DROP TYPE {name}")


def _run(script: str) -> None:
    """Run a script of several statements, as the driver takes it: without parameters, `%` is no placeholder."""
    bind = op.get_bind()
    schema = bind.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    source = files("geodata").joinpath("sql", script).read_text(encoding="utf-8").replace(":schema", schema)
    cursor = bind.connection.cursor()
    cursor.execute(source)
    cursor.close()

"""The store: areas, land, households, plans, staff, cases."""

import geoalchemy2
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "area",
        sa.Column("code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("parent_code", sa.String(length=9, collation="C"), nullable=True),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column(
            "boundary",
            geoalchemy2.Geometry(geometry_type="MULTIPOLYGON", srid=4326, spatial_index=False),
            nullable=True,
        ),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("is_demo", sa.Boolean(), server_default="false", nullable=False),
        sa.CheckConstraint("code ~ '^[0-9]{6}([0-5][0-9]{2}([0-5][0-9]{2})?)?$'", name=op.f("ck_area_code")),
        sa.CheckConstraint(
            "length(code) = CASE level WHEN 'district' THEN 6 WHEN 'town' THEN 9 ELSE 12 END",
            name=op.f("ck_area_level_digits"),
        ),
        sa.CheckConstraint("level IN ('district', 'town', 'village')", name=op.f("ck_area_level")),
        sa.CheckConstraint("parent_code IS NOT NULL OR level = 'district'", name=op.f("ck_area_parent")),
        sa.CheckConstraint("boundary IS NULL OR ST_IsValid(boundary)", name=op.f("ck_area_boundary_valid")),
        sa.ForeignKeyConstraint(["parent_code"], ["area.code"], name=op.f("fk_area_parent_code"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_area")),
    )
    op.create_index("ix_area_boundary", "area", ["boundary"], unique=False, postgresql_using="gist")
    op.create_index("ix_area_parent_code", "area", ["parent_code"], unique=False)
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
    )
    op.create_table(
        "cell",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column(
            "outline",
            geoalchemy2.Geometry(geometry_type="MULTIPOLYGON", srid=4326, spatial_index=False),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name=op.f("fk_cell_village_code"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cell")),
    )
    op.create_index("ix_cell_outline", "cell", ["outline"], unique=False, postgresql_using="gist")
    op.create_index("ix_cell_village_code", "cell", ["village_code"], unique=False)
    op.create_table(
        "plan",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("scorecard", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'in_review', 'published', 'superseded')", name=op.f("ck_plan_state")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck_plan_dates")),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name=op.f("fk_plan_village_code"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("village_code", "name", name=op.f("uq_plan_village_code_name")),
    )
    op.create_index(
        "uq_plan_published_in_village", "plan", ["village_code"], unique=True, postgresql_where="state = 'published'"
    )
    op.create_table(
        "staff_of_grid",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("grid_code", sa.String(length=15, collation="C"), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=7), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint("role IN ('liaison', 'leader', 'worker')", name=op.f("ck_staff_of_grid_role")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name=op.f("ck_staff_of_grid_dates")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_of_grid_staff_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_of_grid")),
        sa.UniqueConstraint(
            "grid_code",
            "staff_id",
            "role",
            "starts_on",
            name=op.f("uq_staff_of_grid_grid_code_staff_id_role_starts_on"),
        ),
    )
    op.create_index("ix_staff_of_grid_staff_id", "staff_of_grid", ["staff_id"], unique=False)
    op.create_table(
        "terrain",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("is_barrier", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_preferred", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("shape", geoalchemy2.Geometry(srid=4326, spatial_index=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('building', 'road', 'path', 'waterway', 'water_area', 'ridge', 'railway')",
            name=op.f("ck_terrain_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["village_code"], ["area.code"], name=op.f("fk_terrain_village_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terrain")),
    )
    op.create_index("ix_terrain_shape", "terrain", ["shape"], unique=False, postgresql_using="gist")
    op.create_index("ix_terrain_village_code_kind", "terrain", ["village_code", "kind"], unique=False)
    op.create_table(
        "unit",
        sa.Column("code", sa.String(length=14, collation="C"), nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "outline", geoalchemy2.Geometry(geometry_type="MULTIPOLYGON", srid=4326, spatial_index=False), nullable=True
        ),
        sa.ForeignKeyConstraint(["village_code"], ["area.code"], name=op.f("fk_unit_village_code"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_unit")),
    )
    op.create_index("ix_unit_outline", "unit", ["outline"], unique=False, postgresql_using="gist")
    op.create_index("ix_unit_village_code", "unit", ["village_code"], unique=False)
    op.create_table(
        "grid",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=15, collation="C"), nullable=False),
        sa.Column("kind", sa.String(length=13), server_default="comprehensive", nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "outline",
            geoalchemy2.Geometry(geometry_type="MULTIPOLYGON", srid=4326, spatial_index=False),
            nullable=False,
        ),
        sa.CheckConstraint("code ~ '^[0-9]{6}[0-5][0-9]{2}[0-5][0-9]{2}[0-9]{3}$'", name=op.f("ck_grid_code")),
        sa.CheckConstraint("kind IN ('comprehensive', 'dedicated', 'micro')", name=op.f("ck_grid_kind")),
        sa.CheckConstraint("ST_IsValid(outline)", name=op.f("ck_grid_outline_valid")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_grid_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", "code", name=op.f("pk_grid")),
    )
    op.create_index("ix_grid_code", "grid", ["code"], unique=False)
    op.create_index("ix_grid_outline", "grid", ["outline"], unique=False, postgresql_using="gist")
    op.create_table(
        "household",
        sa.Column("code", sa.String(length=18, collation="C"), nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("unit_code", sa.String(length=14, collation="C"), nullable=True),
        sa.Column("cell_id", sa.Integer(), nullable=True),
        sa.Column("weight", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("tier", sa.String(length=8), server_default="unknown", nullable=False),
        sa.Column("reasons", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("tier_since", sa.Date(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("place", geoalchemy2.Geometry(geometry_type="POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("code LIKE village_code || '%'", name=op.f("ck_household_code_in_village")),
        sa.CheckConstraint("tier IN ('red', 'yellow', 'green', 'unknown')", name=op.f("ck_household_tier")),
        sa.CheckConstraint("weight >= 1", name=op.f("ck_household_weight")),
        sa.ForeignKeyConstraint(["cell_id"], ["cell.id"], name=op.f("fk_household_cell_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["unit_code"], ["unit.code"], name=op.f("fk_household_unit_code"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["village_code"], ["area.code"], name=op.f("fk_household_village_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_household")),
    )
    op.create_index("ix_household_cell_id", "household", ["cell_id"], unique=False)
    op.create_index("ix_household_place", "household", ["place"], unique=False, postgresql_using="gist")
    op.create_index("ix_household_unit_code", "household", ["unit_code"], unique=False)
    op.create_index("ix_household_village_code_tier", "household", ["village_code", "tier"], unique=False)
    op.create_table(
        "case_file",
        sa.Column("number", sa.String(length=20, collation="C"), nullable=False),
        sa.Column("village_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("household_code", sa.String(length=18, collation="C"), nullable=True),
        sa.Column("category", sa.String(length=14), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=19), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", geoalchemy2.Geometry(geometry_type="POINT", srid=4326, spatial_index=False), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_case_file_closed_at")),
        sa.CheckConstraint(
            "category IN ('dispute', 'hazard', 'livelihood', 'sanitation', 'infrastructure', 'policy_advice', 'special_care', 'emergency', 'other')",
            name=op.f("ck_case_file_category"),
        ),
        sa.CheckConstraint("level IN ('village', 'town', 'district')", name=op.f("ck_case_file_level")),
        sa.CheckConstraint(
            "state IN ('reported', 'accepted', 'assigned', 'processing', 'resolved', 'rated', 'closed', 'returned', 'whistled_town', 'whistled_department', 'extended', 'reopened', 'rejected')",
            name=op.f("ck_case_file_state"),
        ),
        sa.CheckConstraint("due_at > reported_at", name=op.f("ck_case_file_due_at")),
        sa.ForeignKeyConstraint(
            ["household_code"], ["household.code"], name=op.f("fk_case_file_household_code"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["village_code"], ["area.code"], name=op.f("fk_case_file_village_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_case_file")),
    )
    op.create_index("ix_case_file_household_code", "case_file", ["household_code"], unique=False)
    op.create_index("ix_case_file_place", "case_file", ["place"], unique=False, postgresql_using="gist")
    op.create_index("ix_case_file_village_code_state", "case_file", ["village_code", "state"], unique=False)
    op.create_table(
        "household_group",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=17, collation="C"), nullable=False),
        sa.Column("grid_code", sa.String(length=15, collation="C"), nullable=False),
        sa.Column("head_household_code", sa.String(length=18, collation="C"), nullable=True),
        sa.CheckConstraint("code LIKE grid_code || '%'", name=op.f("ck_household_group_code_in_grid")),
        sa.ForeignKeyConstraint(
            ["head_household_code"],
            ["household.code"],
            name=op.f("fk_household_group_head_household_code"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id", "grid_code"],
            ["grid.plan_id", "grid.code"],
            name=op.f("fk_household_group_plan_id_grid_code"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plan_id", "code", name=op.f("pk_household_group")),
    )
    op.create_index("ix_household_group_head_household_code", "household_group", ["head_household_code"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("household_code", sa.String(length=18, collation="C"), nullable=False),
        sa.Column("is_head", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=True),
        sa.Column("gender", sa.String(length=1), nullable=True),
        sa.Column("born_on", sa.Date(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("id_number", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["household_code"], ["household.code"], name=op.f("fk_person_household_code"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index("ix_person_household_code", "person", ["household_code"], unique=False)
    op.create_index(
        "uq_person_head_of_household", "person", ["household_code"], unique=True, postgresql_where="is_head"
    )
    op.create_table(
        "assignment",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("household_code", sa.String(length=18, collation="C"), nullable=False),
        sa.Column("grid_code", sa.String(length=15, collation="C"), nullable=False),
        sa.Column("group_code", sa.String(length=17, collation="C"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "ends_on IS NULL OR starts_on IS NULL OR ends_on > starts_on", name=op.f("ck_assignment_dates")
        ),
        sa.ForeignKeyConstraint(
            ["household_code"], ["household.code"], name=op.f("fk_assignment_household_code"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["plan_id", "grid_code"],
            ["grid.plan_id", "grid.code"],
            name=op.f("fk_assignment_plan_id_grid_code"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id", "group_code"],
            ["household_group.plan_id", "household_group.code"],
            name=op.f("fk_assignment_plan_id_group_code"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plan_id", "household_code", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_household_code", "assignment", ["household_code"], unique=False)
    op.create_index("ix_assignment_plan_id_grid_code", "assignment", ["plan_id", "grid_code"], unique=False)
    op.create_index("ix_assignment_plan_id_group_code", "assignment", ["plan_id", "group_code"], unique=False)
    op.create_table(
        "cell_assignment",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("cell_id", sa.Integer(), nullable=False),
        sa.Column("group_code", sa.String(length=17, collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["cell_id"], ["cell.id"], name=op.f("fk_cell_assignment_cell_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["plan_id", "group_code"],
            ["household_group.plan_id", "household_group.code"],
            name=op.f("fk_cell_assignment_plan_id_group_code"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("plan_id", "cell_id", name=op.f("pk_cell_assignment")),
    )
    op.create_index("ix_cell_assignment_cell_id", "cell_assignment", ["cell_id"], unique=False)
    op.create_index("ix_cell_assignment_plan_id_group_code", "cell_assignment", ["plan_id", "group_code"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_cell_assignment_plan_id_group_code", table_name="cell_assignment")
    op.drop_index("ix_cell_assignment_cell_id", table_name="cell_assignment")
    op.drop_table("cell_assignment")
    op.drop_index("ix_assignment_plan_id_group_code", table_name="assignment")
    op.drop_index("ix_assignment_plan_id_grid_code", table_name="assignment")
    op.drop_index("ix_assignment_household_code", table_name="assignment")
    op.drop_table("assignment")
    op.drop_index("uq_person_head_of_household", table_name="person", postgresql_where="is_head")
    op.drop_index("ix_person_household_code", table_name="person")
    op.drop_table("person")
    op.drop_index("ix_household_group_head_household_code", table_name="household_group")
    op.drop_table("household_group")
    op.drop_index("ix_case_file_village_code_state", table_name="case_file")
    op.drop_index("ix_case_file_place", table_name="case_file", postgresql_using="gist")
    op.drop_index("ix_case_file_household_code", table_name="case_file")
    op.drop_table("case_file")
    op.drop_index("ix_household_village_code_tier", table_name="household")
    op.drop_index("ix_household_unit_code", table_name="household")
    op.drop_index("ix_household_place", table_name="household", postgresql_using="gist")
    op.drop_index("ix_household_cell_id", table_name="household")
    op.drop_table("household")
    op.drop_index("ix_grid_outline", table_name="grid", postgresql_using="gist")
    op.drop_index("ix_grid_code", table_name="grid")
    op.drop_table("grid")
    op.drop_index("ix_unit_village_code", table_name="unit")
    op.drop_index("ix_unit_outline", table_name="unit", postgresql_using="gist")
    op.drop_table("unit")
    op.drop_index("ix_terrain_village_code_kind", table_name="terrain")
    op.drop_index("ix_terrain_shape", table_name="terrain", postgresql_using="gist")
    op.drop_table("terrain")
    op.drop_index("ix_staff_of_grid_staff_id", table_name="staff_of_grid")
    op.drop_table("staff_of_grid")
    op.drop_index("uq_plan_published_in_village", table_name="plan", postgresql_where="state = 'published'")
    op.drop_table("plan")
    op.drop_index("ix_cell_village_code", table_name="cell")
    op.drop_index("ix_cell_outline", table_name="cell", postgresql_using="gist")
    op.drop_table("cell")
    op.drop_table("staff")
    op.drop_index("ix_area_parent_code", table_name="area")
    op.drop_index("ix_area_boundary", table_name="area", postgresql_using="gist")
    op.drop_table("area")

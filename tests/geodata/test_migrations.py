from importlib.resources import files

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from procrastinate.schema import SchemaManager
from sqlalchemy import text

from geodata.database import DatabaseRefusedError, check_existing, migrate, open_engine
from geodata.migrations import CONTEXT
from geodata.tables import Base


def _tables_of(url):
    engine = open_engine(url)
    with engine.connect() as connection:
        names = set(
            connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")),
        )
    engine.dispose()
    return names - {"spatial_ref_sys"}


def _constraints_of(connection):
    rows = connection.execute(
        text(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> ALL (:not_ours)"
            " AND conrelid::regclass::text NOT LIKE 'procrastinate%'"
        ),
        {"not_ours": ["spatial_ref_sys", "alembic_version"]},
    )
    return sorted(tuple(row) for row in rows)


def test_the_migrations_lead_to_the_declared_tables(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=CONTEXT)
        assert compare_metadata(context, Base.metadata) == []


def test_the_migrations_make_the_same_constraints_as_the_declared_tables(engine, empty_database_url):
    """Autogenerate does not look at check constraints."""
    with engine.connect() as connection:
        migrated = _constraints_of(connection)
    check_existing(empty_database_url)
    declared = open_engine(empty_database_url)
    with declared.begin() as connection:
        Base.metadata.create_all(connection)
        assert _constraints_of(connection) == migrated
    declared.dispose()


def test_going_back_to_the_beginning_leaves_no_table_and_forward_again_works(database_url):
    assert "household" in _tables_of(database_url)
    migrate(database_url, "base")
    assert _tables_of(database_url) == {"alembic_version"}
    migrate(database_url)
    assert "household" in _tables_of(database_url)


def test_the_queue_is_the_one_that_the_installed_library_works_with():
    script = files("geodata").joinpath("sql", "queue.sql").read_text()
    assert script == SchemaManager.get_schema(), (
        "write a migration from the library's own (procrastinate/sql/migrations)"
    )


def test_going_back_takes_the_queue_along(database_url):
    migrate(database_url, "base")
    engine = open_engine(database_url)
    with engine.connect() as connection:
        left = "SELECT proname FROM pg_proc WHERE proname ~ '^(procrastinate|job)_'"
        left += " UNION SELECT typname FROM pg_type WHERE typname LIKE 'procrastinate%'"
        assert connection.scalars(text(left)).all() == []
    engine.dispose()


def test_migrating_twice_changes_nothing(database_url):
    migrate(database_url)
    migrate(database_url)


def test_tables_of_a_newer_mapgrid_are_refused_with_their_revision(database_url, engine):
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseRefusedError, match=r"revision 9999.*newer"):
        migrate(database_url)

import stat
import uuid
from datetime import UTC, datetime
from threading import Event, Thread

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from kept_things import databases_of, drop_role, everything_in, fence, fill, rows_in
from sqlalchemy import text

from geodata import cluster
from geodata.backup.drill import Probe, drill
from geodata.backup.making import make_backup
from geodata.backup.notes import note
from geodata.backup.probes import STORE_PROBES
from geodata.backup.programs import conninfo, named
from geodata.backup.refusals import BackupError, RestoreError
from geodata.backup.restoring import check_filled, drop_old, restore
from geodata.backup.sealing import Opener, Seal, new_identity
from geodata.database import migrate, open_engine
from geodata.migrations import CONTEXT
from geodata.tables import Base
from mapgrid.errors import NotFoundError

pytestmark = pytest.mark.usefixtures("restores_alone")

_NOW = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)


@pytest.fixture
def role(server):
    """Return the name of a role that the test may create; ask for it before the database that will know it."""
    name = f"web_{uuid.uuid4().hex}"
    yield name
    drop_role(server, name)


@pytest.fixture
def store(database_url):
    """Return the URL of a store with a village in it; what restores put aside is dropped at the end."""
    fill(database_url)
    yield database_url
    drop_old(database_url)


@pytest.fixture
def fenced_store(role, store):
    """Return the URL of a store with a role, a trigger and a function more than the application's own."""
    fence(store, role)
    return store


def _back_up(url, directory, **options):
    return make_backup(url, directory / "store.backup", now=_NOW, **options).file


def test_a_destroyed_store_comes_back_with_rows_roles_policies_triggers_and_leakproof_functions(home, tmp_path):
    server = cluster.start(home)
    migrate(server.url)
    fence(server.url, "web_of_the_test")
    fill(server.url)
    before = everything_in(server.url)
    assert rows_in(server.url, "log") == 40
    file = _back_up(server.url, tmp_path)
    cluster.destroy(home)
    again = cluster.start(home)
    done = restore(again.url, file, now=_NOW, work=home)
    assert everything_in(again.url) == before
    assert "public.geometry_contains(public.geometry,public.geometry)" in before[1].leakproof
    assert len(before[0].definitions["policies"]) > 20
    assert [name for name, *_rest in before[1].settings] == ["web_of_the_test", "web_of_the_test"]
    assert done.kept is None
    assert all(check.passed for check in done.checks)
    assert databases_of(again.url) == ["mapgrid"]


def test_what_the_application_may_see_is_the_same_after_a_restore(store, tmp_path):
    file = _back_up(store, tmp_path)
    before = everything_in(store)[0].definitions["policies"]
    with psycopg.connect(conninfo(store)) as connection:
        connection.execute("ALTER TABLE household DISABLE ROW LEVEL SECURITY")
        connection.execute("DROP POLICY reads ON person")
    restore(store, file, now=_NOW, work=tmp_path, replace=True)
    assert everything_in(store)[0].definitions["policies"] == before
    with psycopg.connect(conninfo(store)) as connection:
        connection.execute("SET ROLE mapgrid_web")
        assert connection.execute("SELECT count(*) FROM household").fetchone() == (0,)


def test_the_file_is_for_its_owner_alone_and_nothing_lies_beside_it(store, tmp_path):
    file = _back_up(store, tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_exists_is_never_written_over(store, tmp_path):
    taken = tmp_path / "store.backup"
    taken.write_text("precious")
    with pytest.raises(BackupError, match="new file"):
        _back_up(store, tmp_path)
    assert taken.read_text() == "precious"


def test_a_database_without_a_store_is_not_backed_up(empty_database_url, tmp_path):
    with pytest.raises(BackupError, match="found none in the database"):
        _back_up(empty_database_url, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_away_is_named_without_its_password(tmp_path):
    with pytest.raises(BackupError, match="cannot be read") as refused:
        _back_up("postgresql://somebody:secret-word@127.0.0.1:1/mapgrid", tmp_path)
    assert "secret-word" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_holds_something_is_not_replaced_unasked(store, tmp_path):
    file = _back_up(store, tmp_path)
    before = everything_in(store)
    with pytest.raises(RestoreError, match="holds something"):
        restore(store, file, now=_NOW, work=tmp_path)
    assert everything_in(store) == before
    assert len(databases_of(store)) == 1


def test_a_replaced_store_is_kept_until_it_is_dropped(store, tmp_path):
    file = _back_up(store, tmp_path)
    with psycopg.connect(conninfo(store)) as connection:
        connection.execute("DELETE FROM household WHERE right(code, 1) = '7'")
    done = restore(store, file, now=_NOW, work=tmp_path, replace=True)
    assert rows_in(store) == 40
    assert done.kept.endswith("_before_20261126_140500")
    assert rows_in(named(store, done.kept)) == 36
    assert drop_old(store) == [done.kept]
    assert len(databases_of(store)) == 1


def test_programs_that_are_connected_find_the_restored_store_on_their_next_question(store, tmp_path):
    file = _back_up(store, tmp_path)
    engine = open_engine(store)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM person"))
    restore(store, file, now=_NOW, work=tmp_path, replace=True)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM person")) == 40
    engine.dispose()


def test_a_backup_of_the_previous_tables_is_brought_up_to_date(empty_database_url, tmp_path):
    with psycopg.connect(conninfo(empty_database_url)) as connection:
        connection.execute("CREATE EXTENSION postgis")
    migrate(empty_database_url, "0001")
    fill(empty_database_url)
    before = everything_in(empty_database_url)[0].tables
    file = _back_up(empty_database_url, tmp_path)
    restore(empty_database_url, file, now=_NOW, work=tmp_path, replace=True)
    after = everything_in(empty_database_url)[0].tables
    for name in ("public.area", "public.household", "public.person"):
        assert after[name].rows == before[name].rows > 0
    engine = open_engine(empty_database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=CONTEXT)
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()
    drop_old(empty_database_url)


def test_a_backup_holds_one_moment_while_others_write(store, tmp_path):
    """Two rows are written at a time; hashes and dump must tell of the same pairs."""
    stop, started = Event(), Event()

    def write():
        with psycopg.connect(conninfo(store), autocommit=True) as connection:
            while not stop.is_set():
                connection.execute("INSERT INTO staff (full_name) VALUES ('a'), ('b')")
                started.set()

    writer = Thread(target=write)
    writer.start()
    assert started.wait(10)
    receipt = make_backup(store, tmp_path / "moment.backup", now=_NOW)
    stop.set()
    writer.join()
    saved = receipt.manifest.contents.tables["public.staff"].rows
    assert saved % 2 == 0
    assert rows_in(store, "staff") > saved > 0
    assert drill(receipt.file, home=tmp_path, url=store).passed


@pytest.mark.parametrize("way", ["passphrase", "key"])
def test_an_encrypted_backup_shows_nothing_and_opens_with_what_belongs_to_it(store, tmp_path, way):
    secret, public = new_identity()
    seal = Seal("four random words do") if way == "passphrase" else Seal(recipients=(public,))
    opener = Opener("four random words do") if way == "passphrase" else Opener(identities=(secret,))
    file = _back_up(store, tmp_path, seal=seal)
    assert b"household" not in file.read_bytes()
    assert drill(file, home=tmp_path, url=store, opener=opener).passed
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_drill_in_a_throw_away_server_leaves_nothing(home, store, tmp_path):
    file = _back_up(store, tmp_path)
    proof = drill(file, home=home, probes=[Probe("households", lambda url: f"{rows_in(url)} of them")])
    assert proof.passed, proof.checks
    assert proof.checks[-1].detail == "40 of them"
    assert list(home.iterdir()) == []


def test_a_drill_tells_what_is_not_as_it_was(store, tmp_path):
    def fail(_url):
        raise NotFoundError("nobody can sign in")

    file = _back_up(store, tmp_path)
    proof = drill(file, home=tmp_path, url=store, probes=[Probe("sign-in", fail)])
    assert not proof.passed
    assert [str(check) for check in proof.checks if not check.passed] == ["FAIL  sign-in: nobody can sign in"]
    assert len(databases_of(store)) == 1


def test_a_policy_a_row_or_a_trigger_that_is_missing_fails_the_comparison(fenced_store, tmp_path):
    receipt = make_backup(fenced_store, tmp_path / "fenced.backup", now=_NOW)
    with psycopg.connect(conninfo(fenced_store)) as connection:
        connection.execute("DROP POLICY reads ON household")
        connection.execute("ALTER TABLE household DISABLE TRIGGER log_households")
        connection.execute("UPDATE person SET phone = '1' WHERE household_code LIKE '%0001'")
    failed = {check.subject: check.detail for check in check_filled(fenced_store, receipt.manifest) if not check.passed}
    assert failed.keys() == {"rows", "policies", "triggers"}
    assert failed["policies"] == "public.household.reads is missing"


@pytest.fixture
def ordinary_url(role, server, empty_database_url):
    """Return the URL of a store whose owner is no superuser, on a server with PostGIS in its template."""
    name = psycopg.sql.Identifier(role)
    database = psycopg.sql.Identifier(psycopg.conninfo.conninfo_to_dict(conninfo(empty_database_url))["dbname"])
    for statement in ("CREATE ROLE {} CREATEDB", "GRANT mapgrid_web TO {}", "ALTER DATABASE {database} OWNER TO {}"):
        server.execute(psycopg.sql.SQL(statement).format(name, database=database))
    for place in (conninfo(empty_database_url), conninfo(empty_database_url, database="template1")):
        with psycopg.connect(place) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    url = f"{empty_database_url}&options=-c%20role%3D{role}"
    migrate(url)
    fill(url)
    yield url
    drop_old(url)
    with psycopg.connect(conninfo(empty_database_url, database="template1")) as connection:
        connection.execute("DROP EXTENSION postgis")


def test_an_owner_who_is_no_superuser_backs_up_and_restores(ordinary_url, tmp_path):
    file = _back_up(ordinary_url, tmp_path)
    with psycopg.connect(conninfo(ordinary_url)) as connection:
        assert not connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()[0]
        connection.execute("DELETE FROM person")
    restore(ordinary_url, file, now=_NOW, work=tmp_path, replace=True)
    assert rows_in(ordinary_url, "person") == 40


def test_a_store_of_another_owner_comes_into_the_embedded_database(ordinary_url, home, tmp_path):
    file = _back_up(ordinary_url, tmp_path)
    here = cluster.start(home)
    restore(here.url, file, now=_NOW, work=home)
    assert rows_in(here.url) == 40
    migrate(here.url)
    with psycopg.connect(here.url) as connection:
        owners = connection.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'").fetchall()
        policies = connection.execute("SELECT DISTINCT roles FROM pg_policies WHERE policyname = 'owner'").fetchall()
    assert owners == [("mapgrid",)]
    assert policies == [(["mapgrid"],)]


def test_who_may_not_see_every_row_makes_no_backup(fenced_store, role, tmp_path):
    with psycopg.connect(conninfo(fenced_store)) as connection:
        connection.execute(
            psycopg.sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(psycopg.sql.Identifier(role))
        )
    with pytest.raises(BackupError, match=r"may not see every row of .*public\.household"):
        _back_up(f"{fenced_store}&options=-c%20role%3D{role}", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_audit_trail_and_the_fence_of_the_application_hold_after_a_restore(store, tmp_path):
    note(store, "backup.made", rows=40)
    note(store, "backup.made", rows=40)
    file = _back_up(store, tmp_path)
    proof = drill(file, home=tmp_path, url=store, probes=STORE_PROBES)
    assert proof.passed, proof.checks
    assert [check.detail for check in proof.checks[-2:]] == [
        "2 entries, one chain",
        "mapgrid_web sees no household while nobody is signed in",
    ]
    restore(store, file, now=_NOW, work=tmp_path, replace=True)
    note(store, "backup.restored")
    assert STORE_PROBES[0].attempt(store) == "3 entries, one chain"


def test_a_broken_audit_trail_fails_the_drill(store, tmp_path):
    for rows in (1, 2, 3):
        note(store, "backup.made", rows=rows)
    with psycopg.connect(conninfo(store)) as connection:
        connection.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        connection.execute("""UPDATE audit_entry SET detail = '{"rows": 9}' WHERE id = 2""")
        connection.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    proof = drill(_back_up(store, tmp_path), home=tmp_path, url=store, probes=STORE_PROBES)
    assert [check.detail for check in proof.checks if not check.passed] == ["entry 2 of the audit trail: changed"]

"""How long a million households take: backup, restore with all its checks, and pg_dump and pg_restore alone."""

import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from geodata import cluster
from geodata.backup.databases import draft_database, maintenance
from geodata.backup.making import make_backup
from geodata.backup.programs import client_for, named, run
from geodata.backup.restoring import restore
from geodata.database import migrate

_VILLAGES = 500
_HOUSEHOLDS = 2_000  # of a village
_LONGEST_RESTORE_S = 15 * 60
_NOW = datetime(2026, 11, 26, tzinfo=UTC)
_SURNAMES = "林陈黄张王吴李郑刘苏"


def _generate(url):
    """Fill a store with villages whose people, phones and places are numbers from a generator."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute("INSERT INTO area (code, level, name) VALUES ('350426', 'district', '尤溪')")
        connection.execute(
            "INSERT INTO area (code, parent_code, level, name)"
            " SELECT '350426' || (100 + n)::text, '350426', 'town', '镇' || n FROM generate_series(0, 9) n"
        )
        connection.execute(
            "INSERT INTO area (code, parent_code, level, name)"
            " SELECT code || lpad(n::text, 3, '0'), code, 'village', '村' || n"
            " FROM area, generate_series(200, 200 + %s - 1) n WHERE level = 'town'",
            [_VILLAGES // 10],
        )
        connection.execute(
            "INSERT INTO household (code, village_code, weight, tier, reasons, tier_since, address, place)"
            " SELECT code || lpad(n::text, 6, '0'), code, 1,"
            "  (ARRAY['red', 'yellow', 'green'])[1 + (random() * 2)::int],"
            "  ARRAY['alone', 'ill'], DATE '2026-01-01' + (random() * 300)::int, name || (random() * 900)::int || '号',"
            "  ST_Point(118 + random(), 26 + random(), 4326)"
            " FROM area, generate_series(1, %s) n WHERE level = 'village'",
            [_HOUSEHOLDS],
        )
        connection.execute(
            "INSERT INTO person (household_code, is_head, full_name, relation, gender, born_on, phone, id_number)"
            " SELECT code, n = 1, substr(%s, 1 + (random() * 9)::int, 1) || chr(20000 + (random() * 900)::int), '户',"
            "  'f', DATE '1930-01-01' + (random() * 30000)::int, '1' || (random() * 9e9)::bigint,"
            "  '350426' || (random() * 9e11)::bigint FROM household, generate_series(1, 3) n",
            [_SURNAMES],
        )


@contextmanager
def _timed(what, figures):
    started = time.monotonic()
    yield
    figures[what] = time.monotonic() - started
    print(f"  {what:<40} {figures[what]:8.1f} s")  # noqa: T201 - a bench prints


@pytest.mark.bench
@pytest.mark.timeout(3600)
def test_a_million_households_are_restored_and_proved_within_fifteen_minutes(home):
    figures = {}
    server = cluster.start(home)
    migrate(server.url)
    with _timed("generated", figures):
        _generate(server.url)
    file = home / "store.backup"
    with _timed("backup", figures):
        receipt = make_backup(server.url, file, now=_NOW)
    with _timed("restore with all checks", figures):
        done = restore(server.url, file, now=_NOW, work=home, has_database=True, replace=True)
    plain = home / "plain.pgdump"
    with _timed("pg_dump alone", figures):
        run(client_for("pg_dump", 15), ["--format=custom", "--compress=3", f"--file={plain}"], server.url)
    jobs = f"--jobs={min(4, os.cpu_count() or 1)}"
    with (
        maintenance(server.url) as connection,
        draft_database(connection, "plain") as draft,
        _timed("pg_restore alone", figures),
    ):
        run(client_for("pg_restore", 15), [jobs, "--exit-on-error", str(plain)], named(server.url, draft))
    rows = done.manifest.contents.rows
    print(  # noqa: T201
        f"  {rows} rows, database {receipt.manifest.database_bytes / 1e6:.0f} MB, backup {receipt.size / 1e6:.0f} MB,"
        f" plain dump {plain.stat().st_size / 1e6:.0f} MB;"
        f" backup {figures['backup'] / figures['pg_dump alone']:.2f} x pg_dump,"
        f" restore {figures['restore with all checks'] / figures['pg_restore alone']:.2f} x pg_restore"
    )
    assert done.manifest.contents.tables["public.household"].rows == 1_000_000
    assert all(check.passed for check in done.checks)
    assert figures["restore with all checks"] < _LONGEST_RESTORE_S

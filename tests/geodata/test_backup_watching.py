import re
import shutil
import subprocess
import time

import psycopg
import pytest

from geodata import archiving, cluster
from geodata.archiving import _SCRIPTS
from geodata.backup.bases import archive_in_use, ensure_base, make_base
from geodata.backup.watching import archive_state


@pytest.fixture
def archived(home):
    """Return a home whose running database archives its log, with a base backup."""
    archiving.turn_on(home)
    cluster.start(home)
    ensure_base(home)
    return home


def _write(home):
    """Write something and return the name of the segment it went to, which is now complete."""
    with psycopg.connect(cluster.status(home).url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (number int)")
        connection.execute("INSERT INTO note VALUES (1)")
        return connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()[0]


def _wait(home, is_so):
    deadline = time.monotonic() + 60
    while not is_so(state := archive_state(home)):
        assert time.monotonic() < deadline, state
        time.sleep(0.02)
    return state


def test_an_archive_that_works_has_no_fault(archived):
    segment = _write(archived)
    kept = archive_in_use(archived).wal / f"{segment}.gz"
    state = _wait(archived, lambda state: state.waiting == 0 and kept.exists())
    assert state.faults() == []
    assert state.is_continuous
    assert state.last_at is not None


def test_a_database_without_an_archive_has_no_state(home):
    assert archive_state(home) is None
    cluster.start(home)
    assert archive_state(home) is None


def test_an_archive_that_cannot_be_written_is_told_and_the_database_goes_on(archived):
    archive = archive_in_use(archived)
    archive.wal.rename(archive.directory / "away")
    _write(archived)
    state = _wait(archived, lambda state: state.is_failing)
    assert re.match(r"the log is not archived: \d+ segments", state.faults()[0])
    _write(archived)  # the database goes on
    (archive.directory / "away").rename(archive.wal)
    state = _wait(archived, lambda state: state.waiting == 0)
    assert state.is_continuous


def test_an_archive_without_a_base_backup_is_told(home):
    archiving.turn_on(home)
    cluster.start(home)
    assert "mapgrid backup --base" in archive_state(home).faults()[0]


def test_a_gap_is_told_and_a_new_base_backup_closes_it(archived):
    segment = _write(archived)
    kept = archive_in_use(archived).wal / f"{segment}.gz"
    _wait(archived, lambda _state: kept.exists())
    kept.unlink()
    state = archive_state(archived)
    assert not state.is_continuous
    assert "gap" in state.faults()[0]
    make_base(archived)
    assert archive_state(archived).is_continuous


def test_a_time_without_archiving_leads_to_a_new_base_backup(archived):
    first = archive_in_use(archived).bases()[-1]
    cluster.stop(archived)
    archiving.turn_off(archived)
    cluster.start(archived)
    _write(archived)
    cluster.stop(archived)
    archiving.turn_on(archived)
    cluster.start(archived)
    assert ensure_base(archived) != first
    assert ensure_base(archived) == archive_in_use(archived).bases()[-1]


def test_an_archive_that_went_away_does_not_keep_the_database_from_starting(archived):
    cluster.stop(archived)
    archive = (archived / "archive").resolve()
    shutil.move(archive, archived / "away")
    assert cluster.start(archived)
    assert _wait(archived, lambda state: state is not None)


def test_a_full_archive_waits_and_a_full_database_disk_gives_a_segment_up(home):
    """The script alone: what it does when it cannot write, with room beside the database and without."""
    segment = home / "000000010000000000000001"
    segment.write_bytes(b"log")

    def archive(script):
        arguments = ["/bin/sh", script, home / "nowhere", segment, segment.name]
        return subprocess.run(arguments, capture_output=True, text=True, check=False)

    waits = archive(_SCRIPTS / "archive-wal")
    assert (waits.returncode, "was not archived" in waits.stderr) == (1, True)
    no_room = home / "script"
    no_room.write_text((_SCRIPTS / "archive-wal").read_text().replace("262144", "99999999999999"))
    gives_up = archive(no_room)
    assert (gives_up.returncode, "is given up" in gives_up.stderr) == (0, True)

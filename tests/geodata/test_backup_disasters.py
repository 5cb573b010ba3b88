"""Full disks and kills: nothing half-made is left, and the store stays as it is."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from kept_things import databases_of, everything_in, fill, rows_in

from geodata.backup import opening
from geodata.backup.making import make_backup
from geodata.backup.programs import conninfo, named
from geodata.backup.refusals import BackupError, RestoreError
from geodata.backup.restoring import drop_old, restore
from geodata.backup.sealing import Seal

pytestmark = pytest.mark.usefixtures("restores_alone")

_CHECKOUT = Path(__file__).parent.parent.parent
_NOW = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)


@pytest.fixture
def store(database_url):
    """Return the URL of a store that takes a moment to restore."""
    fill(database_url, households=20_000)
    yield database_url
    drop_old(database_url)


@contextmanager
def _limited_files(size):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def _small_disk(directory, size):
    """Lend a directory on a disk of its own, or on one that is as good where one may not mount."""
    directory.mkdir()
    if os.geteuid() != 0:
        with _limited_files(size // 4):
            yield directory
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


@pytest.mark.parametrize("seal", [Seal(), Seal("four random words do")], ids=["open", "encrypted"])
def test_a_full_disk_is_named_and_nothing_half_made_is_left(store, tmp_path, seal):
    with _small_disk(tmp_path / "disk", 256 * 1024) as disk:
        with pytest.raises(BackupError, match=r"No space left on device|File too large"):
            make_backup(store, disk / "store.backup", now=_NOW, seal=seal)
        assert list(disk.iterdir()) == []


def test_a_limit_on_file_sizes_is_named_and_nothing_half_made_is_left(store, tmp_path):
    with _limited_files(128 * 1024), pytest.raises(BackupError, match="File too large"):
        make_backup(store, tmp_path / "store.backup", now=_NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(store):
    with pytest.raises(BackupError, match=r"cannot write /proc/store\.backup"):
        make_backup(store, Path("/proc/store.backup"), now=_NOW)


def test_a_disk_without_room_to_lay_the_backup_ready_stops_the_restore_before_it_begins(store, tmp_path):
    file = make_backup(store, tmp_path / "store.backup", now=_NOW).file
    before = everything_in(store)
    with _small_disk(tmp_path / "disk", 256 * 1024) as disk:
        with pytest.raises(RestoreError, match="cannot lay the backup ready"):
            restore(store, file, now=_NOW, work=disk, replace=True)
        assert list(disk.iterdir()) == []
    assert everything_in(store) == before


def test_a_disk_without_room_for_a_second_store_stops_the_restore_before_it_begins(store, tmp_path, monkeypatch):
    file = make_backup(store, tmp_path / "store.backup", now=_NOW).file
    before = everything_in(store)
    monkeypatch.setattr(opening, "_SPARE", shutil.disk_usage(tmp_path).total)
    with pytest.raises(RestoreError, match=r"expected \d+ MB free"):
        restore(store, file, now=_NOW, work=tmp_path, has_database=True, replace=True)
    assert everything_in(store) == before
    assert len(databases_of(store)) == 1


def test_a_dump_that_breaks_off_leaves_no_file(store, tmp_path):
    """Somebody ends the connection of pg_dump in the middle, as a restart of the server would."""
    with psycopg.connect(conninfo(store, database="postgres"), autocommit=True) as other:
        program = _run_command(store, tmp_path, "backup", tmp_path / "store.backup")
        ended = False
        while not ended:
            ended = other.execute(
                "SELECT bool_or(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pg_dump'"
            ).fetchone()[0]
            assert ended or program.poll() is None, program.communicate()
    said = program.communicate(timeout=60)[1]
    assert program.returncode == 2, said
    assert "mapgrid: the backup was not made: pg_dump failed" in said
    assert not list(tmp_path.glob("*store.backup*"))


def _run_command(url, home, *arguments):
    """Start a command of mapgrid in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "web", *map(str, arguments)],
        cwd=_CHECKOUT,
        env={**os.environ, "MAPGRID_DATABASE_URL": url, "MAPGRID_HOME": str(home), "PYTHONPATH": str(_CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _is_laid_ready(url, home):
    return bool(list(home.glob("restoring-*/dump")))


def _is_made(url, home):
    return len(databases_of(url)) == 2


def _is_filled(url, home):
    """Say whether households are stored in the new database and visible, that is committed."""
    drafts = [name for name in databases_of(url) if "_restoring_" in name]
    if not drafts:
        return False
    try:
        return rows_in(named(url, drafts[0])) > 0
    except psycopg.Error:  # not yet there, or there no more
        return False


@pytest.mark.parametrize("with_its_children", [True, False], ids=["all of it", "itself alone"])
@pytest.mark.parametrize("moment", [_is_laid_ready, _is_made, _is_filled])
def test_a_restore_that_is_killed_leaves_the_store_and_the_next_one_works(store, tmp_path, moment, with_its_children):
    file = make_backup(store, tmp_path / "store.backup", now=_NOW).file
    with psycopg.connect(conninfo(store)) as connection:
        connection.execute("DELETE FROM person")
    before = everything_in(store)
    program = _run_command(store, tmp_path, "restore", file, "--replace")
    while not moment(store, tmp_path):
        assert program.poll() is None, program.communicate()
        time.sleep(0.002)
    if with_its_children:
        os.killpg(program.pid, signal.SIGKILL)
    else:
        program.kill()
    program.communicate()
    assert everything_in(store) == before
    done = restore(store, file, now=_NOW, work=tmp_path, replace=True)
    assert rows_in(store, "person") == 20_000
    assert databases_of(store) == sorted([done.kept, done.kept.split("_before_")[0]])
    assert list(tmp_path.iterdir()) == [file]

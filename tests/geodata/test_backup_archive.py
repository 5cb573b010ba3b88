"""The archived log: base backups, restores to a moment, and what the loss of the whole data directory costs."""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from geodata import archiving, cluster
from geodata.backup import rewind as rewinding
from geodata.backup.bases import archive_in_use, ensure_base, make_base, prune
from geodata.backup.refusals import BackupError, RestoreError
from geodata.backup.rewind import drop_old_data, rewind
from geodata.postgres import ClusterError

_CHECKOUT = Path(__file__).parent.parent.parent


@pytest.fixture
def archived(home):
    """Return a home whose running database archives its log, with a base backup and an empty table."""
    archiving.turn_on(home)
    server = cluster.start(home)
    _do(home, "CREATE TABLE note (number int, written_at timestamptz DEFAULT clock_timestamp())")
    ensure_base(home)
    assert server == cluster.status(home)
    return home


def _do(home, statement):
    with psycopg.connect(cluster.status(home).url, autocommit=True) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else None


def _write(home, *numbers):
    """Write some notes, and return a moment that lies between them and whatever is written next."""
    for number in numbers:
        _do(home, psycopg.sql.SQL("INSERT INTO note (number) VALUES ({})").format(number))
    return _do(home, "SELECT clock_timestamp()")[0][0]


def _notes(home):
    return [row[0] for row in _do(home, "SELECT number FROM note ORDER BY number")]


def _archive_all(home):
    """Switch to a new segment and wait until the one before is archived."""
    segment = _do(home, "SELECT pg_walfile_name(pg_switch_wal())")[0][0]
    kept = archive_in_use(home).wal / f"{segment}.gz"
    deadline = time.monotonic() + 30
    while not kept.exists():
        assert time.monotonic() < deadline, (home / "database/log").read_text()
        time.sleep(0.01)


def _kill(home):
    server = cluster.status(home)
    process = os.pidfd_open(server.pid)
    signal.pidfd_send_signal(process, signal.SIGKILL)
    assert select.select([process], [], [], 10)[0]
    os.close(process)
    return server


def _now():
    return datetime.now(UTC)


def test_a_database_is_brought_back_to_a_moment_with_exactly_the_rows_up_to_it(archived):
    moment = _write(archived, 1, 2, 3)
    _write(archived, 4)
    _do(archived, "DELETE FROM note WHERE number = 1")
    done = rewind(archived, moment, now=_now())
    assert _notes(archived) == [1, 2, 3]
    assert done.reached_at <= moment
    assert done.kept.is_dir()


def test_a_lost_data_directory_is_brought_back_to_a_moment(archived):
    moment = _write(archived, 1, 2, 3)
    _write(archived, 4)
    _archive_all(archived)
    shutil.rmtree(_kill(archived).data)
    rewind(archived, moment, now=_now())
    cluster.start(archived)
    assert _notes(archived) == [1, 2, 3]


def test_the_loss_of_the_whole_data_directory_costs_at_most_the_segment_that_was_not_archived(archived):
    _write(archived, 1, 2, 3)
    _archive_all(archived)
    _write(archived, 4)
    shutil.rmtree(_kill(archived).data)
    done = rewind(archived, None, now=_now())
    cluster.start(archived)
    assert _notes(archived) == [1, 2, 3]
    assert not done.gap
    assert done.kept is None


def test_a_kill_alone_costs_nothing_because_the_rest_of_the_log_is_still_there(archived):
    moment = _write(archived, 1, 2, 3)
    _write(archived, 4)
    _kill(archived)
    rewind(archived, moment, now=_now())
    cluster.start(archived)
    assert _notes(archived) == [1, 2, 3]


def test_a_data_directory_that_no_longer_starts_still_gives_the_rest_of_its_log(archived):
    _write(archived, 1, 2)
    server = _kill(archived)
    (server.data / "global" / "pg_control").write_bytes(b"spoilt")
    rewind(archived, None, now=_now())
    cluster.start(archived)
    assert _notes(archived) == [1, 2]


def test_all_of_the_databases_directory_may_be_gone_but_the_archive(archived):
    _write(archived, 1)
    _archive_all(archived)
    _kill(archived)
    shutil.rmtree(archived / "database")
    rewind(archived, None, now=_now())
    cluster.start(archived)
    assert _notes(archived) == [1]


def test_a_segment_is_archived_within_the_promised_time_although_it_is_not_full(archived, monkeypatch):
    """The promise is a minute; the mechanism is the same at one second."""
    assert _do(archived, "SHOW archive_timeout") == [(f"{archiving.LONGEST_LOSS_S // 60}min",)]
    assert archiving.LONGEST_LOSS_S <= 300
    cluster.stop(archived)
    monkeypatch.setattr(archiving, "LONGEST_LOSS_S", 1)
    cluster.start(archived)
    before = len(archive_in_use(archived).segments())
    started = time.monotonic()
    _write(archived, 1)
    while len(archive_in_use(archived).segments()) == before:
        assert time.monotonic() < started + 60
        time.sleep(0.02)


def test_one_can_go_back_and_back_again_to_moments_of_each_past(archived):
    first = _write(archived, 1)
    second = _write(archived, 2)
    _write(archived, 3)
    rewind(archived, first, now=_now())
    assert _notes(archived) == [1]
    third = _write(archived, 4)
    _write(archived, 5)
    rewind(archived, second, now=_now())
    assert _notes(archived) == [1, 2]
    rewind(archived, third, now=_now())
    assert _notes(archived) == [1, 4]
    _write(archived, 6)
    rewind(archived, None, now=_now())
    assert _notes(archived) == [1, 4, 6]


def test_a_moment_without_a_base_backup_before_it_or_in_the_future_is_refused_and_nothing_changes(archived):
    _write(archived, 1)
    with pytest.raises(RestoreError, match=r"base backup from before that moment.*the earliest is of"):
        rewind(archived, _now() - timedelta(days=1), now=_now())
    with pytest.raises(RestoreError, match="moment in the past"):
        rewind(archived, _now() + timedelta(minutes=1), now=_now())
    assert _notes(archived) == [1]


def test_a_moment_after_the_end_of_the_archive_is_refused_with_its_end(archived):
    _write(archived, 1)
    _archive_all(archived)
    shutil.rmtree(_kill(archived).data)
    with pytest.raises(RestoreError, match=r"its last transaction is of \d{4}-.* --at latest"):
        rewind(archived, _now(), now=_now())
    assert not (archived / "database" / "data").exists()


def test_a_damaged_segment_or_base_is_refused_instead_of_ending_too_early(archived):
    _write(archived, 1)
    _archive_all(archived)
    _write(archived, 2)
    _archive_all(archived)
    shutil.rmtree(_kill(archived).data)
    archive = next((archived / "archive").glob("[0-9]*"))
    segment = sorted((archive / "wal").glob("[0-9]" * 24 + ".gz"))[-2]
    whole = segment.read_bytes()
    segment.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RestoreError, match="cannot be replayed"):
        rewind(archived, None, now=_now())
    segment.write_bytes(whole)
    base = next(archive.glob("base/*/base.tar.gz"))
    packed = base.read_bytes()
    base.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(RestoreError, match=r"base backup .* cannot be used"):
        rewind(archived, None, now=_now())
    base.write_bytes(packed)
    rewind(archived, None, now=_now())
    cluster.start(archived)
    assert _notes(archived) == [1, 2]


def test_a_gap_in_the_log_is_told(archived):
    for number in (1, 2, 3):
        _write(archived, number)
        _archive_all(archived)
    shutil.rmtree(_kill(archived).data)
    archive = next((archived / "archive").glob("[0-9]*"))
    sorted((archive / "wal").glob("[0-9]" * 24 + ".gz"))[-2].unlink()
    done = rewind(archived, None, now=_now())
    cluster.start(archived)
    assert done.gap
    assert _notes(archived) == [1]


def test_a_lost_data_directory_is_not_mistaken_for_a_new_home(archived):
    shutil.rmtree(_kill(archived).data)
    with pytest.raises(ClusterError, match="mapgrid restore --at latest"):
        cluster.start(archived)
    assert cluster.destroy(archived)
    assert cluster.start(archived)


def test_a_new_database_in_an_old_home_has_an_archive_of_its_own(archived):
    _archive_all(archived)
    first = archive_in_use(archived).directory
    cluster.destroy(archived)
    archiving.turn_on(archived)
    cluster.start(archived)
    assert archive_in_use(archived).directory not in {first, None}
    assert first.exists()


def test_an_exchange_that_was_interrupted_is_finished_by_the_next_start(archived):
    """The note is written before anything is renamed: here is the moment after the first of the two renamings."""
    _write(archived, 1)
    cluster.stop(archived)
    place = archived / "database"
    shutil.copytree(place / "data", place / "new")
    entry = (place / "data").stat()
    for path in [place / "new", *(place / "new").rglob("*")]:
        os.chown(path, entry.st_uid, entry.st_gid)
    (place / "data").rename(place / "data-before-x")
    (place / "exchange").write_text(f"{place / 'new'}\n{place / 'data-before-x'}")
    cluster.start(archived)
    assert _notes(archived) == [1]
    assert not (place / "exchange").exists()
    assert drop_old_data(archived) == ["data-before-x"]


@pytest.mark.parametrize("moment", ["rewinding-*/data", "rewinding-*/data/recovery.signal", "rewinding-*/data/*.pid"])
def test_a_restore_to_a_moment_that_is_killed_leaves_the_database_and_the_next_one_works(archived, moment):
    asked = _write(archived, 1)
    _write(archived, 2)
    program = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "web",
            "restore",
            "--at",
            asked.astimezone().isoformat(sep="T", timespec="microseconds"),
        ],
        cwd=_CHECKOUT,
        env={**os.environ, "MAPGRID_HOME": str(archived), "PYTHONPATH": str(_CHECKOUT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    while not list((archived / "database").glob(moment)):
        assert program.poll() is None, program.communicate()
        time.sleep(0.001)
    os.killpg(program.pid, signal.SIGKILL)
    program.communicate()
    cluster.start(archived)
    assert _notes(archived) == [1, 2]
    rewind(archived, asked, now=_now())
    assert _notes(archived) == [1]
    assert not list((archived / "database").glob("rewinding-*"))


def test_a_disk_without_room_for_a_second_database_stops_before_anything_changes(archived, monkeypatch):
    moment = _write(archived, 1)
    monkeypatch.setattr(rewinding, "_SPARE", shutil.disk_usage(archived).total)
    with pytest.raises(RestoreError, match=r"expected \d+ MB free"):
        rewind(archived, moment, now=_now())
    assert _notes(archived) == [1]
    assert not list((archived / "database").glob("rewinding-*"))


def test_old_base_backups_are_deleted_with_the_log_that_only_they_need(archived):
    first = archive_in_use(archived).bases()[0]
    moment = _write(archived, 1)
    second, third = make_base(archived), make_base(archived)
    _write(archived, 2)
    assert prune(archived, keep=2) == [first]
    archive = archive_in_use(archived)
    assert archive.bases() == [second, third]
    assert min(number for _timeline, number in archive.segments()) == second.start >> 24
    with pytest.raises(RestoreError, match="base backup from before"):
        rewind(archived, moment, now=_now())
    rewind(archived, None, now=_now())
    assert _notes(archived) == [1, 2]


def test_without_an_archived_log_there_is_no_base_backup(home):
    cluster.start(home)
    with pytest.raises(BackupError, match="not archived yet"):
        make_base(home)
    archiving.turn_on(home)
    assert ensure_base(home) is None  # only the next start of the server archives
    cluster.stop(home)
    cluster.start(home)
    assert ensure_base(home).directory.is_dir()
    archiving.turn_off(home)
    cluster.stop(home)
    cluster.start(home)
    assert archive_in_use(home) is None


@pytest.mark.parametrize("name", ["我的 村庄 (1)", "a, b; $HOME `x` \"q\" 'p' %s %p"])
def test_a_home_with_a_name_that_a_shell_would_read_archives_too(home, name):
    inner = home / name / "var"
    inner.mkdir(parents=True)
    archiving.turn_on(inner)
    cluster.start(inner)
    _do(inner, "CREATE TABLE note (number int)")
    ensure_base(inner)
    _write(inner, 1)
    _archive_all(inner)
    shutil.rmtree(_kill(inner).data)
    rewind(inner, None, now=_now())
    cluster.start(inner)
    assert _notes(inner) == [1]
    cluster.destroy(inner)


def test_a_closed_home_archives_where_the_account_of_the_server_can_reach(home):
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    archiving.turn_on(closed)
    cluster.start(closed)
    base = ensure_base(closed)
    assert base.directory.is_dir()
    assert base.directory.parent.parent.stat().st_mode & 0o777 == 0o700
    cluster.destroy(closed)
    shutil.rmtree((closed / "archive").resolve())

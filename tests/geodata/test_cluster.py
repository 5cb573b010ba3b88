import os
import pwd
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from geodata import cluster, postmaster
from geodata.postgres import ClusterError, account_for, list_installations

_CHECKOUT = Path(__file__).parent.parent.parent
_START = "import sys, pathlib; from geodata import cluster; print(cluster.start(pathlib.Path(sys.argv[1])).pid)"


def _ask(url, query):
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone()[0]


def _start_elsewhere(home, **options):
    """Start the cluster from another process."""
    return subprocess.Popen(
        [sys.executable, "-c", _START, home],
        cwd=_CHECKOUT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def _kill(server):
    """Kill a server the hard way and wait until it is gone."""
    process = os.pidfd_open(server.pid)
    signal.pidfd_send_signal(process, signal.SIGKILL)
    assert select.select([process], [], [], 10)[0]
    os.close(process)


def test_a_new_home_gets_a_database_with_postgis_that_no_network_reaches(home):
    server = cluster.start(home)
    assert _ask(server.url, "SELECT ST_SRID(ST_Point(117.2, 25.1, 4326))") == 4326
    assert _ask(server.url, "SHOW listen_addresses") == ""
    assert _ask(server.url, "SHOW fsync") == "on"
    socket_directory = Path(_ask(server.url, "SHOW unix_socket_directories"))
    assert socket_directory.stat().st_mode & 0o777 == 0o700


def test_starting_again_returns_the_running_server(home):
    assert cluster.start(home) == cluster.start(home) == cluster.status(home)


def test_stopping_keeps_what_was_stored(home):
    server = cluster.start(home)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    assert cluster.stop(home)
    assert cluster.status(home) is None
    assert not cluster.stop(home)
    assert _ask(cluster.start(home).url, "SELECT number FROM kept") == 7


def test_two_programs_that_start_at_once_end_with_one_server(home):
    programs = [_start_elsewhere(home), _start_elsewhere(home)]
    said = [program.communicate() for program in programs]
    assert [program.returncode for program in programs] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert int(said[0][0]) == cluster.status(home).pid


def test_a_committed_row_survives_a_kill_of_the_server(home):
    server = cluster.start(home)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    _kill(server)
    again = cluster.start(home)
    assert again.pid != server.pid
    assert again.url == server.url  # a program that held connections finds it again
    assert _ask(again.url, "SELECT number FROM kept") == 7


def test_a_pid_file_whose_number_another_process_has_now_is_no_hindrance(home):
    server = cluster.start(home)
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server_socket = Path(lines[4])
    _kill(server)
    account = account_for(server.data)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, cwd="/", **account.become()) as other:
        for file in (pid_file, server_socket / ".s.PGSQL.5432.lock"):
            file.write_text("\n".join([str(other.pid), *lines[1:], ""]))
        assert cluster.status(home) is None
        assert _ask(cluster.start(home).url, "SELECT 1") == 1
        assert other.poll() is None


def test_a_server_whose_socket_was_cleaned_away_is_started_anew(home):
    server = cluster.start(home)
    shutil.rmtree(_ask(server.url, "SHOW unix_socket_directories"))
    assert cluster.status(home) is None
    assert _ask(cluster.start(home).url, "SELECT 1") == 1


def test_data_of_another_major_version_are_refused_with_both_versions_and_the_way_out(home):
    server = cluster.start(home)
    cluster.stop(home)
    version = server.data / "PG_VERSION"
    real = version.read_text()
    version.write_text("9\n")
    installed = list_installations()[0].major
    with pytest.raises(ClusterError, match=rf"PostgreSQL 9, installed here: .*{installed}.*mapgrid db destroy"):
        cluster.start(home)
    version.write_text(real)
    assert _ask(cluster.start(home).url, "SELECT 1") == 1


@pytest.mark.parametrize(
    "name",
    ["我的 村庄 (1)", "a, b; $HOME `x` \"q\" 'p' %s", "深" * 60],
    ids=["Chinese and spaces", "what a shell would read", "180 bytes"],
)
def test_a_home_with_spaces_chinese_or_a_long_name_works(home, name):
    inner = home / name / "var"
    assert _ask(cluster.start(inner).url, "SELECT 1") == 1
    assert cluster.destroy(inner)


def test_a_home_that_is_closed_to_others_works(home):
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    server = cluster.start(closed / "var")
    assert _ask(server.url, "SELECT 1") == 1
    assert cluster.destroy(closed / "var")
    assert not server.data.parent.exists()


def test_destroying_leaves_nothing_of_the_database(home):
    server = cluster.start(home)
    assert cluster.destroy(home)
    assert not server.data.exists()
    assert not Path(f"/proc/{server.pid}/cwd").exists()
    assert [path.name for path in home.iterdir()] == ["database.lock"]
    assert not cluster.destroy(home)


def test_an_interrupted_creation_leaves_nothing_that_hinders_the_next_one(home):
    program = _start_elsewhere(home)
    while not list(home.glob("database/creating-*/PG_VERSION")):
        assert program.poll() is None, program.communicate()
    program.kill()
    program.communicate()
    assert not (home / "database" / "data").exists()
    assert _ask(cluster.start(home).url, "SELECT 1") == 1
    assert not list(home.glob("database/creating-*"))


def test_a_limit_on_file_sizes_is_named_and_nothing_half_made_is_left(home):
    limit = 2**20
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(ClusterError, match="limit on file sizes"):
            cluster.start(home)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((home / "database").iterdir()) == []
    assert _ask(cluster.start(home).url, "SELECT 1") == 1


@contextmanager
def _small_disk(directory, megabytes):
    directory.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", directory],
        check=True,
        capture_output=True,
    )
    try:
        yield directory
    finally:
        cluster.destroy(directory)
        subprocess.run(["umount", directory], check=True)


@contextmanager
def _limited_files(directory, megabytes):
    """Stand in for a small disk where one may not mount: a file cannot grow beyond a tenth of it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes * 2**20 // 10, before[1]))
    try:
        yield directory
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_while_the_database_is_made_is_named_and_nothing_half_made_is_left(home):
    small_disk = _small_disk if os.geteuid() == 0 else _limited_files
    with small_disk(home / "disk", 30) as disk:
        with pytest.raises(ClusterError, match=r"disk is full \(\d+ MB free"):
            cluster.start(disk)
        assert list((disk / "database").iterdir()) == []
        assert cluster.status(disk) is None


def test_a_disk_without_room_to_start_is_named(home, monkeypatch):
    cluster.start(home)
    cluster.stop(home)
    monkeypatch.setattr(postmaster, "_ROOM_TO_START", shutil.disk_usage(home).total)
    with pytest.raises(ClusterError, match=r"disk of .* is full: \d+ MB free"):
        cluster.start(home)


def test_a_killed_server_without_room_to_start_is_started_when_there_is_room(home, monkeypatch):
    monkeypatch.setattr(cluster, "_NEXT_LOOK_S", 0.1)
    killed = cluster.start(home, keep=False)
    with cluster.revived(home):
        monkeypatch.setattr(postmaster, "_ROOM_TO_START", shutil.disk_usage(home).total)
        _kill(killed)
        with pytest.raises(ClusterError, match="full"):
            cluster.start(home)
        monkeypatch.setattr(postmaster, "_ROOM_TO_START", 0)
        deadline = time.monotonic() + 30
        while cluster.status(home) is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # somebody else's thread
    assert _ask(cluster.status(home).url, "SELECT 1") == 1


def test_a_server_that_gave_up_is_started_again_and_one_that_was_stopped_is_not(home, monkeypatch):
    """On a full disk the server cannot write its log and ends by itself, as tidily as if somebody had stopped it."""
    monkeypatch.setattr(cluster, "_NEXT_LOOK_S", 0.1)
    first = cluster.start(home, keep=False)
    with cluster.revived(home):
        os.kill(first.pid, signal.SIGQUIT)  # ends it without a last checkpoint
        deadline = time.monotonic() + 30
        while cluster.status(home) in {None, first}:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # somebody else's thread
        cluster.stop(home)
        time.sleep(0.5)  # in which a watcher that misunderstood would start it again
        assert cluster.status(home) is None


def test_a_home_where_nothing_can_be_written_is_named(home):
    (home / "file").write_text("")
    with pytest.raises(ClusterError, match=r"cannot write .*file/database\.lock"):
        cluster.start(home / "file")


def test_the_last_borrower_stops_the_server(home):
    with cluster.running(home) as first:
        with cluster.running(home) as second:
            assert first == second
        assert cluster.status(home) == first
    assert cluster.status(home) is None


def test_a_server_that_was_started_to_stay_outlives_its_borrowers(home):
    server = cluster.start(home)
    with cluster.running(home) as borrowed:
        assert borrowed == server
    assert cluster.status(home) == server


def test_an_ordinary_account_makes_and_uses_a_database_of_its_own(home):
    """Root lends the test to the account nobody; anybody else is ordinary already."""
    entry = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    packages, own = home / "packages", home / "own"
    for name in ("geodata", "mapgrid"):  # a checkout below /root is closed to others
        shutil.copytree(_CHECKOUT / name, packages / name, ignore=shutil.ignore_patterns("__pycache__"))
    own.mkdir()
    os.chown(own, entry.pw_uid, entry.pw_gid)
    asked = subprocess.run(
        ["/usr/bin/python3", "-B", "-c", _START, own],
        env={"PYTHONPATH": str(packages), "PATH": "/usr/bin:/bin"},
        cwd="/",
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    server = cluster.status(own)
    assert server.pid == int(asked.stdout)
    assert Path(f"/proc/{server.pid}").stat().st_uid == entry.pw_uid
    assert cluster.destroy(own)

"""`mapgrid backup` and `mapgrid restore` as people type them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from running_server import running_server

from geodata import cluster

_CHECKOUT = Path(__file__).parent.parent.parent


@pytest.fixture
def mapgrid(home):
    """Return a function that runs the command line on the embedded database of this test."""

    def run(*arguments, ends_with=0, **variables):
        environment = {**os.environ, "MAPGRID_HOME": str(home), "PYTHONPATH": str(_CHECKOUT), **variables}
        environment.pop("MAPGRID_DATABASE_URL", None)
        done = subprocess.run(
            [sys.executable, "-m", "web", *map(str, arguments)],
            cwd=_CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == ends_with, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def _do(home, statement):
    with psycopg.connect(cluster.status(home).url, autocommit=True) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else None


def _names(home):
    return [name for (name,) in _do(home, "SELECT full_name FROM staff ORDER BY id")]


def test_back_up_destroy_restore(home, mapgrid):
    mapgrid("db", "start")
    _do(home, "INSERT INTO staff (full_name) VALUES ('林')")
    said = mapgrid("backup", home / "store.backup", "--drill")
    assert re.search(r"store\.backup: 0\.\d MB, not encrypted, \d+ rows of \d+ tables", said)
    assert "ok    rows: " in said
    assert "Proved: " in said
    mapgrid("db", "destroy", "--yes")
    said = mapgrid("restore", home / "store.backup")
    assert "Restored: " in said
    assert "kept as" not in said
    mapgrid("db", "start")
    assert _names(home) == ["林"]


def test_a_store_in_use_is_replaced_only_when_asked_and_kept(home, mapgrid):
    mapgrid("db", "start")
    _do(home, "INSERT INTO staff (full_name) VALUES ('林')")
    mapgrid("backup", home / "store.backup")
    _do(home, "INSERT INTO staff (full_name) VALUES ('陈')")
    assert "--replace" in mapgrid("restore", home / "store.backup", ends_with=2)
    assert _names(home) == ["林", "陈"]
    kept = re.search(r"kept as (\w+);", mapgrid("restore", home / "store.backup", "--replace"))[1]
    assert _names(home) == ["林"]
    assert kept in mapgrid("restore", "--drop-old")
    assert "nothing put aside" in mapgrid("restore", "--drop-old")


def test_an_encrypted_backup_by_passphrase_and_by_key(home, mapgrid):
    mapgrid("db", "start")
    (home / "words").write_text("four random words do\n")
    (home / "other").write_text("four other random words\n")
    mapgrid("backup", home / "words.backup", "--passphrase-file", home / "words", "--drill")
    assert "found another" in mapgrid(
        "restore", home / "words.backup", "--drill", "--passphrase-file", home / "other", ends_with=2
    )
    recipient = mapgrid("backup", "--new-key", home / "key").splitlines()[0]
    assert (home / "key").stat().st_mode & 0o777 == 0o600
    assert "new file" in mapgrid("backup", "--new-key", home / "key", ends_with=2)
    mapgrid("backup", home / "key.backup", "--recipient", recipient)
    assert "Proved" in mapgrid("restore", home / "key.backup", "--drill", "--identity-file", home / "key")


def test_back_to_a_moment(home, mapgrid):
    mapgrid("db", "start", MAPGRID_ARCHIVE="")
    _do(home, "INSERT INTO staff (full_name) VALUES ('林')")
    moment = _do(home, "SELECT clock_timestamp() FROM pg_sleep(1.1)")[0][0].replace(microsecond=0)
    _do(home, "INSERT INTO staff (full_name) VALUES ('陈')")
    said = mapgrid("restore", "--at", moment.astimezone().strftime("%Y-%m-%d %H:%M:%S"))
    assert "Restored: the last transaction is of " in said
    assert _names(home) == ["林"]
    assert "Its log is archived in " in mapgrid("db", "status")
    assert "data-before-" in mapgrid("restore", "--drop-old")
    assert "every moment" in mapgrid("backup", "--base", MAPGRID_ARCHIVE="")
    assert "archived log stays in" in mapgrid("db", "destroy", "--yes")


def test_a_night(home, mapgrid):
    mapgrid("db", "start")
    said = mapgrid("backup", "--nightly")
    assert "Proved: " in said
    assert [path.suffix for path in (home / "backups").iterdir()] == [".backup"]
    mapgrid("backup", "--nightly", "--into", home / "disk")
    assert len(list((home / "disk").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["backup"], "name a FILE, or one of --nightly, --base, --new-key"),
        (["backup", "a", "--nightly"], "name a FILE, or one of"),
        (["backup", "a"], "mapgrid db start makes one"),
        (["backup", "a", "--passphrase-file", "nowhere"], "cannot read nowhere"),
        (["backup", "a", "--drill", "--recipient", "age1x"], "mapgrid restore --drill"),
        (["restore"], "name a FILE, or one of --at, --drop-old"),
        (["restore", "--at", "yesterday"], 'expected "2026-11-26 14:05"'),
        (["restore", "--at", "latest"], "never archived"),
        (["restore", "nowhere", "--drill"], "No such file"),
    ],
)
def test_what_cannot_be_meant_is_said_and_nothing_is_made(home, mapgrid, arguments, said):
    assert said in mapgrid(*arguments, ends_with=2)
    assert not (home / "database" / "data").exists()


def test_serve_archives_the_log_by_default(home):
    with running_server(home, MAPGRID_ARCHIVE=""):
        assert _do(home, "SHOW archive_mode") == [("on",)]
    assert len(list(home.glob("archive/*/base/*Z/base.tar.gz"))) == 1

"""Files that are not, or no longer, what a backup was."""

import io
import json
import tarfile
import zipfile
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_things import databases_of, everything_in, fill

from geodata.backup.container import ContainerWriter, Window, read_container
from geodata.backup.drill import drill
from geodata.backup.making import make_backup
from geodata.backup.programs import client_for, conninfo, reading
from geodata.backup.refusals import BackupError, BackupRefusedError, RestoreError
from geodata.backup.restoring import restore
from geodata.backup.sealing import Opener, Seal, new_identity

pytestmark = pytest.mark.usefixtures("restores_alone")

_NOW = datetime(2026, 11, 26, 14, 5, tzinfo=UTC)
_WORDS = "four random words do"
_NONE = Opener()
_PROPERTY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _written(path, dump=b"PGDMP and so on", manifest=b"{}"):
    with path.open("w+b") as file:
        writer = ContainerWriter(file)
        writer.add("dump.pgdump", dump)
        writer.add("manifest.json", manifest)
        writer.end()
    return path


@pytest.fixture
def whole(tmp_path):
    """Return the bytes of a small container and a path to write changed ones to."""
    file = _written(tmp_path / "whole", dump=bytes(range(256)) * 9)
    assert list(read_container(file)) == ["format", "dump.pgdump", "manifest.json", "SHA256SUMS"]
    return file.read_bytes(), tmp_path / "changed"


@pytest.fixture
def store(database_url):
    fill(database_url)
    return database_url


@pytest.fixture
def refused(store, tmp_path):
    """Return a function that restores a file, which must be refused without a trace in the store."""

    def attempt(file, match, opener=_NONE, error=BackupRefusedError):
        before = everything_in(store)
        with pytest.raises(error, match=match):
            restore(store, file, now=_NOW, work=tmp_path, opener=opener, replace=True)
        assert everything_in(store) == before
        assert len(databases_of(store)) == 1

    return attempt


@_PROPERTY
@given(place=st.data())
def test_a_file_truncated_anywhere_is_refused(whole, place):
    content, changed = whole
    changed.write_bytes(content[: place.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(BackupRefusedError):
        read_container(changed)


@_PROPERTY
@given(place=st.data())
def test_one_bit_changed_anywhere_is_refused(whole, place):
    content, changed = whole
    bit = place.draw(st.integers(0, 8 * len(content) - 1))
    spoilt = bytearray(content)
    spoilt[bit // 8] ^= 1 << bit % 8
    changed.write_bytes(spoilt)
    with pytest.raises(BackupRefusedError):
        read_container(changed)


@_PROPERTY
@given(addition=st.binary(min_size=1, max_size=2000))
def test_anything_after_the_end_is_refused(whole, addition):
    content, changed = whole
    changed.write_bytes(content + addition)
    with pytest.raises(BackupRefusedError):
        read_container(changed)


@_PROPERTY
@given(content=st.binary(max_size=3000))
def test_any_other_bytes_are_refused(whole, content):
    _content, changed = whole
    changed.write_bytes(content)
    with pytest.raises(BackupRefusedError):
        read_container(changed)


def test_every_byte_of_a_container_counts(whole):
    """Not by chance: each byte in turn, so that no header, filling or hash is left out."""
    content, changed = whole
    accepted = []
    for index in range(len(content)):
        changed.write_bytes(content[:index] + bytes([content[index] ^ 0xFF]) + content[index + 1 :])
        try:
            read_container(changed)
            accepted.append(index)
        except BackupRefusedError:
            continue
    assert accepted == []


def test_a_backup_is_refused_when_truncated_or_changed_and_the_store_stays(store, refused, tmp_path):
    content = make_backup(store, tmp_path / "whole", now=_NOW).file.read_bytes()
    spoilt = tmp_path / "spoilt"
    for place in (0, 511, 5000, len(content) // 2, len(content) - 1):
        spoilt.write_bytes(content[:place])
        refused(spoilt, "truncated|found something else")
    for place in (3, 700, len(content) // 2, len(content) - 1300):
        spoilt.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        refused(spoilt, "changed|found something else")


def _text(path):
    path.write_text("code,name\n350426,尤溪\n")


def _empty(path):
    path.write_bytes(b"")


def _zip(path):
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("mapgrid-backup/format", "mapgrid backup\nformat 1\n")


def _other_tar(path):
    with tarfile.open(path, "w") as packed:
        packed.addfile(tarfile.TarInfo("dump.sql"), io.BytesIO(b""))


def _similar_tar(path):
    """What tar makes of the unpacked members: the same names, other headers."""
    with tarfile.open(path, "w") as packed:
        for name, content in (("format", b"mapgrid backup\nformat 1\n"), ("dump.pgdump", b"PGDMP")):
            entry = tarfile.TarInfo(f"mapgrid-backup/{name}")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))


@pytest.mark.parametrize("make", [_text, _empty, _zip, _other_tar, _similar_tar])
def test_a_foreign_file_is_refused(refused, tmp_path, make):
    make(tmp_path / "foreign")
    refused(tmp_path / "foreign", "nothing was")


def test_a_plain_dump_of_postgresql_is_refused(store, refused, tmp_path):
    foreign = tmp_path / "plain.pgdump"
    with reading(client_for("pg_dump", 14), ["--format=custom"], store) as dump:
        foreign.write_bytes(dump.read())
    refused(foreign, "expected a file that mapgrid backup wrote")


def test_a_file_that_is_not_there_and_a_directory_are_refused(refused, tmp_path):
    refused(tmp_path / "nowhere", "No such file")
    refused(tmp_path, "Is a directory")


def test_the_dump_of_another_program_in_our_container_is_refused(store, refused, tmp_path):
    receipt = make_backup(store, tmp_path / "own", now=_NOW)
    manifest = receipt.manifest.to_json()
    refused(_written(tmp_path / "forged", b"PGDMP other", manifest), "belongs to another backup")
    refused(_written(tmp_path / "empty", b"PGDMP", b"{}"), "manifest is not one of mapgrid")
    refused(_written(tmp_path / "no json", b"PGDMP", b"\xff{"), "manifest is not one of mapgrid")


def test_a_dump_that_holds_other_rows_than_its_manifest_says_is_refused_after_the_restore(store, refused, tmp_path):
    """The hashes of the file are right, so only the comparison of what was restored can tell."""
    file = make_backup(store, tmp_path / "own", now=_NOW).file
    members = read_container(file)
    with file.open("rb") as content:
        dump = Window(content, members["dump.pgdump"]).read()
        manifest = json.loads(Window(content, members["manifest.json"]).read())
    manifest["tables"]["public.household"]["rows"] = 41
    forged = _written(tmp_path / "forged", dump, json.dumps(manifest).encode())
    refused(forged, r"public.household: expected 41 rows .*, found 40 rows")


def test_a_backup_of_a_newer_mapgrid_is_refused_with_its_version(store, refused, tmp_path):
    with psycopg.connect(conninfo(store)) as connection:
        known = connection.execute("UPDATE alembic_version SET version_num = '9999' RETURNING 1").fetchone()
    assert known
    refused(make_backup(store, tmp_path / "newer", now=_NOW).file, "revision 9999, which this mapgrid does not know")
    content = (tmp_path / "newer").read_bytes()
    (tmp_path / "format").write_bytes(content.replace(b"mapgrid backup\nformat 1", b"mapgrid backup\nformat 2"))
    refused(tmp_path / "format", "expected format 1 or older, found 2")


def test_a_wrong_or_missing_passphrase_is_refused(store, refused, tmp_path):
    file = make_backup(store, tmp_path / "closed", now=_NOW, seal=Seal(_WORDS)).file
    refused(file, "--passphrase-file")
    refused(file, "found another", Opener(f"{_WORDS}!"))
    with pytest.raises(BackupRefusedError, match="found another"):
        drill(file, home=tmp_path, url=store, opener=Opener(""))


def test_another_key_is_refused(store, refused, tmp_path):
    _secret, public = new_identity()
    other, _public = new_identity()
    file = make_backup(store, tmp_path / "closed", now=_NOW, seal=Seal(recipients=(public,))).file
    refused(file, "--identity-file")
    refused(file, "none of the keys", Opener(identities=(other,)))
    refused(file, "AGE-SECRET-KEY", Opener(identities=("nonsense",)))


def test_a_short_passphrase_and_what_is_no_key_are_refused_before_anything_is_written(store, tmp_path):
    with pytest.raises(BackupError, match="12 characters"):
        Seal("short")
    with pytest.raises(BackupError, match="public key"):
        make_backup(store, tmp_path / "closed", now=_NOW, seal=Seal(recipients=("age1nonsense",)))
    with pytest.raises(BackupError, match="choose one"):
        Seal(passphrase=_WORDS, recipients=("age1",))
    assert list(tmp_path.iterdir()) == []


def test_two_restores_at_once_take_no_turns_but_say_so(store, refused, tmp_path):
    file = make_backup(store, tmp_path / "whole", now=_NOW).file
    with psycopg.connect(conninfo(store, database="postgres"), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(5030477210960)")
        refused(file, "another program restores", error=RestoreError)

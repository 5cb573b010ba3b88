"""Hostile and awkward files, one by one: the right verdict, the right place, soon, and nothing else."""

import contextlib
import http.server
import json
import resource
import tempfile
import threading
import time

import pytest
from geopandas import GeoDataFrame
from given import VILLAGE, write
from hostile_files import FILES, SECRET, comb, killing_star
from shapely import Point
from sqlalchemy import text

from geodata.households import save_households

LONGEST_S = 10.0
LONGEST_ON_A_BUSY_MACHINE_S = 40.0
EXIT_CODES = {"accepted": 0, "fixed": 0, "refused": 2, "rows_refused": 3}
COMMANDS = {
    "village": ["village", "--code", VILLAGE],
    "households": ["households", "--village", VILLAGE],
    "units": ["units", "--village", VILLAGE],
    "barriers": ["barriers", "--village", VILLAGE, "--kind", "waterway"],
    "grids": ["grids", "--village", VILLAGE],
}


HOME = GeoDataFrame({"code": [f"{VILLAGE}000009"]}, geometry=[Point(117.05, 25.05)], crs=4326)


@pytest.fixture(scope="module")
def listener():
    """Return an address on loopback where somebody answers, and the list of what was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 - the name http.server asks for

        def log_message(self, *_args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Return the directory where the program puts what it needs for a moment."""
    directory = tmp_path / "scratch"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


@contextlib.contextmanager
def soon():
    """Fail when the block takes longer than a person waits; a busy machine counts by the processor time it gave."""
    began, spent = time.monotonic(), processor_seconds()
    yield
    assert processor_seconds() - spent < LONGEST_S
    assert time.monotonic() - began < LONGEST_ON_A_BUSY_MACHINE_S


def processor_seconds():
    """Return the processor time of this process and of the children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def rows_of(session):
    """Return how many rows each table has and which transaction wrote last to it."""
    tables = ("area", "unit", "terrain", "household", "person", "plan", "grid")
    query = " UNION ALL ".join(f"SELECT '{t}', count(*), max(xmin::text::bigint) FROM {t}" for t in tables)  # noqa: S608
    found = session.execute(text(query)).all()
    session.rollback()  # the first command on a database puts its policies in place, which waits for who reads
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_hostile_file_gets_its_verdict_at_its_place_and_does_no_harm(
    mapgrid, village, session, tmp_path, scratch, listener, file
):
    address, asked = listener
    folder = tmp_path / "given"
    folder.mkdir()
    spec = file.make(folder, address)
    if file.command == "grids":
        save_households(session, VILLAGE, HOME)
        session.commit()
    before, files = rows_of(session), sorted(folder.iterdir())
    command = [*COMMANDS[file.command][:1], spec, *COMMANDS[file.command][1:]]
    with soon():
        mapgrid("import", *command, "--report", tmp_path / "r.json", ends_with=EXIT_CODES[file.verdict])
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    said = json.dumps(report, ensure_ascii=False)
    assert report["verdict"] == file.verdict
    assert file.says in said
    if file.row is not None:
        assert report["faults"][0]["row"] == file.row, report["faults"]
    for fault in report["faults"]:
        assert fault["file"] in {path.name for path in files}
    assert report["stored"] == (file.verdict in {"accepted", "fixed"})
    if not report["stored"]:
        assert rows_of(session) == before
    assert asked == []
    assert SECRET not in said
    assert str(tmp_path) not in said
    assert sorted(folder.iterdir()) == files
    assert list(scratch.iterdir()) == []


def test_there_are_sixty_hostile_files_and_more_and_no_two_are_the_same():
    names = [file.name for file in FILES]
    assert len(set(names)) == len(names)
    assert len(names) >= 60
    assert {file.verdict for file in FILES} == set(EXIT_CODES)


@contextlib.contextmanager
def readers(engine, count=4):
    """Let some people read while the block runs; yield how long each query took, and what went wrong."""
    waits, errors, done = [], [], threading.Event()

    def read():
        while not done.is_set():
            began = time.monotonic()
            try:
                with engine.connect() as connection:
                    connection.execute(text("SELECT count(*), ST_Union(boundary) FROM area")).all()
            except Exception as error:  # noqa: BLE001 - whatever a reader meets is what is asked for
                errors.append(error)
                return
            waits.append(time.monotonic() - began)

    threads = [threading.Thread(target=read) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield waits, errors
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("kind", ["village", "units", "barriers", "households"])
def test_the_star_that_kills_databases_kills_none_and_readers_notice_nothing(
    mapgrid, village, engine, session, tmp_path, kind
):
    started = text("SELECT pg_postmaster_start_time()")
    before = session.scalar(started)
    write(tmp_path / "star.geojson", killing_star(), name=["一组"])
    assert 50_000 < (tmp_path / "star.geojson").stat().st_size < 90_000
    arguments = [*COMMANDS[kind][:1], tmp_path / "star.geojson", *COMMANDS[kind][1:]]
    with readers(engine) as (waits, errors), soon():
        done = mapgrid("import", *arguments, ends_with=2)
    assert "row 1" in done.stderr
    assert errors == []
    assert sorted(waits)[int(len(waits) * 0.95)] < 1.0
    session.rollback()
    assert session.scalar(started) == before


def test_two_sound_outlines_that_cross_in_every_tooth_of_a_comb_do_not_stop_the_import(mapgrid, tmp_path):
    other = VILLAGE[:-1] + "2"
    write(tmp_path / "other.geojson", comb(upright=False))
    mapgrid("import", "village", tmp_path / "other.geojson", "--code", other)
    write(tmp_path / "comb.geojson", comb(upright=True))
    with soon():
        done = mapgrid("import", "village", tmp_path / "comb.geojson", "--code", VILLAGE)
    assert "too intricate" in done.stderr

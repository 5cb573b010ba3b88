"""Files that are broken or mean harm: refused by name and place, quickly, without reading or calling anything else."""

import contextlib
import http.server
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from given import faults_of, geojson
from shapely import Point

from geodata.files import read_features
from mapgrid.errors import InputRefusedError

SECRET = "the-secret-of-another-file"
HOME = gpd.GeoDataFrame({"name": ["a"]}, geometry=[Point(117.2, 25.1)], crs=4326)


@contextlib.contextmanager
def listener():
    """Serve GeoJSON on loopback and collect what was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(HOME.to_json().encode())

        do_HEAD = do_GET  # noqa: N815 - the name http.server asks for

        def log_message(self, *_args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def kml(inside):
    return f'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{inside}</Document></kml>'


PLACEMARK = "<Placemark><name>a</name><Point><coordinates>117.2,25.1</coordinates></Point></Placemark>"


@pytest.mark.parametrize("name", ["v.geojson", "v.kml", "v.csv", "v.gpkg", "v.vrt", "v.shp"])
@pytest.mark.parametrize("lead", ["", "\ufeff", "  \n", "<!-- kml -->", "<?xml version='1.0'?>"])
def test_a_vrt_under_any_name_reads_no_other_file_and_calls_nobody(tmp_path, name, lead):
    secret = tmp_path / "secret.csv"
    secret.write_text(f"lon,lat,word\n117.2,25.1,{SECRET}\n")
    with listener() as (address, asked):
        for source in (str(secret), f"/vsicurl/{address}/x.geojson", f"{address}/x.geojson"):
            layer = f"<OGRVRTLayer name='secret'><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>"
            (tmp_path / name).write_text(f"{lead}<OGRVRTDataSource>{layer}</OGRVRTDataSource>", encoding="utf-8")
            faults = faults_of(tmp_path / name)
            assert SECRET not in str(faults)
            assert "VRT" in faults[0].found
        assert asked == []


def test_json_that_is_a_recipe_for_gdal_reads_no_other_file(tmp_path):
    HOME.assign(name=SECRET).to_file(tmp_path / "secret.geojson")
    recipe = {"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {tmp_path / 'secret.geojson'}"}
    (tmp_path / "r.geojson").write_text(json.dumps(recipe))
    assert SECRET not in str(faults_of(tmp_path / "r.geojson"))


def test_links_inside_kml_are_not_followed(tmp_path):
    (tmp_path / "other.kml").write_text(kml(PLACEMARK.replace(">a<", f">{SECRET}<")))
    with listener() as (address, asked):
        links = "".join(
            f"<NetworkLink><Link><href>{href}</href></Link></NetworkLink><Style><IconStyle><Icon><href>{href}</href>"
            f"</Icon></IconStyle></Style><styleUrl>{href}#s</styleUrl>"
            for href in (f"{address}/x.kml", "other.kml", str(tmp_path / "other.kml"))
        )
        (tmp_path / "k.kml").write_text(kml(links + PLACEMARK))
        frame = read_features(str(tmp_path / "k.kml"))
        assert SECRET not in frame.to_json()
        assert len(frame) == 1
        assert asked == []


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE kml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE kml [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE kml SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_kml_with_a_document_type_is_refused(tmp_path, doctype):
    text = kml(PLACEMARK.replace(">a<", ">&c;<") if "ENTITY" in doctype else PLACEMARK)
    (tmp_path / "k.kml").write_text(text.replace('<?xml version="1.0"?>', f'<?xml version="1.0"?>{doctype}'))
    (fault,) = faults_of(tmp_path / "k.kml")
    assert fault.expected == "KML without a document type or entities"


def test_kml_that_stops_half_way_is_refused_with_the_line(tmp_path):
    (tmp_path / "k.kml").write_text(kml(PLACEMARK)[:-20])
    (fault,) = faults_of(tmp_path / "k.kml")
    assert "line 1" in fault.found


def test_a_sheet_with_one_cell_in_its_last_corner_does_not_fill_the_memory(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "lon"
    book.active["XFD1048576"] = "x"
    book.save(tmp_path / "corner.xlsx")
    began = time.monotonic()
    assert faults_of(tmp_path / "corner.xlsx")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("content", [b"", b" \n\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused_as_empty(tmp_path, content):
    (tmp_path / "e.csv").write_bytes(content)
    (fault,) = faults_of(tmp_path / "e.csv")
    assert fault.found == "an empty file"


def test_a_directory_a_missing_file_and_an_empty_name_are_told_apart(tmp_path):
    assert faults_of(tmp_path)[0].found == "a directory"
    assert faults_of(tmp_path / "nothing.gpkg")[0].found == "nothing there"
    assert faults_of("")[0].found == "an empty name"
    assert faults_of("/dev/null")[0].found == "a device or a pipe"


@pytest.mark.parametrize("keep", [16, 100, 4096, 20000, 60000])
def test_a_truncated_geopackage_is_refused_as_damaged(tmp_path, keep):
    whole = gpd.GeoDataFrame({"n": range(500)}, geometry=shapely.points(np.linspace(9, 10, 500), 47.0), crs=4326)
    whole.to_file(tmp_path / "h.gpkg")
    (tmp_path / "t.gpkg").write_bytes((tmp_path / "h.gpkg").read_bytes()[:keep])
    (fault,) = faults_of(tmp_path / "t.gpkg")
    assert "damaged" in fault.found
    assert str(tmp_path) not in str(fault)
    assert "input.gpkg" not in str(fault)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"%PDF-1.7 ...", "a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel file (.xls)"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"PK\x03\x04 and then nothing", "a damaged zip archive"),
        (b"<html><body>", "XML whose first element is <html>"),
        (b"\x7fELF\x00\x00\x00\x01", "binary content of an unknown kind"),
    ],
)
def test_what_is_no_geodata_is_named_for_what_it_is(tmp_path, content, found):
    (tmp_path / "h.gpkg").write_bytes(content)
    (fault,) = faults_of(tmp_path / "h.gpkg")
    assert fault.found == found
    assert "GeoPackage" in fault.expected


@pytest.mark.parametrize("content", ["{", '{"type": "Topology"}', "[1, 2]", '{"a": NaN}', "{" * 100_000])
def test_json_that_is_no_geojson_is_refused(tmp_path, content):
    (tmp_path / "h.geojson").write_text(content)
    assert faults_of(tmp_path / "h.geojson")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "${window.X=1}",
        "`",
        r"C:\path\2019",
        "=HYPERLINK(1)",
        "\u202eabc",
        "a\tb",
        "村'; --",
    ],
)
def test_hostile_text_is_kept_as_it_stands(tmp_path, text):
    (tmp_path / "h.csv").write_text(f'name,lon,lat\n"{text}",117.2,25.1\n', encoding="utf-8")
    assert read_features(str(tmp_path / "h.csv"))["name"].tolist() == [text]
    HOME.assign(name=text).to_file(tmp_path / "h.gpkg")
    assert read_features(str(tmp_path / "h.gpkg"))["name"].tolist() == [text]


def test_formula_cells_of_a_workbook_are_not_computed(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["name", "lon", "lat"])
    book.active.append(['=HYPERLINK("http://127.0.0.1")', 117.2, 25.1])
    book.active.append(["b", "=100+17", 25.1])
    book.save(tmp_path / "h.xlsx")
    (fault,) = faults_of(tmp_path / "h.xlsx")
    assert (fault.row, fault.column) == (3, "lon")


def test_the_reading_child_has_no_network_and_writes_no_file(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "from geodata.files.apart import shut_in; import os, socket; shut_in(memory_bytes=2**30, cpu_seconds=5)\n"
            f"try: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)\n"
            "except OSError: print('no network')\n"
            f"try: os.write(os.open({str(tmp_path / 'w')!r}, os.O_CREAT | os.O_WRONLY), b'x')\n"
            "except OSError: print('no write')\n"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == ["no network", "no write"]


def test_a_geopackage_whose_layer_is_an_endless_query_is_stopped(tmp_path):
    HOME.to_file(tmp_path / "v.gpkg", layer="homes")
    with sqlite3.connect(tmp_path / "v.gpkg") as package:
        package.execute("ALTER TABLE homes RENAME TO other")
        package.execute(
            "CREATE VIEW homes AS WITH RECURSIVE n(fid) AS (SELECT 1 UNION ALL SELECT fid + 1 FROM n) "
            "SELECT n.fid, o.geom, o.name FROM n, other o"
        )
        package.execute("UPDATE gpkg_contents SET table_name = 'homes' WHERE table_name = 'other'")
        package.execute("UPDATE gpkg_geometry_columns SET table_name = 'homes' WHERE table_name = 'other'")
    package.close()
    began = time.monotonic()
    (fault,) = faults_of(f"{tmp_path / 'v.gpkg'}:homes")
    assert time.monotonic() - began < 15
    assert fault.expected.startswith(("a GeoPackage that can be read in", "at most 1000000"))


def test_a_zero_byte_late_in_a_csv_is_named_by_its_row(tmp_path):
    rows = "\n".join(f"a{n},117.2,25.1" for n in range(10_000))
    (tmp_path / "h.csv").write_text(f"name,lon,lat\n{rows}\nb\x00,117.2,25.1\n")
    (fault,) = faults_of(tmp_path / "h.csv")
    assert (fault.row, fault.found) == (10_002, "a zero byte")


def test_a_name_too_long_for_a_file_is_refused(tmp_path):
    assert faults_of(tmp_path / ("x" * 5000))[0].expected == "a file that can be read"


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_broken_bytes_is_read_or_refused_and_never_anything_else(tmp_path, seed):
    rng = random.Random(seed)  # noqa: S311 - the same broken bytes each time
    name, driver = rng.choice(
        [("h.gpkg", "GPKG"), ("h.geojson", "GeoJSON"), ("h.kml", "LIBKML"), ("h.shp", "ESRI Shapefile")]
    )
    HOME.to_file(tmp_path / name, driver=driver)
    content = bytearray((tmp_path / name).read_bytes())
    for _ in range(rng.choice([1, 10, 50])):
        content[rng.randrange(len(content))] = rng.randrange(256)
    (tmp_path / name).write_bytes(content[: rng.choice([len(content), rng.randrange(1, len(content))])])
    files = set()
    try:
        files.add(read_features(str(tmp_path / name)).attrs["file"])
    except InputRefusedError as refused:
        files.update(fault.file for fault in refused.faults)
    assert files == {name}


def test_a_file_name_in_another_encoding_is_shown_with_question_marks(tmp_path):
    odd = os.fsencode(tmp_path / "x") + "村".encode("gbk") + b".csv"
    Path(os.fsdecode(odd)).write_text("lon,lat\n117.2,25.1\nx,25.1\n")
    (fault,) = faults_of(os.fsdecode(odd))
    assert fault.file == "x??.csv"


def test_a_shapefile_without_its_index_is_refused_by_name(tmp_path):
    HOME.to_file(tmp_path / "h.shp")
    (tmp_path / "h.shx").unlink()
    (fault,) = faults_of(tmp_path / "h.shp")
    assert fault.expected == "a readable shapefile"
    assert "shx" in fault.found


@pytest.mark.parametrize("text", [geojson(), "lon,lat\n"])
def test_a_layer_without_features_is_an_empty_frame(tmp_path, text):
    (tmp_path / "e").write_text(text)
    assert len(read_features(str(tmp_path / "e"))) == 0


@pytest.mark.parametrize(
    "call",
    [
        "gdal_get_pixel_value('/vsicurl/{address}/x.tif', 1, 'georef', 0, 0)",
        "gdal_get_pixel_value('{secret}', 1, 'georef', 0, 0)",
        "readfile('{secret}')",
        "load_extension('{secret}')",
        "ogr_geocode('{address}')",
    ],
)
def test_a_geopackage_whose_view_calls_functions_reads_no_other_file_and_calls_nobody(tmp_path, call):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    HOME.to_file(tmp_path / "v.gpkg", layer="homes")
    with listener() as (address, asked):
        with contextlib.closing(sqlite3.connect(tmp_path / "v.gpkg")) as package:
            package.execute("ALTER TABLE homes RENAME TO other")
            view = "CREATE VIEW homes AS SELECT fid, geom, CALL AS n FROM other"
            package.execute(view.replace("CALL", call.format(address=address, secret=secret)))
            package.execute("UPDATE gpkg_contents SET table_name = 'homes' WHERE table_name = 'other'")
            package.execute("UPDATE gpkg_geometry_columns SET table_name = 'homes' WHERE table_name = 'other'")
            package.commit()
        try:
            said = read_features(f"{tmp_path / 'v.gpkg'}:homes").to_json()
        except InputRefusedError as refused:
            said = str(refused)
        assert SECRET not in said
        assert asked == []

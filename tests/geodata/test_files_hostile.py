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
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import shapely
from shapely import LineString, Point, Polygon

from geodata.files import bounds, read_features
from mapgrid.errors import InputRefusedError

SECRET = "the-secret-of-another-file"  # noqa: S105 - a word to look for
HOME = gpd.GeoDataFrame({"name": ["a"]}, geometry=[Point(117.2, 25.1)], crs=4326)


def faults_of(spec, **options):
    with pytest.raises(InputRefusedError) as refused:
        read_features(str(spec), **options)
    return refused.value.faults


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


def geojson(*geometries):
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": g} for n, g in enumerate(geometries)]
    return json.dumps({"type": "FeatureCollection", "features": features})


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


def write_zip(target, **members):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def test_a_zip_without_a_shapefile_says_what_it_has(tmp_path):
    (fault,) = faults_of(write_zip(tmp_path / "z.zip", **{"readme.txt": "x", "h.dbf": "x"}))
    assert fault.found == "readme.txt, h.dbf"
    (fault,) = faults_of(write_zip(tmp_path / "e.zip"))
    assert fault.found == "an empty archive"


@pytest.mark.parametrize("name", ["../evil.shp", "/evil.shp", "a/../../evil.shp", "..\\evil.shp", "C:\\evil.shp"])
def test_an_archive_that_reaches_outside_is_refused_before_a_byte_is_written(tmp_path, name):
    inner = tmp_path / "inner"
    inner.mkdir()
    faults = faults_of(write_zip(inner / "z.zip", **{name: b"\x00\x00\x27\x0a"}))
    assert faults[0].expected == "names that stay inside the archive"
    assert not list(tmp_path.rglob("evil*"))


def test_a_link_inside_an_archive_is_refused(tmp_path):
    link = zipfile.ZipInfo("h.shp")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    (fault,) = faults_of(tmp_path / "z.zip")
    assert "a link" in fault.found


@pytest.mark.parametrize("name", ["inner.zip", "inner.tar.gz", "inner.KMZ"])
def test_an_archive_inside_an_archive_is_refused(tmp_path, name):
    (fault,) = faults_of(write_zip(tmp_path / "z.zip", **{name: b"PK\x03\x04"}))
    assert fault.expected == "no archive inside the archive"


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    began = time.monotonic()
    (fault,) = faults_of(write_zip(tmp_path / "z.zip", **{"h.shp": bytes(40 * bounds.MIB)}))
    assert fault.expected == "content that unpacks to at most 50 times its size"
    (fault,) = faults_of(write_zip(tmp_path / "y.zip", **{"h.shp": bytes(65 * bounds.MIB)}))
    assert fault.expected == "at most 64 MiB once unpacked"
    assert time.monotonic() - began < 10


def test_an_archive_that_lies_about_its_sizes_is_caught_while_unpacking(tmp_path):
    write_zip(tmp_path / "z.zip", **{"h.shp": bytes(40 * bounds.MIB)})
    content = (tmp_path / "z.zip").read_bytes()
    size = (40 * bounds.MIB).to_bytes(4, "little")
    assert content.count(size) == 2
    (tmp_path / "z.zip").write_bytes(content.replace(size, (1000).to_bytes(4, "little")))
    (fault,) = faults_of(tmp_path / "z.zip")
    assert fault.hint == "pack it again"


def test_an_xlsx_bomb_is_refused_like_any_archive(tmp_path):
    members = {"[Content_Types].xml": b" " * 40 * bounds.MIB, "xl/workbook.xml": "<x/>"}
    (fault,) = faults_of(write_zip(tmp_path / "b.xlsx", **members))
    assert "50 times" in fault.expected


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


def test_each_unusable_geometry_of_a_layer_is_named_by_its_row(tmp_path):
    point = {"type": "Point", "coordinates": [117.2, 25.1]}
    content = geojson(
        point,
        None,
        {"type": "Point", "coordinates": []},
        {"type": "Point", "coordinates": [1e400, 25.1]},
        {"type": "Point", "coordinates": [25.1, 117.2]},
        point,
    )
    (tmp_path / "h.geojson").write_text(content)
    faults = faults_of(tmp_path / "h.geojson")
    assert [fault.row for fault in faults] == [2, 3, 4, 5]
    assert faults[-1].hint == "looks like swapped longitude/latitude"
    assert {fault.column for fault in faults} == {"geometry"}


def test_a_bow_tie_is_refused_with_the_place_where_it_crosses(tmp_path):
    tie = gpd.GeoDataFrame(geometry=[Polygon([(117, 25), (118, 26), (118, 25), (117, 26)])], crs=4326)
    tie.to_file(tmp_path / "v.gpkg")
    (fault,) = faults_of(tmp_path / "v.gpkg")
    assert fault.found == "Self-intersection[117.5 25.5]"


def test_a_hair_of_self_crossing_is_mended_and_noted(tmp_path):
    slip = Polygon(
        [(117, 25), (118, 25), (118, 26), (117.5, 26), (117.49999, 26.00001), (117.50001, 26.00001), (117, 26)]
    )
    assert not slip.is_valid
    gpd.GeoDataFrame(geometry=[slip], crs=4326).to_file(tmp_path / "v.gpkg")
    frame = read_features(str(tmp_path / "v.gpkg"))
    assert frame.geometry.is_valid.all()
    assert shapely.area(frame.geometry.iloc[0]) == pytest.approx(1.0, abs=1e-3)
    assert "mended" in frame.attrs["notes"][0]


def test_a_star_that_crosses_itself_1500_times_is_answered_within_ten_seconds(tmp_path):
    rng = np.random.default_rng(1)
    turns = np.cumsum(np.full(1500, 0.497)) * 2 * np.pi
    radius = rng.uniform(0.5, 1.0, 1500)
    corners = np.column_stack([117 + radius * np.cos(turns), 25 + radius * np.sin(turns)])
    gpd.GeoDataFrame(geometry=[Polygon(corners)], crs=4326).to_file(tmp_path / "star.gpkg")
    began = time.monotonic()
    (fault,) = faults_of(tmp_path / "star.gpkg")
    assert time.monotonic() - began < 10
    assert "elf-intersection" in fault.found


def test_an_outline_with_too_many_vertices_is_refused_before_it_is_checked(tmp_path, monkeypatch):
    turns = np.linspace(0, 2 * np.pi, bounds.MOST_VERTICES_OF_A_FEATURE + 1)
    big = Polygon(np.column_stack([117 + np.cos(turns), 25 + np.sin(turns)]))
    gpd.GeoDataFrame(geometry=[big], crs=4326).to_file(tmp_path / "big.gpkg")
    (fault,) = faults_of(tmp_path / "big.gpkg")
    assert fault.expected == "at most 100000 vertices"


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


def test_a_line_and_a_polygon_are_still_only_shapes_here(tmp_path):
    line = gpd.GeoDataFrame(geometry=[LineString([(117, 25), (118, 26)])], crs=4326)
    line.to_file(tmp_path / "l.gpkg")
    assert read_features(str(tmp_path / "l.gpkg")).geom_type.tolist() == ["LineString"]


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

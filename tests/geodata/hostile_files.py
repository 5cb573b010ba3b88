"""Files that mean harm or are merely awkward, each with the verdict it must get and the place that must be named.

A file is made by the function of its name in an empty folder; `address` is where somebody listens who must not be
called.
"""

import datetime as dt
import json
import sqlite3
import stat
import struct
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import shapely
from given import HEADER, LAND, geojson
from shapely import LineString, MultiPolygon, Point, Polygon, box

SECRET = "the-secret-of-another-file"
FILES = []


@dataclass(frozen=True)
class Hostile:
    """One file: what makes it, what reads it, and how that must end."""

    make: object
    command: str
    verdict: str
    row: int | None
    says: str

    @property
    def name(self):
        return self.make.__name__


def hostile(command, verdict, row=None, says=""):
    def keep(make):
        FILES.append(Hostile(make, command, verdict, row, says))
        return make

    return keep


def text(folder, name, content, encoding="utf-8"):
    (folder / name).write_bytes(content.encode(encoding))
    return folder / name


def raw(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


def drawn(folder, called, *shapes, crs=4326, **columns):
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs).to_file(folder / called)
    return folder / called


def feature(shape):
    return json.loads(shapely.to_geojson(shape))


def placemark(inside="", name="a"):
    ring = " ".join(f"{x},{y}" for x, y in LAND.exterior.coords)
    land = f"<LinearRing><coordinates>{ring}</coordinates></LinearRing>"
    land = f"<Polygon><outerBoundaryIs>{land}</outerBoundaryIs></Polygon>"
    return f"<Placemark><name>{name}</name>{inside}{land}</Placemark>"


def kml(inside, before=""):
    head = f'<?xml version="1.0"?>{before}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
    return f"{head}{inside}</Document></kml>"


def vrt(folder, address):
    secret = text(folder, "secret.csv", f"lon,lat,word\n117.05,25.05,{SECRET}\n")
    layers = "".join(
        f"<OGRVRTLayer name='s{n}'><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>"
        for n, source in enumerate((secret, f"{address}/x.geojson", f"/vsicurl/{address}/x.geojson"))
    )
    return f"<OGRVRTDataSource>{layers}</OGRVRTDataSource>"


# --- what they claim to be -----------------------------------------------------------------------------------------


@hostile("village", "refused", says="VRT")
def a_vrt_called_geojson(folder, address):
    return text(folder, "v.geojson", vrt(folder, address))


@hostile("village", "refused", says="VRT")
def a_vrt_called_kml_behind_a_comment(folder, address):
    return text(folder, "v.kml", "<!-- kml -->" + vrt(folder, address))


@hostile("households", "refused", says="VRT")
def a_vrt_called_csv(folder, address):
    return text(folder, "v.csv", vrt(folder, address))


@hostile("village", "refused", says="GeoJSON")
def json_that_is_a_recipe_for_gdal(folder, address):
    drawn(folder, "secret.gpkg", LAND, name=[SECRET])
    recipe = {"type": "gdal_streamed_alg", "command_line": f"gdal vector pipeline ! read {folder / 'secret.gpkg'}"}
    return text(folder, "v.geojson", json.dumps(recipe))


@hostile("village", "refused", says="<html>")
def a_web_page_called_kml(folder, address):
    return text(folder, "v.kml", f"<html><img src='{address}/x.png'></html>")


@hostile("village", "refused", says="a PDF")
def a_pdf_called_geopackage(folder, address):
    return raw(folder, "v.gpkg", b"%PDF-1.7 " + b"\x00" * 100)


@hostile("households", "refused", says="an old Excel file")
def an_old_or_encrypted_workbook(folder, address):
    return raw(folder, "h.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)


@hostile("village", "refused", says="a RAR archive")
def a_rar_called_zip(folder, address):
    return raw(folder, "v.zip", b"Rar!\x1a\x07\x00" + b"\x00" * 100)


@hostile("village", "refused", says="a gzip archive")
def a_gzip_called_zip(folder, address):
    return raw(folder, "v.zip", b"\x1f\x8b\x08\x00" + b"\x00" * 100)


@hostile("village", "refused", says="binary content")
def a_program_called_shapefile(folder, address):
    return raw(folder, "v.shp", b"\x7fELF\x02\x01\x01\x00" + b"\x00" * 100)


@hostile("households", "refused", says="an empty file")
def an_empty_file(folder, address):
    return raw(folder, "h.csv", b"")


@hostile("households", "refused", says="an empty file")
def nothing_but_a_byte_order_mark(folder, address):
    return raw(folder, "h.csv", b"\xef\xbb\xbf \r\n")


@hostile("village", "refused", says="a GeoPackage")
def text_called_geopackage(folder, address):
    return text(folder, "v.gpkg", "name,lon,lat\na,117,25\n")


@hostile("village", "refused", says="damaged")
def a_database_that_is_no_geopackage(folder, address):
    with closing(sqlite3.connect(folder / "v.gpkg")) as database:
        database.execute("CREATE TABLE a (n INTEGER, geom BLOB)")
        database.commit()
    return folder / "v.gpkg"


@hostile("village", "refused", says="damaged")
def a_geopackage_cut_off(folder, address):
    whole = drawn(folder, "w.gpkg", LAND, name=["a"]).read_bytes()
    return raw(folder, "v.gpkg", whole[:20000])


# --- XML -----------------------------------------------------------------------------------------------------------


@hostile("village", "refused", says="without a document type")
def kml_of_a_billion_laughs(folder, address):
    lines = ['<!ENTITY a0 "ha">', *(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))]
    return text(folder, "v.kml", kml(placemark(name="&a9;"), f"<!DOCTYPE kml [{''.join(lines)}]>"))


@hostile("village", "refused", says="without a document type")
def kml_with_an_entity_from_a_file(folder, address):
    secret = text(folder, "secret.txt", SECRET)
    return text(folder, "v.kml", kml(placemark(name="&s;"), f'<!DOCTYPE kml [<!ENTITY s SYSTEM "file://{secret}">]>'))


@hostile("village", "refused", says="without a document type")
def kml_with_a_document_type_from_a_server(folder, address):
    return text(folder, "v.kml", kml(placemark(), f'<!DOCTYPE kml SYSTEM "{address}/x.dtd">'))


@hostile("village", "accepted")
def kml_with_links_that_must_not_be_followed(folder, address):
    link = f"<NetworkLink><Link><href>{address}/x.kml</href></Link></NetworkLink>"
    style = f"<Style><IconStyle><Icon><href>{address}/x.png</href></Icon></IconStyle></Style>"
    return text(folder, "v.kml", kml(link + placemark(style), f'<?xml-stylesheet href="{address}/x.xsl"?>'))


@hostile("village", "refused", says="line 1")
def kml_that_stops_half_way(folder, address):
    return text(folder, "v.kml", kml(placemark())[:-30])


@hostile("village", "refused", says="KML")
def kml_in_an_encoding_it_does_not_say(folder, address):
    return text(folder, "v.kml", kml(placemark(name="举溪村")), "gbk")


@hostile("village", "refused", says="KML")
def kml_nested_a_hundred_thousand_deep(folder, address):
    return text(folder, "v.kml", kml("<Folder>" * 100_000 + placemark()))


# --- archives ------------------------------------------------------------------------------------------------------


def zipped(folder, name="v.zip", *, compression=zipfile.ZIP_DEFLATED, **members):
    drawn(folder, "land.shp", LAND, name=["举溪村"])
    parts = sorted(folder.glob("land.*"))
    with zipfile.ZipFile(folder / name, "w", compression) as archive:
        for part in parts:
            archive.write(part, part.name)
        for inner, content in members.items():
            archive.writestr(inner, content)
    for part in parts:
        part.unlink()
    return folder / name


def member(folder, name, *, mode=None):
    target = zipped(folder)
    entry = zipfile.ZipInfo(name)
    if mode is not None:
        entry.external_attr = mode << 16
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(entry, "x")
    return target


@hostile("village", "accepted")
def a_zipped_shapefile_with_things_of_another_system_beside_it(folder, address):
    return zipped(folder, **{"__MACOSX/._land.shp": "x", "read me.txt": "x", "land.sbn": "x"})


@hostile("village", "refused", says="stay inside the archive")
def an_archive_that_climbs_out(folder, address):
    return member(folder, "../../climbed.shp")


@hostile("village", "refused", says="stay inside the archive")
def an_archive_that_climbs_out_the_windows_way(folder, address):
    return member(folder, "a\\..\\..\\climbed.shp")


@hostile("village", "refused", says="stay inside the archive")
def an_archive_with_an_absolute_name(folder, address):
    return member(folder, "/var/climbed.shp")


@hostile("village", "refused", says="a link")
def an_archive_with_a_link(folder, address):
    return member(folder, "link.dbf", mode=stat.S_IFLNK | 0o777)


@hostile("village", "refused", says="no archive inside")
def an_archive_in_an_archive(folder, address):
    return member(folder, "inner.zip")


@hostile("village", "refused", says="times its size")
def an_archive_that_swells_a_thousandfold(folder, address):
    return zipped(folder, **{"land.sbx": b"\0" * 20_000_000})


@hostile("village", "refused", says="64 MiB once unpacked")
def an_archive_too_large_once_unpacked(folder, address):
    noise = np.random.default_rng(1).integers(0, 4, 70_000_000, dtype=np.uint8).tobytes()
    return zipped(folder, **{"land.sbx": noise})


@hostile("village", "refused", says="damaged")
def an_archive_that_lies_about_its_sizes(folder, address):
    target = zipped(folder, **{"land.cst": b"\0" * 1_000_000})
    content = bytearray(target.read_bytes())
    at = content.rindex(b"PK\x01\x02")
    for position in range(at):
        if content[position : position + 4] == b"PK\x01\x02":
            content[position + 24 : position + 28] = struct.pack("<I", 10)  # what it says a part unpacks to
    return raw(folder, "v.zip", bytes(content))


@hostile("village", "refused", says="1000 files inside")
def an_archive_of_two_thousand_files(folder, address):
    return zipped(folder, **{f"{n}.txt": "" for n in range(2000)})


@hostile("village", "refused", says="1000 files inside")
def an_archive_of_ninety_thousand_files(folder, address):
    with zipfile.ZipFile(folder / "v.zip", "w") as archive:
        for n in range(90_000):
            archive.writestr(zipfile.ZipInfo(f"{n}"), b"")
    return folder / "v.zip"


@hostile("village", "refused", says="one layer, or the name of one")
def an_archive_of_two_shapefiles(folder, address):
    target = zipped(folder)
    with zipfile.ZipFile(target) as archive:
        parts = {name.replace("land", "other"): archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(target, "a") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target


@hostile("village", "refused", says="a shapefile (.shp, .shx, .dbf) inside")
def an_archive_without_a_shapefile(folder, address):
    with zipfile.ZipFile(folder / "v.zip", "w") as archive:
        archive.writestr("land.geojson", geojson(feature(LAND)))
    return folder / "v.zip"


@hostile("village", "refused", says="encrypted")
def an_archive_with_a_password(folder, address):
    content = bytearray(zipped(folder).read_bytes())
    for at in range(len(content) - 10):
        if content[at : at + 4] == b"PK\x01\x02":
            content[at + 8] |= 1
        elif content[at : at + 4] == b"PK\x03\x04":
            content[at + 6] |= 1
    return raw(folder, "v.zip", bytes(content))


@hostile("village", "refused", says="damaged")
def an_archive_with_a_flipped_bit(folder, address):
    content = bytearray(zipped(folder, compression=zipfile.ZIP_STORED).read_bytes())
    content[content.index(b"land.shp") + 100] ^= 0xFF
    return raw(folder, "v.zip", bytes(content))


@hostile("village", "refused", says="damaged zip archive")
def an_archive_cut_off(folder, address):
    return raw(folder, "v.zip", zipped(folder, "w.zip").read_bytes()[:-40])


# --- workbooks -----------------------------------------------------------------------------------------------------


def workbook(folder, *rows, name="h.xlsx"):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(folder / name)
    return folder / name


def reworked(path, inner, change):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[inner] = change(parts.get(inner, b""))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
NAMED = ("户号", "户主姓名", "经度", "纬度")


@hostile("households", "refused", says="without a document type")
def a_workbook_with_a_document_type(folder, address):
    doctype = f'<!DOCTYPE worksheet SYSTEM "{address}/x.dtd">'.encode()
    return reworked(workbook(folder, NAMED, (1, "甲", 117.05, 25.05)), SHEET, lambda part: doctype + part)


@hostile("households", "refused", says="without a document type")
def a_workbook_of_a_billion_laughs(folder, address):
    doctype = b'<!DOCTYPE sst [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return reworked(workbook(folder, NAMED, (1, "甲", 117.05, 25.05)), "xl/styles.xml", lambda part: doctype + part)


@hostile("households", "refused", says="times its size")
def a_workbook_that_swells(folder, address):
    return reworked(workbook(folder, NAMED, (1, "甲", 117.05, 25.05)), SHEET, lambda part: part + b" " * 30_000_000)


@hostile("households", "refused", says="XLSX")
def a_workbook_with_one_cell_in_its_last_corner(folder, address):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "lon", "x"
    book.save(folder / "h.xlsx")
    return folder / "h.xlsx"


@hostile("households", "refused", says="XLSX")
def a_workbook_whose_sheet_stops_half_way(folder, address):
    return reworked(workbook(folder, NAMED, (1, "甲", 117.05, 25.05)), SHEET, lambda part: part[:-60])


@hostile("households", "rows_refused", row=3, says="a number")
def a_workbook_with_a_formula_for_a_longitude(folder, address):
    return workbook(folder, NAMED, (1, "甲", 117.05, 25.05), (2, "乙", "=100+17", 25.05))


@hostile("households", "accepted")
def a_workbook_with_formulas_for_names(folder, address):
    name = f'=HYPERLINK("{address}/x","甲")'
    return workbook(folder, NAMED, (1, name, 117.05, 25.05), (2, "=cmd|' /C calc'!A0", 117.06, 25.05))


@hostile("households", "accepted")
def a_workbook_that_points_to_another_workbook(folder, address):
    target = workbook(folder, NAMED, (1, "甲", 117.05, 25.05))
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath"
    link = f'<Relationship Id="rId99" Type="{kind}" Target="{address}/x.xlsx" TargetMode="External"/></Relationships>'
    inner = "xl/_rels/workbook.xml.rels"
    return reworked(target, inner, lambda part: part.replace(b"</Relationships>", link.encode()))


@hostile("households", "rows_refused", row=2, says="a number")
def a_workbook_with_a_date_for_a_longitude(folder, address):
    return workbook(folder, NAMED, (1, "甲", dt.date(2026, 3, 5), 25.05), (2, "乙", 117.05, 25.05))


@hostile("households", "refused", says="one sheet with content")
def a_workbook_of_two_sheets(folder, address):
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("二")):
        sheet.append(list(NAMED))
        sheet.append([1, "甲", 117.05, 25.05])
    book.save(folder / "h.xlsx")
    return folder / "h.xlsx"


# --- tables as text ------------------------------------------------------------------------------------------------

ROW = "1,甲,13800001234,117.05,25.05\n"


@hostile("households", "refused", says="CSV")
def a_table_of_one_line_that_never_ends(folder, address):
    return text(folder, "h.csv", "lon" + "x" * 20_000_000)


@hostile("households", "refused", row=3, says="a zero byte")
def a_table_with_a_zero_byte(folder, address):
    return text(folder, "h.csv", HEADER + ROW + "2,乙\x00,,117.06,25.05\n")


@hostile("households", "accepted")
def a_table_in_gbk(folder, address):
    return text(folder, "h.csv", HEADER + ROW, "gbk")


@hostile("households", "accepted")
def a_table_in_gb18030_with_a_rare_character(folder, address):
    return text(folder, "h.csv", HEADER + ROW.replace("甲", "𠮷"), "gb18030")


@hostile("households", "accepted")
def a_table_in_utf16(folder, address):
    return text(folder, "h.csv", HEADER + ROW, "utf-16")


@hostile("households", "accepted")
def a_table_with_a_byte_order_mark(folder, address):
    return text(folder, "h.csv", HEADER + ROW, "utf-8-sig")


@hostile("households", "refused", row=3, says="UTF-8 or GBK")
def a_table_in_two_encodings(folder, address):
    return raw(folder, "h.csv", (HEADER + ROW).encode() + b"2,\xff\xfe\xff,,117.06,25.05\n")


@hostile("households", "refused", row=1, says="one column with the longitude")
def a_table_with_two_longitudes_of_one_name(folder, address):
    return text(folder, "h.csv", "户号,经度,经度,纬度\n1,117.05,118.05,25.05\n")


@hostile("households", "accepted")
def a_table_with_two_other_columns_of_one_name(folder, address):
    return text(folder, "h.csv", "户号,备注,备注,经度,纬度\n1,a,b,117.05,25.05\n")


@hostile("households", "accepted")
def a_table_with_all_ends_of_lines(folder, address):
    return text(folder, "h.csv", HEADER.strip() + "\r\n" + ROW.strip() + "\r2,乙,,117.06,25.05\n")


@hostile("households", "accepted")
def a_table_with_unseen_marks_in_its_header(folder, address):
    return text(folder, "h.csv", "\u200b户号\u200e,\u202e经度\u202c,纬\u200d度\n1,117.05,25.05\n")


@hostile("households", "accepted")
def a_table_with_names_that_turn_the_line_round(folder, address):
    return text(folder, "h.csv", HEADER + ROW.replace("甲", "\u202e甲\u2066乙"))


@hostile("households", "accepted")
def a_table_with_formulas_and_scripts_for_names(folder, address):
    names = ("=1+1", "+1", "-1", "@x", "＝1", "<script>alert(1)</script>", "${x}", "';DROP TABLE household;--")
    rows = [f'{n},"{name}",,117.0{n},25.05\n' for n, name in enumerate(names, start=1)]
    return text(folder, "h.csv", HEADER + "".join(rows))


@hostile("households", "refused", says="stray quote")
def a_table_with_a_quote_that_is_never_closed(folder, address):
    return text(folder, "h.csv", HEADER + ROW.replace("甲", '"甲') + "2,乙,,117.06,25.05\n" * 200_000)


@hostile("households", "refused", says="at most 1000000 rows")
def a_table_of_more_rows_than_a_district_has(folder, address):
    return raw(folder, "h.csv", b"lon,lat\n" + b"1,2\n" * 1_000_001)


@hostile("households", "refused", row=1, says="at most 500 columns")
def a_table_of_a_thousand_columns(folder, address):
    return text(folder, "h.csv", "经度,纬度," + ",".join(f"c{n}" for n in range(1000)) + "\n117.05,25.05\n")


@hostile("households", "refused", says="cells")
def a_table_of_too_many_cells(folder, address):
    return raw(folder, "h.csv", b"lon,lat\n" + (b"," * 450 + b"\n") * 60_000)


@hostile("households", "refused", row=2, says="a number")
def a_table_with_a_comma_for_a_point(folder, address):
    return text(folder, "h.csv", "户号;经度;纬度\n1;117,05;25,05\n")


@hostile("households", "rows_refused", row=3, says="a number")
def a_table_with_a_place_at_infinity(folder, address):
    return text(folder, "h.csv", HEADER + ROW + "2,乙,,inf,25.05\n")


@hostile("households", "rows_refused", row=3, says="a number")
def a_table_with_a_place_that_is_not_a_number(folder, address):
    return text(folder, "h.csv", HEADER + ROW + "2,乙,,nan,25.05\n")


@hostile("households", "rows_refused", row=3, says="a place in the village")
def a_table_with_a_place_in_the_gulf_of_guinea(folder, address):
    return text(folder, "h.csv", HEADER + ROW + "2,乙,,0,0\n")


@hostile("households", "rows_refused", row=3, says="swapped")
def a_table_with_swapped_axes_in_one_row(folder, address):
    return text(folder, "h.csv", HEADER + ROW + "2,乙,,25.05,117.05\n")


@hostile("households", "rows_refused", row=3, says="again, first in row 2")
def a_table_with_one_code_twice(folder, address):
    return text(folder, "h.csv", HEADER + ROW + ROW)


@hostile("households", "rows_refused", row=3, says="a code kept as text")
def a_table_with_a_code_that_a_spreadsheet_rounded(folder, address):
    return text(folder, "h.csv", HEADER + ROW + "3.50524E+17,乙,,117.06,25.05\n")


@hostile("households", "rows_refused", row=3, says="at most 500 characters")
def a_table_with_a_name_as_long_as_a_novel(folder, address):
    return text(folder, "h.csv", HEADER + ROW + f"2,{'乙' * 100_000},,117.06,25.05\n")


@hostile("households", "rows_refused", row=3, says="a whole number of households")
def a_table_with_fewer_than_no_households(folder, address):
    return text(folder, "h.csv", "户号,户数,经度,纬度\n1,1,117.05,25.05\n2,-3,117.06,25.05\n")


@hostile("households", "refused", says="at least one row")
def a_table_of_a_header_alone(folder, address):
    return text(folder, "h.csv", HEADER)


@hostile("households", "refused", says="one column with the longitude")
def a_table_without_places(folder, address):
    return text(folder, "h.csv", "户号,户主姓名\n1,甲\n")


# --- GeoJSON -------------------------------------------------------------------------------------------------------


def points(*coordinates):
    features = "".join(
        f',{{"type":"Feature","properties":{{"n":{n}}},"geometry":{{"type":"Point","coordinates":{where}}}}}'
        for n, where in enumerate(coordinates)
    )
    return f'{{"type":"FeatureCollection","features":[{features[1:]}]}}'


@hostile("households", "refused", says="nested")
def geojson_nested_a_hundred_thousand_deep(folder, address):
    return text(folder, "h.geojson", points("[" * 100_000 + "]" * 100_000))


@hostile("households", "rows_refused", row=2, says="finite coordinates")
def geojson_with_a_place_that_is_not_a_number(folder, address):
    return text(folder, "h.geojson", points("[117.05,25.05]", "[NaN,25.05]"))


@hostile("households", "rows_refused", row=2, says="finite coordinates")
def geojson_with_a_place_at_infinity(folder, address):
    return text(folder, "h.geojson", points("[117.05,25.05]", "[117.05,-Infinity]"))


@hostile("households", "refused", says="1e999")
def geojson_with_a_number_too_large(folder, address):
    return text(folder, "h.geojson", points("[117.05,25.05]", "[1e999,25.05]"))


@hostile("households", "rows_refused", row=2, says="a geometry")
def geojson_with_text_for_a_number(folder, address):
    return text(folder, "h.geojson", points("[117.05,25.05]", '["117.05","25.05"]'))


@hostile("households", "refused", says="EPSG:999999")
def geojson_in_a_coordinate_system_nobody_knows(folder, address):
    named = '"crs":{"type":"name","properties":{"name":"EPSG:999999"}},"features"'
    return text(folder, "h.geojson", points("[117.05,25.05]").replace('"features"', named))


@hostile("households", "refused", says="the name of a coordinate system")
def geojson_whose_coordinate_system_is_elsewhere(folder, address):
    link = f'"crs":{{"type":"link","properties":{{"href":"{address}/crs","type":"proj4"}}}},"features"'
    return text(folder, "h.geojson", points("[117.05,25.05]").replace('"features"', link))


@hostile("households", "refused", row=1, says="looks like degrees")
def geojson_in_degrees_that_claims_metres(folder, address):
    named = '"crs":{"type":"name","properties":{"name":"EPSG:4548"}},"features"'
    return text(folder, "h.geojson", points("[117.05,25.05]").replace('"features"', named))


@hostile("village", "refused", row=1, says="open ring")
def geojson_with_a_ring_that_is_not_closed(folder, address):
    ring = [list(corner) for corner in LAND.exterior.coords][:-1]
    return text(folder, "v.geojson", geojson({"type": "Polygon", "coordinates": [ring]}))


@hostile("village", "refused", row=1, says="Too few points")
def geojson_with_an_outline_of_two_points(folder, address):
    return text(folder, "v.geojson", geojson({"type": "Polygon", "coordinates": [[[117, 25], [118, 25], [117, 25]]]}))


@hostile("village", "refused", row=1, says="none")
def geojson_without_a_geometry(folder, address):
    return text(folder, "v.geojson", geojson(None))


@hostile("village", "refused", row=1, says="an empty one")
def geojson_with_an_empty_outline(folder, address):
    return text(folder, "v.geojson", geojson({"type": "Polygon", "coordinates": []}))


@hostile("village", "refused", row=1, says="a GeometryCollection")
def geojson_with_a_collection_for_a_boundary(folder, address):
    parts = [feature(LAND), {"type": "Point", "coordinates": [117.05, 25.05]}]
    return text(folder, "v.geojson", geojson({"type": "GeometryCollection", "geometries": parts}))


@hostile("households", "refused", row=1, says="a GeometryCollection")
def geojson_of_collections_in_collections(folder, address):
    nested = {"type": "Point", "coordinates": [117.05, 25.05]}
    for _ in range(200):
        nested = {"type": "GeometryCollection", "geometries": [nested]}
    return text(folder, "h.geojson", geojson(nested))


@hostile("village", "accepted")
def geojson_with_heights(folder, address):
    ring = [[x, y, 812.5] for x, y in LAND.exterior.coords]
    return text(folder, "v.geojson", geojson({"type": "Polygon", "coordinates": [ring]}))


@hostile("village", "accepted")
def geojson_with_properties_in_properties(folder, address):
    nested = {"a": 1}
    for _ in range(200):
        nested = {"a": nested}
    one = {"type": "Feature", "properties": nested, "geometry": feature(LAND)}
    return text(folder, "v.geojson", json.dumps({"type": "FeatureCollection", "features": [one]}))


@hostile("village", "refused", says="GeoJSON")
def topojson_called_geojson(folder, address):
    return text(folder, "v.geojson", '{"type":"Topology","objects":{},"arcs":[]}')


@hostile("village", "refused", says="GeoJSON")
def geojson_in_gbk(folder, address):
    one = {"type": "Feature", "properties": {"name": "举溪村"}, "geometry": feature(LAND)}
    written = json.dumps({"type": "FeatureCollection", "features": [one]}, ensure_ascii=False)
    return text(folder, "v.geojson", written, "gbk")


@hostile("village", "refused", says="GeoJSON")
def geojson_in_utf16(folder, address):
    return text(folder, "v.geojson", geojson(feature(LAND)), "utf-16")


@hostile("village", "refused", row=1, says="at most 100000 vertices")
def geojson_with_an_outline_of_too_many_corners(folder, address):
    turn = np.linspace(0, 2 * np.pi, 100_002)[:-1]
    ring = np.column_stack((117.05 + 0.01 * np.cos(turn), 25.05 + 0.01 * np.sin(turn)))
    return text(folder, "v.geojson", geojson(feature(Polygon(ring))))


@hostile("village", "refused", row=1, says="Self-intersection")
def geojson_with_a_bow_tie(folder, address):
    return text(folder, "v.geojson", geojson(feature(Polygon([(117, 25), (118, 26), (118, 25), (117, 26)]))))


def killing_star(corners=1500):
    """Return the outline that takes a database down: a star whose every stroke crosses nearly all others."""
    at = np.arange(corners) * (corners // 2 - 1) % corners
    turn = 2 * np.pi * at / corners
    return Polygon(np.column_stack((117.05 + 0.04 * np.cos(turn), 25.05 + 0.04 * np.sin(turn))))


@hostile("village", "refused", row=1, says="does not cross itself")
def geojson_with_the_star_that_kills_databases(folder, address):
    return text(folder, "v.geojson", geojson(feature(killing_star())))


@hostile("units", "refused", row=1, says="does not cross itself")
def geojson_with_that_star_for_a_unit(folder, address):
    return drawn(folder, "u.geojson", killing_star(), name=["一组"])


@hostile("village", "fixed", row=1, says="mended")
def geojson_with_a_spike(folder, address):
    ring = [*LAND.exterior.coords]
    ring[2:2] = [(117.05, 25.1), (117.05, 25.1001), (117.05, 25.1)]
    return text(folder, "v.geojson", geojson(feature(Polygon(sorted_ring(ring)))))


def sorted_ring(ring):
    """Return the ring with the spike on the side it stands on."""
    square = [(117.0, 25.0), (117.0, 25.1), (117.05, 25.1), (117.05, 25.1001), (117.05, 25.1), (117.1, 25.1)]
    assert set(square) <= set(ring)
    return [*square, (117.1, 25.0), (117.0, 25.0)]


@hostile("village", "refused", row=1, says="Hole lies outside shell")
def geojson_with_a_hole_outside(folder, address):
    hole = [[118, 25], [118, 25.01], [118.01, 25.01], [118, 25]]
    ring = [list(corner) for corner in LAND.exterior.coords]
    return text(folder, "v.geojson", geojson({"type": "Polygon", "coordinates": [ring, hole]}))


@hostile("village", "refused", says="2 features")
def geojson_of_two_villages_nobody_can_tell_apart(folder, address):
    return text(folder, "v.geojson", geojson(feature(LAND), feature(box(118, 25, 118.1, 25.1))))


@hostile("barriers", "refused", row=1, says="a line or a polygon")
def geojson_with_a_point_for_a_river(folder, address):
    return text(folder, "b.geojson", points("[117.05,25.05]"))


def comb(*, upright, teeth=10_000):
    """Return a valid outline that crosses the one lying the other way in hundreds of millions of places."""
    at = np.linspace(0, 0.1, 2 * teeth, endpoint=False)
    step = at[1]
    out = np.column_stack([np.repeat(at, 2)[: 4 * teeth], np.tile([0.0, 0.09, 0.09, 0.0], teeth)])
    ring = np.concatenate([[[0.0, -0.001]], out, [[out[-1, 0] + step / 2, 0.0], [out[-1, 0] + step / 2, -0.001]]])
    ring += [[0.0, 0.005]]
    return Polygon((ring if upright else ring[:, ::-1]) + [117.0, 25.0])


# --- GeoPackage ----------------------------------------------------------------------------------------------------


def blob(shape, srs=4326):
    body = shape if isinstance(shape, bytes) else shapely.to_wkb(shape)
    return b"GP\x00\x01" + struct.pack("<i", srs) + body


def geopackage(folder, *blobs, name="h.gpkg", **columns):
    drawn(folder, name, *[Point(117.05, 25.05)] * len(blobs), **columns)
    with closing(sqlite3.connect(folder / name)) as package:
        for (trigger,) in package.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            package.execute(f'DROP TRIGGER "{trigger}"')
        for row, content in enumerate(blobs, start=1):
            package.execute(f'UPDATE "{Path(name).stem}" SET geom = ? WHERE fid = ?', (content, row))  # noqa: S608
        package.commit()
    return folder / name


def sql(path, *statements):
    with closing(sqlite3.connect(path)) as package:
        for statement in statements:
            package.execute(statement)
        package.commit()
    return path


SOUND = blob(Point(117.05, 25.05))


@hostile("households", "accepted")
def a_geopackage_with_triggers(folder, address):
    return sql(
        geopackage(folder, SOUND, blob(Point(117.06, 25.05)), n=[1, 2]),
        "CREATE TRIGGER a AFTER INSERT ON h BEGIN DELETE FROM h; END",
        "CREATE TRIGGER b AFTER UPDATE ON gpkg_contents BEGIN DELETE FROM h; END",
    )


def as_view(path, query):
    return sql(
        path,
        "ALTER TABLE h RENAME TO other",
        f"CREATE VIEW h AS {query}",
        "UPDATE gpkg_contents SET table_name = 'h' WHERE table_name = 'other'",
        "UPDATE gpkg_geometry_columns SET table_name = 'h' WHERE table_name = 'other'",
    )


@hostile("households", "refused", says="GeoPackage that can be read in")
def a_geopackage_that_is_an_endless_query(folder, address):
    endless = "WITH RECURSIVE n(fid) AS (SELECT 1 UNION ALL SELECT fid + 1 FROM n) SELECT n.fid, o.geom FROM n, other o"
    return f"{as_view(geopackage(folder, SOUND, n=[1]), endless)}:h"


@hostile("households", "refused", says="GeoPackage")
def a_geopackage_whose_view_reads_another_file(folder, address):
    secret = text(folder, "secret.txt", SECRET)
    view = f"SELECT fid, geom, readfile('{secret}') AS n FROM other"  # noqa: S608 - a file of the test's own
    return f"{as_view(geopackage(folder, SOUND, n=[1]), view)}:h"


@hostile("households", "accepted")
def a_geopackage_whose_view_calls_a_server(folder, address):
    call = f"gdal_get_pixel_value('/vsicurl/{address}/x.tif', 1, 'georef', 0, 0)"
    view = f"SELECT fid, geom, {call} AS n FROM other"  # noqa: S608 - a file of the test's own
    return f"{as_view(geopackage(folder, SOUND, n=[1]), view)}:h"


@hostile("households", "rows_refused", row=2, says="a geometry")
def a_geopackage_with_a_geometry_cut_off(folder, address):
    return geopackage(folder, SOUND, blob(shapely.to_wkb(Point(117.06, 25.05))[:9]), n=[1, 2])


@hostile("households", "rows_refused", row=2, says="a geometry")
def a_geopackage_with_junk_for_a_geometry(folder, address):
    return geopackage(folder, SOUND, b"junk", n=[1, 2])


@hostile("households", "rows_refused", row=2, says="a geometry")
def a_geopackage_with_four_billion_rings(folder, address):
    return geopackage(folder, SOUND, blob(b"\x01\x03\x00\x00\x00\xff\xff\xff\xff"), n=[1, 2])


@hostile("households", "rows_refused", row=2, says="a geometry")
def a_geopackage_with_collections_two_million_deep(folder, address):
    nested = b"\x01\x07\x00\x00\x00\x01\x00\x00\x00" * 2_000_000 + shapely.to_wkb(Point(117.05, 25.05))
    return geopackage(folder, SOUND, blob(nested), n=[1, 2])


@hostile("households", "rows_refused", row=2, says="at most 100000 vertices")
def a_geopackage_with_a_line_of_two_million_corners(folder, address):
    along = np.column_stack((np.full(2_000_000, 117.05), np.linspace(25, 25.1, 2_000_000)))
    return geopackage(folder, SOUND, blob(LineString(along)), n=[1, 2])


@hostile("barriers", "fixed", row=1, says="straight strokes")
def a_geopackage_with_an_arc(folder, address):
    corners = (117, 25, 117.05, 25.05, 117.1, 25)
    return geopackage(folder, blob(b"\x01" + struct.pack("<II6d", 8, 3, *corners)), n=[1])


@hostile("village", "accepted")
def a_geopackage_with_heights_and_measures(folder, address):
    corners = [(x, y, 5.0, 7.0) for x, y in LAND.exterior.coords]
    body = struct.pack("<BIII", 1, 3003, 1, len(corners)) + b"".join(struct.pack("<4d", *corner) for corner in corners)
    return geopackage(folder, blob(body), n=[1])


@hostile("households", "accepted")
def a_geopackage_that_keeps_a_log_beside_it(folder, address):
    return sql(geopackage(folder, SOUND, n=[1]), "PRAGMA journal_mode = WAL")


@hostile("households", "refused", says="one layer, or the name of one")
def a_geopackage_of_two_layers(folder, address):
    for layer in ("a", "b"):
        gpd.GeoDataFrame({"n": [1]}, geometry=[Point(117.05, 25.05)], crs=4326).to_file(folder / "h.gpkg", layer=layer)
    return folder / "h.gpkg"


@hostile("households", "accepted", says="no coordinate system declared")
def a_geopackage_in_no_coordinate_system(folder, address):
    return sql(
        geopackage(folder, blob(Point(117.05, 25.05), 0), n=[1]),
        "UPDATE gpkg_geometry_columns SET srs_id = 0",
        "UPDATE gpkg_contents SET srs_id = 0",
    )


@hostile("units", "rows_refused", row=2, says="each unit once")
def a_geopackage_with_one_unit_twice(folder, address):
    halves = (box(117, 25, 117.05, 25.1), box(117.05, 25, 117.1, 25.1))
    return drawn(folder, "u.gpkg", *halves, name=["一组", "一组"])


@hostile("units", "rows_refused", row=2, says="lies outside")
def a_geopackage_with_a_unit_of_elsewhere(folder, address):
    return drawn(folder, "u.gpkg", box(117, 25, 117.05, 25.1), box(118, 25, 118.1, 25.1), name=["一组", "二组"])


# --- shapefile -----------------------------------------------------------------------------------------------------


def shapefile(folder, *without, crs=4326, shapes=(LAND,), encoding=None, **columns):
    columns = columns or {"name": ["举溪村"]}
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs).to_file(folder / "v.shp", encoding=encoding)
    for suffix in without:
        (folder / f"v.{suffix}").unlink()
    return folder / "v.shp"


@hostile("village", "refused", says="shx")
def a_shapefile_without_its_index(folder, address):
    return shapefile(folder, "shx")


@hostile("village", "accepted", says="no .dbf")
def a_shapefile_without_its_table(folder, address):
    return shapefile(folder, "dbf")


@hostile("units", "refused", says="a column with the unit's name")
def a_shapefile_of_units_without_its_table(folder, address):
    return shapefile(folder, "dbf")


@hostile("village", "accepted", says="no coordinate system declared")
def a_shapefile_without_its_projection(folder, address):
    return shapefile(folder, "prj")


@hostile("units", "accepted")
def a_shapefile_in_gbk_that_does_not_say_so(folder, address):
    return shapefile(folder, "cpg", encoding="gbk", name=["第一村民小组"])


@hostile("units", "accepted")
def a_shapefile_in_gbk_that_claims_utf8(folder, address):
    target = shapefile(folder, encoding="gbk", name=["第一村民小组"])
    text(folder, "v.cpg", "UTF-8")
    return target


@hostile("village", "refused", row=1, says="a geometry")
def a_shapefile_cut_off(folder, address):
    target = shapefile(folder)
    return raw(folder, "v.shp", target.read_bytes()[:120])


@hostile("village", "refused", row=1, says="a geometry")
def a_shapefile_whose_index_points_into_the_void(folder, address):
    target = shapefile(folder)
    index = bytearray((folder / "v.shx").read_bytes())
    index[100:108] = struct.pack(">ii", 0x3FFFFFF, 64)
    raw(folder, "v.shx", bytes(index))
    return target


@hostile("village", "refused", row=1, says="a geometry")
def a_shapefile_of_four_billion_corners(folder, address):
    content = bytearray(shapefile(folder).read_bytes())
    content[100 + 8 + 36 : 100 + 8 + 44] = struct.pack("<II", 1, 0xFFFFFFF0)
    return raw(folder, "v.shp", bytes(content))


@hostile("village", "accepted")
def a_shapefile_with_a_row_too_many_in_its_table(folder, address):
    target = shapefile(folder)
    table = bytearray((folder / "v.dbf").read_bytes())
    table[4:8] = struct.pack("<I", 2)
    raw(folder, "v.dbf", bytes(table))
    return target


@hostile("village", "accepted")
def a_shapefile_of_many_parts_with_heights(folder, address):
    pieces = MultiPolygon([box(117, 25, 117.01, 25.01), box(117.02, 25, 117.03, 25.01)])
    return shapefile(folder, shapes=(shapely.force_3d(pieces, 5.0),))


@hostile("village", "accepted")
def a_shapefile_in_metres_of_a_zone(folder, address):
    metres = gpd.GeoSeries([LAND], crs=4326).to_crs(4527)
    return shapefile(folder, "prj", crs=4527, shapes=tuple(metres))


@hostile("village", "refused", says="central meridian")
def a_shapefile_in_metres_of_nobody_knows_which_zone(folder, address):
    metres = gpd.GeoSeries([LAND], crs=4326).to_crs(4548)
    return shapefile(folder, "prj", crs=4548, shapes=tuple(metres))


# --- grids drawn elsewhere, for a village of one household in its middle -------------------------------------------

WEST, EAST = box(117.0, 25.0, 117.055, 25.1), box(117.055, 25.0, 117.1, 25.1)


@hostile("grids", "refused", says="VRT")
def grids_that_are_a_vrt(folder, address):
    return text(folder, "g.gpkg", vrt(folder, address))


@hostile("grids", "refused", row=1, says="does not cross itself")
def grids_with_the_star_that_kills_databases(folder, address):
    return drawn(folder, "g.geojson", killing_star(), LAND.difference(killing_star(5).convex_hull))


@hostile("grids", "refused", row=1, says="shared with row 2")
def grids_that_overlap(folder, address):
    return drawn(folder, "g.gpkg", LAND, box(117.04, 25.04, 117.06, 25.06))


@hostile("grids", "refused", row=1, says="in no grid")
def grids_with_a_gap(folder, address):
    return drawn(folder, "g.gpkg", WEST)


@hostile("grids", "refused", row=2, says="one that lies elsewhere")
def grids_with_one_round_the_earth(folder, address):
    return drawn(folder, "g.gpkg", LAND, box(-179, -89, 179, 89))


@hostile("grids", "refused", row=2, says="a grid in which households stand")
def grids_with_one_nobody_lives_in(folder, address):
    return drawn(folder, "g.gpkg", WEST, EAST)


@hostile("grids", "refused", row=2, says="again, first in row 1")
def grids_with_one_code_twice(folder, address):
    return drawn(folder, "g.gpkg", WEST, EAST, grid=["001", "001"])


@hostile("grids", "fixed", row=1, says="numbered")
def grids_with_the_code_of_another_village(folder, address):
    return drawn(folder, "g.gpkg", LAND, grid=["110101001001001"])


@hostile("grids", "refused", says="vertices together")
def grids_of_too_many_corners(folder, address):
    turn = np.linspace(0, 2 * np.pi, 60_000)[:-1]
    rings = [Polygon(np.column_stack((x + 0.01 * np.cos(turn), 25.05 + 0.01 * np.sin(turn)))) for x in (117.02, 117.08)]
    return drawn(folder, "g.gpkg", *rings)


@hostile("grids", "refused", says="degrees together")
def grids_whose_border_runs_to_and_fro(folder, address):
    return drawn(folder, "g.gpkg", comb(upright=True, teeth=2000))


@hostile("grids", "refused", row=1, says="a LineString")
def grids_that_are_lines(folder, address):
    return drawn(folder, "g.gpkg", LineString([(117, 25), (117.1, 25.1)]))

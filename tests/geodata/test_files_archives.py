"""Archives that reach outside, nest, lie or swell: refused before anything is unpacked."""

import time
import zipfile

import pytest
from given import faults_of

from geodata.files import bounds


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

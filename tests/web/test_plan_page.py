"""The page that `mapgrid partition --map` writes: what stands in its HTML."""

import json
import re
from html import unescape

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from drawn_land import lattice, plots
from shapely import LineString, Point, box

from web import plan_layers
from web.commands.partition import partition

SOUTH_WEST = np.array([117.0, 25.0])
DEGREES_PER_M = 1e-5
HOSTILE = '<img src=x onerror="alert(1)"> ${alert(2)} {{ 7*7 }} </script>'


def write(path, shapes, **columns):
    """Write drawn metres, laid on the earth about true to scale."""
    placed = [shapely.transform(shape, lambda xy: SOUTH_WEST + xy * DEGREES_PER_M) for shape in shapes]
    gpd.GeoDataFrame(columns, geometry=placed, crs=4326).to_file(path, layer=path.stem, driver="GPKG")
    return str(path)


@pytest.fixture
def village(tmp_path):
    return write(tmp_path / "village.gpkg", [plots(15, 10)], name=["画村"])


@pytest.fixture
def households(tmp_path):
    return write(tmp_path / "homes.gpkg", [Point(xy) for xy in lattice(15, 10)])


@pytest.fixture
def page_of(tmp_path):
    """Divide and return the page."""

    def call(*arguments, code=0):
        out, target = tmp_path / "plan.gpkg", tmp_path / "map.html"
        words = [*map(str, arguments), "--out", str(out), "--map", str(target), "--quiet"]
        done = CliRunner().invoke(partition, words)
        assert done.exit_code == code, done.stderr
        return target.read_text(encoding="utf-8")

    return call


def words_of(html):
    """Return what one reads in the panel, tags and runs of spaces taken out."""
    panel = html[html.index("<aside>") : html.index("</aside>")]
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", panel)))


def values_of(html):
    return json.loads(re.search(r'<script type="application/json" id="page">(.*?)</script>', html, re.DOTALL)[1])


def test_the_title_is_the_villages_name_and_how_many_households_are_in_how_many_grids(page_of, village, households):
    html = page_of(households, "--village", village)
    assert "<title>画村: 150 households in 2 grids – mapgrid</title>" in html
    assert words_of(html).startswith(" 画村 150 households in 2 grids Legend ")


def test_a_boundary_without_a_name_leaves_the_title_to_the_file_of_the_households(page_of, tmp_path, households):
    nameless = write(tmp_path / "land.gpkg", [plots(15, 10)], name=[None])
    assert "<h1>homes</h1>" in page_of(households, "--village", nameless)


def test_a_village_named_like_markup_or_a_template_stays_text(page_of, tmp_path, households):
    land = write(tmp_path / "land.gpkg", [plots(15, 10)], name=[HOSTILE])
    html = page_of(households, "--village", land)
    assert HOSTILE in words_of(html)
    assert "<img" not in html
    assert "49" not in re.search(r"<h1>(.*?)</h1>", html)[1]
    assert html.count("${alert(2)}") == 2  # the heading and the title, and no script


def test_names_of_grids_stand_in_the_pages_values_and_not_in_the_script_of_the_map(page_of, village, households):
    html = page_of(households, "--village", village)
    assert [(label["title"], label["isBreaker"]) for label in values_of(html)["labels"]] == [
        ("001", False),
        ("002", False),
    ]
    assert '"001"' not in html[html.index('<script type="module">') :]


def test_everything_that_is_drawn_has_a_line_in_the_legend_and_layers_are_switched_there(page_of, tmp_path, households):
    land = write(tmp_path / "land.gpkg", [plots(15, 10)])
    river = write(tmp_path / "river.gpkg", [LineString([(260, -50), (260, 300)])])
    road = write(tmp_path / "road.gpkg", [LineString([(0, 100), (300, 100)])])
    html = page_of(households, "--village", land, "--barriers", river, "--prefer", road, "--roads", road, code=3)
    said = words_of(html)
    for line in (
        "Households 150",
        "Ten-household groups",
        "Barriers No grid reaches across, but for an opening or round an end. 1",
        "Preferred lines Borders follow them where that makes them little longer. 1",
        "Roads Ways are measured along them. 1",
        "Border between grids",
        "Grid border along a barrier 2",
        "Grid border along a preferred line",
        "Village boundary",
        "Grid out of limits 1",
        "001 ! Its number",
    ):
        assert line in said
    assert re.findall(r'name="layer" value="(\w+)"', html) == [
        "households",
        "labels",
        "groups",
        "barriers",
        "preferred",
        "ways",
    ]


def test_a_plan_without_lines_and_faults_has_no_legend_for_them(page_of, village, households):
    said = words_of(page_of(households, "--village", village))
    for word in ("Barriers", "Preferred", "Roads", "Units", "out of limits", "Households moved", "Farther than"):
        assert word not in said


def test_units_are_drawn_and_counted(page_of, tmp_path, village, households):
    units = write(tmp_path / "units.gpkg", [box(0, 0, 160, 200), box(160, 0, 300, 200)], name=["东", "西"])
    html = page_of(households, "--village", village, "--units", units)
    assert "Units They stay whole where the limits allow. 2" in words_of(html)
    assert "Units in several grids 0" in words_of(html)


def test_barriers_inside_grids_are_explained_in_words(page_of, tmp_path, village, households):
    wall = write(tmp_path / "wall.gpkg", [LineString([(40, 0), (40, 90)])])
    said = words_of(page_of(households, "--village", village, "--barriers", wall))
    assert "has a barrier between it: the grid reaches through an opening or round an end. " in said
    assert int(re.search(r"or round an end\. (\d+)", said[said.index("Figures") :])[1]) > 0


def test_the_panel_says_how_far_borders_follow_and_who_lives_too_far(page_of, tmp_path, village, households):
    road = write(tmp_path / "road.gpkg", [LineString([(0, 100), (300, 100)])])
    said = words_of(page_of(households, "--village", village, "--prefer", road, "--max-way", "60"))
    assert re.search(r"Border along preferred lines Of the borders between grids\. \d+\.\d %", said)
    assert re.search(r"Farther than 60 m In the grids 001, 002\. \d+ ", said)
    assert "Grids of several pieces 0" in said


def test_the_panel_counts_households_moved_new_and_gone_after_a_former_plan(page_of, tmp_path, village, households):
    page_of(households, "--village", village)
    (tmp_path / "plan.gpkg").rename(tmp_path / "base.gpkg")
    fewer = write(tmp_path / "fewer.gpkg", [Point(xy) for xy in lattice(15, 10)[3:]])
    said = words_of(page_of(fewer, "--village", village, "--base", tmp_path / "base.gpkg"))
    assert re.search(r"Households moved .* 0 Households new 0 Households gone 3", said)


def test_lines_beyond_the_cap_are_left_out_shortest_first_and_the_legend_says_how_many(
    page_of, tmp_path, village, households, monkeypatch
):
    monkeypatch.setattr(plan_layers, "MOST_LINES", 2)
    lines = [LineString([(10, 10 * row), (10 + 7 * row, 10 * row)]) for row in range(1, 6)]
    html = page_of(households, "--village", village, "--prefer", write(tmp_path / "lines.gpkg", lines))
    assert "3 shorter ones are not. 5" in words_of(html)


def test_lines_far_from_the_village_are_not_in_the_page(page_of, tmp_path, village, households):
    far = write(tmp_path / "far.gpkg", [LineString([(9_000, 0), (9_000, 300)]), LineString([(0, 100), (300, 100)])])
    html = page_of(households, "--village", village, "--prefer", far)
    assert "117.09" not in html


def test_the_page_asks_no_other_host_and_loads_no_module(page_of, village, households):
    html = page_of(households, "--village", village)
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*\s(?:src|href)=", html)
    script = html[html.index('<script type="module">') :]
    assert not re.search(r"^\s*(?:import|export)\b", script, re.MULTILINE)
    assert re.findall(r"https?://[^\s\"'`)]+", script) == ["http://www.w3.org/2000/svg"]

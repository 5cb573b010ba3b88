"""A generated village in the store, divided and published, for plans to be edited."""

from datetime import date

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from geodata.households import save_households
from geodata.villages import save_area, save_boundary, save_terrain
from mapgrid.roles import Actor, Role, Scope
from mapgrid.village import Limits
from web.actions.divide_village import divide_village

TOWN = "990101102"
PLANNER = Actor(7, "planner", "planner", (Scope(Role.PLANNER, TOWN, date(2000, 1, 1)),))
STARTS_ON = date(2026, 1, 1)


def store_village(session, code, size, seed=0, *, limits=Limits(), publish=True, river=True):  # noqa: B008
    """Store a generated village of so many households, and its published plan unless told not to."""
    from generated_land import generate  # noqa: PLC0415 - it draws with libraries that few tests need

    made = generate(size, seed)
    outline = made.village.geometry.segmentize(50).to_crs(4326).iloc[0]
    save_area(session, TOWN[:6], name="区")
    save_area(session, TOWN, name="镇")
    save_area(session, code, name="村", source="drawn by chance")
    save_boundary(session, code, outline)
    save_households(session, code, households_of(made, code))
    if river:
        terrain = GeoDataFrame(
            {"kind": "waterway", "is_barrier": True}, geometry=made.river.geometry, index=made.river.index
        )
        save_terrain(session, code, terrain.set_crs(made.river.crs, allow_override=True).to_crs(4326))
    if publish:
        divide_village(session, code, limits=limits, seed=seed, starts_on=STARTS_ON)


def households_of(made, code):
    places = made.households.geometry.to_crs(4326)
    codes = [f"{code}{number + 1:06d}" for number in range(len(places))]
    return GeoDataFrame({"code": codes, "weight": 1}, geometry=places.to_numpy(), crs=4326)


def chance_edits(shown, rng, count):
    """Draw edits as the API takes them for a plan as the API shows it; many of them are refused, for good reasons."""
    shapes = {one["properties"]["code"]: shapely.geometry.shape(one["geometry"]) for one in shown["grids"]["features"]}
    names = sorted(shapes)
    tree = shapely.STRtree([shapes[name] for name in names])
    for _ in range(count):
        one = names[rng.integers(len(names))]
        near = [names[at] for at in np.sort(tree.query(shapes[one], "intersects")) if names[at] != one] or [one]
        other = near[rng.integers(len(near))]
        west, south, east, north = shapes[one].bounds
        middle, way = np.array([(west + east) / 2, (south + north) / 2]), rng.normal(size=2)
        way *= 0.7 * np.hypot(east - west, north - south) / np.hypot(*way)
        line = [(middle - way).tolist(), (middle + way).tolist()]
        yield [
            {"edit": "cut", "line": line, "grids": [one]},
            {"edit": "merge", "grids": [one, other]},
            {"edit": "reshape", "grids": [one, other], "line": line},
            {"edit": "cut", "line": line},
            {"edit": "undo"},
            {"edit": "lock", "grid": one},
            {"edit": "unlock", "grid": one},
            {"edit": "redo"},
        ][rng.choice(8, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.03, 0.03, 0.04])]


def frame_of(features):
    """Return the features of an answer as a frame."""
    rows = [feature["properties"] for feature in features]
    return GeoDataFrame(
        pd.DataFrame(rows), geometry=[shapely.geometry.shape(one["geometry"]) for one in features], crs=4326
    )

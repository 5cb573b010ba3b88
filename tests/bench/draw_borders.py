"""Draw borders before and after they are straightened: `PYTHONPATH=.:tests python tests/bench/draw_borders.py`.

Writes docs/images/borders-*.png. Real villages are © OpenStreetMap contributors.
"""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from generated_land import generate
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from real_land import load

from mapgrid.partition import divide
from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.cells.outlines import cell_polygons, merge
from mapgrid.partition.straight.prefer import share_along

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
NO_LINES = np.empty(0, dtype=object)


def fresh_grids(plan, barriers=None):
    """Return the grids of a plan as they were before their borders were straightened."""
    made = plan.division
    walls = NO_LINES if barriers is None else barriers.geometry.to_numpy()
    land, _ = cut_land(made.village.geometry.iloc[0], made.points.xy, walls)
    return merge(cell_polygons(land.faces, land.cell_of_face, len(made.points)), made.grid, len(plan.grids))


def compactness(grids):
    return (4 * np.pi * shapely.area(grids) / shapely.length(grids) ** 2).mean()


def draw(target, states, households, box, beside=None, credit=""):
    """Write two states of grids, each (title, polygons), at one scale."""
    width = 7.2
    height = width * (box[3] - box[1]) / (box[2] - box[0]) / 2 + 0.5
    figure, axes = plt.subplots(1, 2, figsize=(width * 1.5, height * 1.5), dpi=75)
    for axis, (title, grids) in zip(axes, states, strict=True):
        if beside is not None:
            axis.add_collection(LineCollection(paths(beside), colors="#e0a030", linewidths=0.8))
        axis.add_collection(
            LineCollection(paths(shapely.get_rings(shapely.get_parts(grids))), colors="#202020", linewidths=1.4)
        )
        axis.plot(*households.T, ".", color="#c03030", markersize=2)
        axis.set(xlim=box[::2], ylim=box[1::2], aspect="equal", title=title)
        axis.axis("off")
    figure.text(0.99, 0.01, credit, ha="right", fontsize=8)
    figure.tight_layout()
    figure.savefig(target, pil_kwargs={"optimize": True})
    plt.close(figure)


def paths(lines):
    return [shapely.get_coordinates(line) for line in lines]


def before_and_after(name, village, households, barriers=None, credit="", margin_m=None):
    plan = divide(village, households, barriers=barriers)
    fresh, straight = fresh_grids(plan, barriers), plan.grids.geometry.to_numpy()
    states = [
        (f"{what}: Polsby–Popper {compactness(grids):.2f}", grids)
        for what, grids in (("before", fresh), ("after", straight))
    ]
    xy = plan.division.points.xy
    draw(
        IMAGES / f"borders-{name}.png",
        states,
        xy,
        view(village, xy, margin_m),
        None if barriers is None else barriers.geometry,
        credit,
    )


def view(village, xy, margin_m):
    """Return the box to draw: the village, or where most households are."""
    if margin_m is None:
        return village.total_bounds
    low, high = np.quantile(xy, (0.03, 0.97), axis=0)
    return np.concatenate([low - margin_m, high + margin_m])


def main():
    osm = "© OpenStreetMap contributors"
    drawn = generate(800)
    before_and_after("generated", drawn.village, drawn.households.drop(columns="unit"), drawn.river)
    village, households, roads = load("ruggell", barriers="roads")
    before_and_after("ruggell", village, households, credit=osm, margin_m=150)
    water = load("ruggell", barriers="waterways")[2]
    prefer = gpd.GeoDataFrame(pd.concat([roads[["geometry"]], water[["geometry"]]]), crs=roads.crs)
    plain, led = divide(village, households), divide(village, households, prefer=prefer)
    states = [
        (
            f"{what}: {share_along(plan.division.land, plan.division.grid, led.division.preferred):.0f} % along them",
            plan.grids.geometry.to_numpy(),
        )
        for what, plan in (("roads and water not asked for", plain), ("preferred", led))
    ]
    xy = plain.division.points.xy
    draw(IMAGES / "borders-ruggell-roads.png", states, xy, view(village, xy, 150), led.division.preferred.lines, osm)


if __name__ == "__main__":
    main()

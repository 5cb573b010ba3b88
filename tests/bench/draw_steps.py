"""Draw how a village becomes grids and groups: `PYTHONPATH=.:tests python tests/bench/draw_steps.py`.

Writes docs/images/partition-steps.png.
"""

from pathlib import Path

import numpy as np
import shapely
from generated_land import generate
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Polygon

from mapgrid.partition import divide
from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.cells.outlines import cell_polygons

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
GREY, INK, WATER = "#b0b0b0", "#202020", "#3070b0"


def main():
    drawn = generate(400, 3)
    plan = divide(drawn.village, drawn.households.drop(columns="unit"), barriers=drawn.river)
    xy = plan.division.points.xy
    land, _ = cut_land(drawn.village.geometry.iloc[0], xy, drawn.river.geometry.to_numpy())
    cells = cell_polygons(land.faces, land.cell_of_face, len(xy))
    grids = plan.grids.geometry.to_numpy()
    titles = ("1  households, river with a bridge", "2  a cell of land for each", "3  grids, borders pulled tight")
    figure, axes = plt.subplots(2, 2, figsize=(11, 9.2), dpi=80)
    for axis, title in zip(axes.ravel(), (*titles, "4  ten-household groups, in walking order"), strict=True):
        west, south, east, north = drawn.village.total_bounds
        axis.set(xlim=(west, east), ylim=(south, north), aspect="equal")
        axis.set_title(title, loc="left")
        axis.axis("off")
        lines(axis, drawn.village.geometry.to_numpy(), INK, 1.5)
        lines(axis, drawn.river.geometry.to_numpy(), WATER, 2.5)
    dots, cut, divided, grouped = axes.ravel()
    for axis in (dots, cut, divided, grouped):
        axis.plot(*xy.T, ".", color="#c03030", markersize=2.5)
    lines(cut, cells, GREY, 0.7)
    fill(divided, grids, np.arange(len(grids)))
    for grid, name, load in zip(grids, plan.grids["grid"], plan.grids["weight"], strict=True):
        at = grid.representative_point()
        divided.text(at.x, at.y, f"{name}\n{load}", ha="center", va="center", weight="bold")
    groups = plan.cells.dissolve("group", method="coverage").geometry
    fill(grouped, groups.to_numpy(), np.array([int(name[:3]) + 4 * int(name[3:]) for name in groups.index]))
    lines(grouped, grids, INK, 1.6)
    for name, shape in groups.items():
        at = shape.representative_point()
        grouped.text(at.x, at.y, name[3:], ha="center", va="center", fontsize=8)
    figure.tight_layout()
    figure.savefig(IMAGES / "partition-steps.png", pil_kwargs={"optimize": True})


def lines(axis, shapes, colour, width):
    parts = shapely.get_parts(shapes)
    rings = parts if shapely.get_dimensions(parts[0]) == 1 else shapely.get_rings(parts)
    axis.add_collection(LineCollection([shapely.get_coordinates(ring) for ring in rings], colors=colour, lw=width))


def fill(axis, shapes, number):
    colours = plt.get_cmap("Pastel1")(number % 9)
    parts, of = shapely.get_parts(shapes, return_index=True)
    patches = [Polygon(shapely.get_coordinates(part.exterior)) for part in parts]
    axis.add_collection(PatchCollection(patches, facecolor=colours[of], edgecolor=INK, linewidth=0.8, zorder=0))


if __name__ == "__main__":
    main()

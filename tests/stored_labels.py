"""Grids and groups of two villages as they were found once: `python tests/stored_labels.py` prints them anew."""

import json
import sys
from pathlib import Path

import numpy as np
from generated_land import generate
from real_land import load

from mapgrid.partition.cells.land import cut_land
from mapgrid.partition.points import distinct_points
from mapgrid.partition.search.graph import build_graph
from mapgrid.partition.search.groups import divide_grids
from mapgrid.partition.search.presets import choose_effort, choose_wishes
from mapgrid.partition.search.solve import split
from mapgrid.village import Limits

FILE = Path(__file__).resolve().parent / "data" / "labels.json"


def found(village, households):
    """Return grid and group of each cell, cells from west to east, before borders are drawn straight."""
    points = distinct_points(households)
    land, _ = cut_land(village.geometry.iloc[0], points.xy, np.empty(0, dtype=object))
    graph = build_graph(land, points.xy, points.weight)
    grid, _ = split(graph, (50, 100, 75), choose_wishes("balanced"), choose_effort("standard"), 0)
    return {"grid": grid.tolist(), "group": divide_grids(graph, grid, Limits(), 0).tolist()}


def labels():
    """Return the grids and groups of a real and of a drawn village."""
    ruggell, households, _ = load("ruggell")
    drawn = generate(800)
    return {"ruggell": found(ruggell, households), "generated 800": found(drawn.village, drawn.households)}


if __name__ == "__main__":
    json.dump(labels(), sys.stdout, separators=(",", ":"))

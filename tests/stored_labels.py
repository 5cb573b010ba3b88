"""Grids and groups of two villages as they were found once: `python tests/stored_labels.py` prints them anew."""

import json
import sys
from pathlib import Path

from generated_land import generate
from real_land import load

from mapgrid.partition import divide

FILE = Path(__file__).resolve().parent / "data" / "labels.json"


def labels():
    """Return grid and group of each cell of two villages, cells from west to east."""
    ruggell, households, _ = load("ruggell")
    drawn = generate(800)
    plans = {
        "ruggell": divide(ruggell, households),
        "generated 800": divide(drawn.village, drawn.households[["weight", "geometry"]]),
    }
    return {
        name: {"grid": plan.division.grid.tolist(), "group": plan.division.group.tolist()}
        for name, plan in plans.items()
    }


if __name__ == "__main__":
    json.dump(labels(), sys.stdout, separators=(",", ":"))

"""A whole district given in files: which household belongs to which village, one parcel for each village."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geodata.files.plan_file import whole_files
from mapgrid.crs import metric_crs_for
from mapgrid.errors import Fault, InputRefusedError, LimitsError, shorten
from web.actions.divide_parcel import Line, Outcome, Parcel, take_rows
from web.actions.division_inputs import LINES, inner_points
from web.actions.line_files import notes_on_reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from web.actions.divide_parcel import Order, Rows
    from web.actions.division_inputs import Sources

_BESIDE_DEG = 3e-7  # about the 2 cm that a household may stand outside its village
_LINES_AROUND_DEG = 1e-3  # a barrier that ends outside may still bar the way inside
_NOWHERE = "stands in no village"
_LONGEST_NAME = 60  # characters; four bytes each fit the 255 bytes of a file name


@dataclass(frozen=True, slots=True)
class District:
    """The villages of a district with their households.

    Attributes
    ----------
    parcels
        In the order of the rows of the file of villages.
    unplaced
        Rows of households that belong to no village, with why.
    notes
        What was decided or mended while reading.
    """

    parcels: tuple[Parcel, ...]
    unplaced: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]


def read_district(sources: Sources, column: str) -> District:
    """Return the parcels of a district, or raise `InputRefusedError` with every fault of the first unsound file.

    Parameters
    ----------
    sources
        `village` names the file of all villages.
    column
        The column that holds the code or name of a village: in the file of villages, unique; where the file of
        households has it too, a household belongs to the village it names, else to the one it stands in.
    """
    villages = sources.read_village()
    keys = _keys(villages, column)
    households = sources.read_households()
    metric = metric_crs_for(tuple(villages.total_bounds))
    points = inner_points(households, metric).to_numpy()
    village, why = _assign(households, points, villages, keys, column)
    if len(households) and (village < 0).all():
        raise InputRefusedError([_all_lost(households, why)])
    layers = sources.layers()
    rows = households.index.to_numpy()
    lost = np.flatnonzero(village < 0)
    frames = [villages, households, *layers.values()]
    notes = [f"{frame.attrs['file']}: {note}" for frame in frames for note in frame.attrs["notes"]]
    notes += notes_on_reach(layers, villages)
    if column in households.columns:
        notes.append(f"{households.attrs['file']}: households belong to the village that their column {column} names")
    return District(
        parcels=tuple(_parcels(villages, keys, households, village, layers)),
        unplaced=tuple((int(rows[at]), why[at]) for at in lost.tolist()),
        notes=tuple(notes),
    )


def _all_lost(households: GeoDataFrame, why: list[str]) -> Fault:
    """Return what is wrong with a file of which no household belongs to a village."""
    place = {"file": households.attrs["file"], "layer": households.attrs["layer"]}
    if _NOWHERE in why:
        found = f"none of the {len(why)} households stands in any village"
        return Fault("households in the villages", found, hint="check the coordinate systems (--crs)", **place)
    return Fault("households of the villages", f"none: the first {why[0]}", row=int(households.index[0]), **place)


def _keys(villages: GeoDataFrame, column: str) -> list[str]:
    """Return the key of each village as text, or raise with every row whose key is missing or double."""
    place = {"file": villages.attrs["file"], "layer": villages.attrs["layer"]}
    if column not in villages.columns:
        names = ", ".join(shorten(str(name)) for name in villages.columns if name != villages.geometry.name)
        raise InputRefusedError([Fault(f"a column {column!r} (--village-column)", f"the columns {names}", **place)])
    if not len(villages):
        raise InputRefusedError([Fault("at least one village", "none", **place)])
    keys = _texts(villages[column])
    seen: dict[str, int] = {}
    faults = []
    for row, key in zip(villages.index.tolist(), keys, strict=True):
        if key is None:
            faults.append(Fault("the code or name of a village", "an empty cell", row=row, column=column, **place))
        elif seen.setdefault(key, row) != row:
            found = f"{shorten(key)!r}, as in row {seen[key]}"
            faults.append(Fault("a village of its own", found, row=row, column=column, **place))
    if faults:
        raise InputRefusedError(faults)
    return [key for key in keys if key is not None]


def _texts(column: pd.Series) -> list[str | None]:
    """Return cells as text: whole numbers without a point, empty cells as None."""
    texts: list[str | None] = []
    for value in column.tolist():
        if value is None or value is pd.NA or value != value:  # noqa: PLR0124  NaN and NaT
            texts.append(None)
            continue
        is_whole = isinstance(value, float) and value.is_integer()
        texts.append((str(int(value)) if is_whole else str(value)).strip() or None)
    return texts


def _assign(
    households: GeoDataFrame, points: NDArray[np.object_], villages: GeoDataFrame, keys: list[str], column: str
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the village (position) of each household, -1 for none, and why there is none."""
    village = _standing_in(points, villages, keys)
    missing = shapely.is_missing(points) | shapely.is_empty(points)
    why = ["no geometry" if lacks else _NOWHERE for lacks in missing]
    if column in households.columns:
        number = {key: at for at, key in enumerate(keys)}
        for at, key in enumerate(_texts(households[column])):
            if key is not None:
                village[at] = number.get(key, -1)
                why[at] = f"names the village {shorten(key)!r}, which is not among the villages"
    return village, why


def _standing_in(points: NDArray[np.object_], villages: GeoDataFrame, keys: list[str]) -> NDArray[np.int64]:
    """Return the village each point stands in; on a border between two, the one whose key comes first."""
    shapes = villages.geometry.to_numpy()
    rank = np.argsort(np.argsort(np.array(keys)))
    tree = shapely.STRtree(shapes)
    village = np.full(len(points), -1, dtype=np.int64)
    for predicate, reach in (("intersects", None), ("dwithin", _BESIDE_DEG)):
        open_ = np.flatnonzero(village < 0)
        point, at = tree.query(points[open_], predicate, distance=reach)
        order = np.lexsort((rank[at], point))
        first, where = np.unique(point[order], return_index=True)
        village[open_[first]] = at[order][where]
    return village


def _parcels(
    villages: GeoDataFrame,
    keys: list[str],
    households: GeoDataFrame,
    village: NDArray[np.int64],
    layers: dict[str, GeoDataFrame],
) -> Iterator[Parcel]:
    near = {layer: _Near(frame) for layer, frame in layers.items()}
    order = np.argsort(village, kind="stable")
    bounds = np.searchsorted(village[order], np.arange(len(keys) + 1))
    for at, (key, name) in enumerate(zip(keys, file_names(keys), strict=True)):
        shape = villages.geometry.iloc[at]
        yield Parcel(
            key=key,
            name=name,
            boundary=take_rows(villages[[villages.geometry.name]], [at]),
            households=take_rows(households, order[bounds[at] : bounds[at + 1]]),
            layers={
                layer: rows.around(shape) if layer in LINES else rows.lying_on(shape) for layer, rows in near.items()
            },
        )


class _Near:
    """Rows of a layer by the village they are near to or on."""

    def __init__(self, frame: GeoDataFrame) -> None:
        self.frame = frame
        self.shapes = shapely.STRtree(frame.geometry.to_numpy())
        self.inner = shapely.STRtree(shapely.point_on_surface(frame.geometry.to_numpy()))

    def around(self, village: BaseGeometry) -> Rows:
        """Return what meets the box of a village, somewhat enlarged."""
        around = shapely.box(*village.bounds).buffer(_LINES_AROUND_DEG, join_style="mitre")
        return take_rows(self.frame, np.sort(self.shapes.query(around, "intersects")))

    def lying_on(self, village: BaseGeometry) -> Rows:
        """Return what lies on the land of a village: its neighbours' units touch it too."""
        return take_rows(self.frame, np.sort(self.inner.query(village, "intersects")))


def file_names(keys: Iterable[str]) -> list[str]:
    """Return a file name (without ending) for each key: letters and digits as they are, all else an underscore.

    Names that had to be changed, or that a file system without upper case takes for another's, get a few characters
    of a digest of the key behind them, so that they stay apart and stay the same from run to run.
    """
    keys = list(keys)
    plain = [re.sub(r"[^\w.-]|^[.-]", "_", key)[:_LONGEST_NAME] for key in keys]
    folded = [name.casefold() for name in plain]
    return [
        name if name == key and folded.count(fold) == 1 else f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"
        for key, name, fold in zip(keys, plain, folded, strict=True)
    ]


def empty_line(parcel: Parcel) -> Line | None:
    """Return the line of a village without households, else None."""
    return None if parcel.households.shapes else Line(parcel.key, Outcome.EMPTY, 0)


@contextmanager
def claimed(directory: Path) -> Iterator[None]:
    """Hold a directory for one run, made when missing; remains of killed workers are removed first and last."""
    try:
        directory.mkdir(exist_ok=True)
        file = (directory / ".lock").open("w")
    except OSError as error:
        msg = f"{directory}: expected a directory to write plans to, found {error.strerror}"
        raise LimitsError(msg) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"{directory}: another partition-all is writing there; wait for it or choose another --out"
            raise LimitsError(msg) from error
        _sweep(directory)
        try:
            yield
        finally:
            _sweep(directory)


def _sweep(directory: Path) -> None:
    for remains in directory.glob(".mapgrid-*"):
        shutil.rmtree(remains, ignore_errors=True)


def totals(lines: list[Line]) -> dict[str, int | float]:
    """Return the figures of all villages together."""
    planned = [line for line in lines if line.grids is not None]
    return {
        "villages": len(lines),
        **{str(outcome): sum(line.outcome is outcome for line in lines) for outcome in Outcome},
        "kept": sum(line.kept for line in lines),
        "households": sum(line.households for line in planned),
        "grids": sum(line.grids or 0 for line in planned),
        "work_seconds": round(sum(line.seconds or 0.0 for line in planned if not line.kept), 2),
    }


def save_summary(lines: list[Line], district: District, order: Order, report: Path | None) -> Path:
    """Write summary.csv, and a report of all as JSON where one is asked for; return the path of the summary."""
    table = pd.DataFrame([line.as_record() for line in lines])
    table["grids"] = table["grids"].astype("Int64")  # whole numbers, or nothing
    table["village"] = [_harmless(key) for key in table["village"]]
    table["fault"] = [_harmless(fault) for fault in table["fault"]]
    with whole_files(order.summary) as (draft,):
        # The mark at the beginning tells spreadsheet programs that this is UTF-8.
        table.to_csv(draft, index=False, encoding="utf-8-sig")
    if report is not None:
        record = {
            "totals": totals(lines),
            "villages": [line.as_record() for line in lines],
            "unplaced_households": [{"row": row, "why": why} for row, why in district.unplaced],
            "notes": list(district.notes),
        }
        with whole_files(report) as (draft,):
            draft.write_text(json.dumps(record, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return order.summary


def _harmless(text: str) -> str:
    """Return text that no spreadsheet program takes for a formula."""
    return f"'{text}" if text[:1] in set("=+-@\t\r＝") else text

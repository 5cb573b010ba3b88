"""One village of a district: what a worker needs to divide it, and what comes of that.

A parcel holds its own rows alone, as plain bytes, so that it travels to another process or machine. The worker writes
the result itself: `NAME.gpkg`, the plan, and after it `NAME.json`, the report with a seal of all it was made from.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from mapgrid.crs import STORAGE_SRID
from mapgrid.errors import MapgridError
from web.actions.divide_files import Wanted, divide_inputs, report_of, save_division
from web.actions.division_inputs import Columns, Sources, place_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence


class Outcome(StrEnum):
    """How a village came out."""

    DIVIDED = "divided"
    """Every grid is within the limits."""
    REASONS = "reasons"
    """There is a plan, and reasons why some of it is not as the limits ask."""
    EMPTY = "empty"
    """No household stands in the village: there is nothing to divide."""
    REFUSED = "refused"
    """Its rows are not sound; `fault` says which."""
    FAILED = "failed"
    """The worker met an error, or the village killed its workers."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a layer: shapes as WKB in EPSG:4326 (None where there is none), columns, and where they stood."""

    shapes: tuple[bytes | None, ...]
    columns: pd.DataFrame
    place: dict[str, str | None]

    def frame(self) -> gpd.GeoDataFrame:
        """Return the rows as they were read."""
        geometry = shapely.from_wkb(np.array(self.shapes, dtype=object))
        frame = gpd.GeoDataFrame(self.columns, geometry=geometry, crs=STORAGE_SRID)
        frame.attrs = {**self.place, "notes": []}
        return frame

    def digest(self) -> bytes:
        """Return a digest of shapes and columns, whatever the numbers of the rows."""
        summed = hashlib.sha256(b"\0".join(shape or b"" for shape in self.shapes))
        table = self.columns.to_json(orient="split", index=False, date_format="iso", default_handler=str)
        summed.update(table.encode())
        return summed.digest()


def take_rows(frame: gpd.GeoDataFrame, at: Sequence[int] | np.ndarray) -> Rows:
    """Return rows of a frame, by position, ready to travel."""
    taken = frame.iloc[at]
    shapes = tuple(shapely.to_wkb(taken.geometry.to_numpy()).tolist())
    place = {"file": frame.attrs["file"], "layer": frame.attrs["layer"]}
    return Rows(shapes, pd.DataFrame(taken.drop(columns=taken.geometry.name)), place)


@dataclass(frozen=True, slots=True)
class Parcel:
    """One village.

    Attributes
    ----------
    key
        Its code or name, as the file of villages has it.
    name
        The same as a file name.
    layers
        Barriers, preferred lines and units, those that were given: the rows near it.
    """

    key: str
    name: str
    boundary: Rows
    households: Rows
    layers: dict[str, Rows]


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of every village.

    Attributes
    ----------
    directory
        Absolute; where plans and reports go.
    """

    wanted: Wanted
    sources: Sources
    directory: str

    def seal(self, parcel: Parcel) -> str:
        """Return a digest of all that the plan of a parcel depends on: its rows, what is asked, the version."""
        layers = sorted(parcel.layers)
        asked = json.dumps([asdict(self.wanted), self.sources.columns, layers, version("mapgrid")], sort_keys=True)
        summed = hashlib.sha256(asked.encode())
        for rows in (parcel.boundary, parcel.households, *(parcel.layers[name] for name in layers)):
            summed.update(rows.digest())
        return summed.hexdigest()

    @property
    def summary(self) -> Path:
        """Where the summary of all villages goes."""
        return Path(self.directory) / "summary.csv"

    def plan_of(self, parcel: Parcel) -> Path:
        """Return where the plan of a parcel goes."""
        return Path(self.directory) / f"{parcel.name}.gpkg"

    def report_of(self, parcel: Parcel) -> Path:
        """Return where the report of a parcel goes."""
        return Path(self.directory) / f"{parcel.name}.json"


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one village; figures are those of its scorecard, None where there is no plan.

    Attributes
    ----------
    reasons
        Reason codes with how often each is met, such as `ISOLATED_UNIT 2`.
    kept
        Whether the plan was there already, made from the same.
    """

    village: str
    outcome: Outcome
    households: int
    file: str | None = None
    grids: int | None = None
    in_range_pct: float | None = None
    reasons: str = ""
    polsby_popper: float | None = None
    distance_ratio: float | None = None
    seconds: float | None = None
    kept: bool = False
    fault: str = ""

    def as_record(self) -> dict[str, Any]:
        """Return the line as a plain record."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Reasons:
    codes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return ", ".join(f"{code} {self.codes.count(code)}" for code in sorted(set(self.codes)))


def kept_line(parcel: Parcel, order: Order) -> Line | None:
    """Return the line of a parcel whose plan is there, made from the same; else None."""
    try:
        record = json.loads(order.report_of(parcel).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or record.get("made_from") != order.seal(parcel):
        return None
    return _line_of(parcel, record, kept=True) if order.plan_of(parcel).exists() else None


def divide_parcel(parcel: Parcel, order: Order) -> Line:
    """Divide one village, write its plan and report, and return its line; what is refused is a line too."""
    began = time.perf_counter()
    report = order.report_of(parcel)
    report.unlink(missing_ok=True)  # from here on, what stands there is not sealed by an older report
    try:
        inputs = place_inputs(
            parcel.boundary.frame(),
            parcel.households.frame(),
            {name: rows.frame() for name, rows in parcel.layers.items() if len(rows.shapes)},
            _columns(parcel, order),
            order.sources.web_map,
        )
        plan = divide_inputs(inputs, order.wanted)
    except MapgridError as refused:
        order.plan_of(parcel).unlink(missing_ok=True)
        return Line(parcel.key, Outcome.REFUSED, len(parcel.households.shapes), fault=_short(str(refused)))
    record = {"village": parcel.key, **json.loads(report_of(plan, order.sources)), "made_from": order.seal(parcel)}
    record["seconds_in_all"] = round(time.perf_counter() - began, 4)
    text = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
    save_division(plan, inputs, order.plan_of(parcel), {report: text})
    return _line_of(parcel, record, kept=False)


def _columns(parcel: Parcel, order: Order) -> Columns:
    """Return the columns of the households; without that of units where no household of this village is in one."""
    columns, table = order.sources.columns, parcel.households.columns
    is_empty = columns.unit in table and not table[columns.unit].notna().any()
    return columns._replace(unit=None) if is_empty else columns


def _line_of(parcel: Parcel, record: dict[str, Any], *, kept: bool) -> Line:
    reasons = _Reasons([reason["code"] for reason in record["reasons"]])
    return Line(
        village=parcel.key,
        outcome=Outcome.REASONS if reasons.codes else Outcome.DIVIDED,
        households=record["households"],
        file=f"{parcel.name}.gpkg",
        grids=record["grids"],
        in_range_pct=record["in_range_pct"],
        reasons=str(reasons),
        polsby_popper=record["polsby_popper"],
        distance_ratio=record["distance_ratio"],
        seconds=record["seconds_in_all"],
        kept=kept,
    )


def _short(text: str) -> str:
    """Return the first lines of a fault as one line."""
    lines = text.splitlines()
    more = f" (and {len(lines) - 3} more)" if len(lines) > 3 else ""
    return "; ".join(lines[:3]) + more

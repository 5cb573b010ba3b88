"""A plan of the domain as bytes and back, to the last bit: what edits work on, in the village's metric CRS.

Outlines in tables are EPSG:4326: on the way there and back corners move by fractions of a millimetre, and two borders
that met may cross. So the plan itself is kept as it is: numbers as they lie in memory, shapes as WKB, all else as JSON.
Only the classes named here are ever made from bytes.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import fields, is_dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from mapgrid.errors import MapgridError
from mapgrid.partition.cells.faces import Faces
from mapgrid.partition.cells.land import Land
from mapgrid.partition.cells.walls import Walls
from mapgrid.partition.plan import Division, Moves, Plan
from mapgrid.partition.points import Points
from mapgrid.partition.reasons import Piece, Reason, ReasonCode
from mapgrid.partition.straight.prefer import Preferred
from mapgrid.partition.whole_units.units import OddUnit, Units
from mapgrid.village import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORMAT = b"mapgrid plan 1\n"
_FASTEST = 1
_KINDS: Mapping[str, type] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            *(Plan, Limits, Moves, Piece, Reason, ReasonCode, OddUnit),
            *(Division, Land, Faces, Walls, Points, Units, Preferred),
        )
    }
)
_HOUSEHOLD_COLUMNS = ("weight", "unit", "workload", "grid", "group", "cell", "geometry")
"""What a division reads and makes of households. Nothing else is kept: no address, no tier."""


class PlanUnreadableError(MapgridError):
    """A kept plan that this mapgrid cannot read."""


def pack_plan(plan: Plan) -> bytes:
    """Return a plan as bytes; the same plan always gives the same bytes."""
    buffers: list[bytes] = []
    kept = [name for name in plan.households.columns if name in _HOUSEHOLD_COLUMNS]
    parts = {field.name: getattr(plan, field.name) for field in fields(plan)} | {"households": plan.households[kept]}
    tree = {"is": "Plan", "of": {name: _packed(value, buffers) for name, value in parts.items()}}
    sizes = [len(one) for one in buffers]
    head = json.dumps([tree, sizes], ensure_ascii=False, separators=(",", ":")).encode()
    body = b"".join([len(head).to_bytes(8, "big"), head, *buffers])
    return _FORMAT + zlib.compress(body, _FASTEST)


def unpack_plan(packed: bytes) -> Plan:
    """Return the plan that `pack_plan` was given, without the columns of its households that no plan needs.

    Raises
    ------
    PlanUnreadableError
        If the bytes are of another format.
    """
    if not packed.startswith(_FORMAT):
        wanted = _FORMAT.decode().strip()
        msg = f"expected a plan kept as {wanted!r}, found {packed[:20]!r}: another mapgrid kept it; begin a new draft"
        raise PlanUnreadableError(msg)
    body = memoryview(zlib.decompress(packed[len(_FORMAT) :]))
    end = 8 + int.from_bytes(body[:8], "big")
    tree, sizes = json.loads(bytes(body[8:end]))
    buffers = [body[start:stop] for start, stop in pairwise(accumulate(sizes, initial=end))]
    plan: Plan = _unpacked(tree, buffers)
    return plan


def _packed(value: Any, buffers: list[bytes]) -> Any:  # noqa: ANN401, PLR0911  whatever a plan is made of
    if value is None or type(value) in {bool, int, float, str}:
        return value
    match value:
        case ReasonCode():
            return {"is": "ReasonCode", "of": value.value}
        case gpd.GeoDataFrame():
            return _packed_frame(value, buffers)
        case np.ndarray():
            return _packed_shapes(value, buffers) if value.dtype == object else _packed_numbers(value, buffers)
        case tuple():
            return {"is": "tuple", "of": [_packed(one, buffers) for one in value]}
        case frozenset():
            return {"is": "frozenset", "of": sorted(value)}
        case _ if is_dataclass(value) and type(value).__name__ in _KINDS:
            of = {field.name: _packed(getattr(value, field.name), buffers) for field in fields(value)}
            return {"is": type(value).__name__, "of": of}
        case _:
            msg = f"a plan holds a {type(value).__name__}, which cannot be kept"
            raise TypeError(msg)


def _packed_numbers(numbers: np.ndarray, buffers: list[bytes]) -> dict[str, Any]:
    buffers.append(numbers.tobytes())
    return {"is": "numbers", "of": len(buffers) - 1, "type": numbers.dtype.str, "shape": list(numbers.shape)}


def _packed_shapes(shapes: np.ndarray, buffers: list[bytes]) -> dict[str, Any]:
    written = [b"" if one is None else one for one in shapely.to_wkb(shapes).tolist()]
    buffers.append(b"".join(written))
    return {"is": "shapes", "of": len(buffers) - 1, "sizes": [len(one) for one in written]}


def _packed_frame(frame: gpd.GeoDataFrame, buffers: list[bytes]) -> dict[str, Any]:
    plain = pd.DataFrame(frame.drop(columns="geometry"))  # a column of a GeoDataFrame takes ten times as long to get
    columns = {name: _packed_column(plain[name], buffers) for name in plain.columns}
    return {
        "is": "frame",
        "of": columns,
        "order": list(frame.columns),
        "shapes": _packed_shapes(frame.geometry.to_numpy(), buffers),
        "crs": frame.crs.srs,
        "index": _packed_index(frame.index),
    }


def _packed_index(index: pd.Index) -> dict[str, Any]:
    if isinstance(index, pd.RangeIndex):
        return {"of": [index.start, index.stop, index.step], "name": index.name, "type": "range"}
    return {"of": index.tolist(), "name": index.name, "type": str(index.dtype)}


def _packed_column(column: pd.Series, buffers: list[bytes]) -> dict[str, Any]:
    if isinstance(column.dtype, np.dtype) and column.dtype != object:
        return _packed_numbers(column.to_numpy(), buffers)
    kind = "str" if column.dtype == "str" else "object"
    return {"is": "texts", "of": column.astype(object).where(column.notna(), None).tolist(), "type": kind}


def _unpacked(tree: Any, buffers: list[memoryview]) -> Any:  # noqa: ANN401
    if not isinstance(tree, dict):
        return tree
    reader = _READERS.get(tree["is"])
    if reader is not None:
        return reader(tree, buffers)
    kind, of = _KINDS[tree["is"]], tree["of"]
    if kind is ReasonCode:
        return ReasonCode(of)
    return kind(**{name: _unpacked(value, buffers) for name, value in of.items()})


def _tuple(tree: Mapping[str, Any], buffers: list[memoryview]) -> tuple[Any, ...]:
    return tuple(_unpacked(one, buffers) for one in tree["of"])


def _frozenset(tree: Mapping[str, Any], _buffers: list[memoryview]) -> frozenset[Any]:
    return frozenset(tree["of"])


def _numbers(tree: Mapping[str, Any], buffers: list[memoryview]) -> np.ndarray:
    # A copy: what was read from bytes may not be written to, and it would hold all of them.
    return np.frombuffer(buffers[tree["of"]], dtype=tree["type"]).reshape(tree["shape"]).copy()


def _shapes(tree: Mapping[str, Any], buffers: list[memoryview]) -> np.ndarray:
    whole, ends = buffers[tree["of"]], accumulate(tree["sizes"], initial=0)
    written = [bytes(whole[start:stop]) or None for start, stop in pairwise(ends)]
    shapes = np.empty(len(written), dtype=object)
    shapes[:] = shapely.from_wkb(np.array(written, dtype=object))
    return shapes


def _frame(tree: Mapping[str, Any], buffers: list[memoryview]) -> gpd.GeoDataFrame:
    index = _index(tree["index"])
    columns = {name: _column(column, index, buffers) for name, column in tree["of"].items()}
    shapes = gpd.GeoSeries(_shapes(tree["shapes"], buffers), index=index, crs=_crs(tree["crs"]))
    frame = gpd.GeoDataFrame(columns, index=index, geometry=shapes)
    ordered: gpd.GeoDataFrame = frame[tree["order"]]
    return ordered


def _column(tree: Mapping[str, Any], index: pd.Index, buffers: list[memoryview]) -> pd.Series:
    if tree["is"] == "texts":
        texts: pd.Series = pd.Series(tree["of"], index=index, dtype=tree["type"])
        return texts
    return pd.Series(_numbers(tree, buffers), index=index)


def _index(tree: Mapping[str, Any]) -> pd.Index:
    if tree["type"] == "range":
        start, stop, step = tree["of"]
        return pd.RangeIndex(start, stop, step, name=tree["name"])
    index: pd.Index = pd.Index(tree["of"], dtype=tree["type"], name=tree["name"])
    return index


@lru_cache(maxsize=64)
def _crs(text: str) -> CRS:
    return CRS.from_user_input(text)


_READERS: Mapping[str, Callable[[Mapping[str, Any], list[memoryview]], Any]] = MappingProxyType(
    {"tuple": _tuple, "frozenset": _frozenset, "numbers": _numbers, "shapes": _shapes, "frame": _frame}
)

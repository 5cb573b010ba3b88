"""What the reading child hands back: one header and plain arrays. Never pickled: the child may have been taken over."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class RawLayer:
    """Features as their driver returned them.

    Attributes
    ----------
    name
        Layer name inside the file.
    crs
        What the file declares, as an authority code or WKT; None when it declares nothing.
    columns
        Attribute values by column name, all of one length.
    wkb
        One geometry per feature, None where there is none.
    notes
        What the driver had to say.
    claim
        What the file names as its coordinate system where the driver passed over that name; else None.
    curved
        Positions of the features whose arcs became straight strokes.
    """

    name: str
    crs: str | None
    columns: dict[str, NDArray]
    wkb: NDArray
    notes: list[str] = field(default_factory=list)
    claim: str | None = None
    curved: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RawTable:
    """The cells of a table, blank rows included: the n-th list is row n."""

    name: str | None
    rows: list[list[Cell]]


def pack(header: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> bytes:
    """Return a header and arrays as bytes."""
    text = json.dumps(header, ensure_ascii=False, default=_plain).encode("utf-8", "replace")
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, header=np.frombuffer(text, dtype=np.uint8), **arrays)
    return buffer.getvalue()


def pack_faults(faults: tuple[Fault, ...]) -> bytes:
    """Return faults as bytes."""
    return pack({"faults": [fault.as_record() for fault in faults]}, {})


def pack_table(table: RawTable) -> bytes:
    """Return a table as bytes."""
    return pack({"name": table.name, "rows": table.rows}, {})


def pack_layer(layer: RawLayer) -> bytes:
    """Return a layer as bytes; text columns travel in the header, numbers and geometry as arrays."""
    sizes = np.array([-1 if wkb is None else len(wkb) for wkb in layer.wkb], dtype=np.int64)
    joined = np.frombuffer(b"".join(wkb for wkb in layer.wkb if wkb is not None), dtype=np.uint8)
    arrays: dict[str, NDArray] = {"sizes": sizes, "wkb": joined}
    texts: dict[str, list] = {}
    for number, values in enumerate(layer.columns.values()):
        if values.dtype == object:
            texts[str(number)] = values.tolist()
        else:
            arrays[f"column_{number}"] = values
    header = {
        "name": layer.name,
        "crs": layer.crs,
        "columns": list(layer.columns),
        "texts": texts,
        "notes": layer.notes,
        "claim": layer.claim,
        "curved": layer.curved,
    }
    return pack(header, arrays)


def unpack(content: bytes) -> RawLayer | RawTable:
    """Return what the child read, or raise `InputRefusedError` with the faults it found."""
    header, arrays = unpack_arrays(content)
    if "rows" in header:
        return RawTable(header["name"], header["rows"])
    columns = {}
    for number, name in enumerate(header["columns"]):
        texts = header["texts"].get(str(number))
        columns[name] = arrays[f"column_{number}"] if texts is None else _objects(texts)
    sizes, joined = arrays["sizes"], arrays["wkb"].tobytes()
    ends = np.cumsum(np.maximum(sizes, 0))
    wkb = [None if size < 0 else joined[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    told = (header["notes"], header["claim"], header["curved"])
    return RawLayer(header["name"], header["crs"], columns, _objects(wkb), *told)


def unpack_arrays(content: bytes) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Return the header and the arrays of `pack`, or raise `InputRefusedError` with the faults inside."""
    with np.load(io.BytesIO(content), allow_pickle=False) as parts:
        arrays = {name: parts[name] for name in parts.files}
    header: dict[str, Any] = json.loads(arrays.pop("header").tobytes())
    if header.get("faults"):
        raise InputRefusedError(Fault(**record) for record in header["faults"])
    return header, arrays


def _objects(values: list) -> NDArray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)

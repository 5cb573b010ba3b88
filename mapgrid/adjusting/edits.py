"""Edits of a plan as small frozen values, to be written as JSON and read back.

Households are named by their label in the index of `Plan.households` (the household's own code where there is one):
a label means the same household however the land is cut. Lines are corners in the metric CRS of the plan.
"""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields
from math import isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mapgrid.errors import EditRefusedError, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Label = int | str
Line = tuple[tuple[float, float], ...]
KIND = "edit"


@dataclass(frozen=True, slots=True)
class Assign:
    """Give households to a grid; None makes a new one. Households that share a point go together."""

    households: tuple[Label, ...]
    grid: str | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Divide grids along a line: all that it crosses, or those named. The piece with most households keeps the name."""

    line: Line
    grids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """Make one grid of several; the one with most households keeps its name, the lowest of equals."""

    grids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reshape:
    """Draw the border of two grids anew; households change grid so that the fewest move."""

    grids: tuple[str, str]
    line: Line


@dataclass(frozen=True, slots=True)
class Lock:
    """Keep a grid as it is, until it is unlocked."""

    grid: str


@dataclass(frozen=True, slots=True)
class Unlock:
    """Let a grid be changed again."""

    grid: str


Edit = Assign | Cut | Merge | Reshape | Lock | Unlock

_KINDS: Mapping[str, type[Edit]] = MappingProxyType(
    {"assign": Assign, "cut": Cut, "merge": Merge, "reshape": Reshape, "lock": Lock, "unlock": Unlock}
)


def as_record(edit: Edit) -> dict[str, Any]:
    """Return the edit as a plain record: `edit` names its kind, tuples become lists."""
    return {KIND: type(edit).__name__.lower(), **{name: _plain(value) for name, value in asdict(edit).items()}}


def from_record(record: Mapping[str, Any]) -> Edit:
    """Return the edit that a record says.

    Raises
    ------
    EditRefusedError
        `EDIT_UNREADABLE`, naming the field, unless `as_record` could have written the record.
    """
    kind = _KINDS.get(str(record.get(KIND)))
    if kind is None:
        raise _unreadable(f"{KIND!r} to be one of {', '.join(_KINDS)}", repr(record.get(KIND)))
    wanted = {field.name: field for field in fields(kind)}
    unknown = sorted(set(record) - {KIND, *wanted})
    missing = [name for name, field in wanted.items() if name not in record and field.default is MISSING]
    if unknown or missing:
        found = f"the field {unknown[0]!r}" if unknown else f"no {missing[0]!r}"
        raise _unreadable(f"the fields {', '.join(wanted)}", found)
    values = {name: _read(name, record[name]) for name in wanted if name in record}
    if kind is not Assign and values.get("grid", "") is None:
        raise _unreadable("'grid' to be the name of a grid", "None")
    return kind(**values)


def _read(name: str, value: Any) -> Any:  # noqa: ANN401  JSON
    expected, reader = _READERS[name]
    try:
        return reader(value)
    except (TypeError, ValueError) as error:
        raise _unreadable(f"{name!r} to be {expected}", repr(value)[:80]) from error


def _grid(value: Any) -> str | None:  # noqa: ANN401
    return None if value is None else _text(value)


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise TypeError
    return value


def _grids(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    return tuple(_text(one) for one in _list(value))


def _households(value: Any) -> tuple[Label, ...]:  # noqa: ANN401
    return tuple(one if isinstance(one, int) and not isinstance(one, bool) else _text(one) for one in _list(value))


def _line(value: Any) -> Line:  # noqa: ANN401
    corners = tuple((float(x), float(y)) for x, y in _list(value))
    if not all(isfinite(x) and isfinite(y) for x, y in corners):
        raise ValueError
    return corners


def _list(value: Any) -> list[Any]:  # noqa: ANN401
    if not isinstance(value, list):
        raise TypeError
    return value


_READERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = MappingProxyType(
    {
        "grid": ("the name of a grid", _grid),
        "grids": ("a list of names of grids", _grids),
        "households": ("a list of numbers or texts", _households),
        "line": ("a list of pairs of finite numbers", _line),
    }
)


def _plain(value: Any) -> Any:  # noqa: ANN401
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _unreadable(expected: str, found: str) -> EditRefusedError:
    return EditRefusedError(Refusal.EDIT_UNREADABLE, expected, found, "send the edit as as_record writes it")

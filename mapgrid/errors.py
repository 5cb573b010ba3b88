"""What can go wrong, one class per meaning, all under one base."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MapgridError(Exception):
    """Anything mapgrid refuses, with a message a person can act on."""


class NotMetricError(MapgridError):
    """A frame is not in metres, or two frames differ in CRS."""


class CodeError(MapgridError):
    """A code does not have the digits its level asks for."""


class LimitsError(MapgridError):
    """Limits that no grid could meet."""


class CoverageError(MapgridError):
    """Grids leave a gap, overlap, or reach outside their village."""


class NotFoundError(MapgridError):
    """No such area, plan, household or case, or none in the asker's scope."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input, and the place where it stands.

    Attributes
    ----------
    expected, found
        What was asked for and what stood there, as a reader would say it.
    file, layer, row, column
        The place. `row` counts as the file's own program shows it: the header of a table is row 1, the first
        feature of a layer is row 1. None where the fault has no such place.
    hint
        What to do about it, when there is something to say.
    """

    expected: str
    found: str
    file: str | None = None
    layer: str | None = None
    row: int | None = None
    column: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        """Return `file, layer, row, column: expected …, found …; hint` without the parts that are not known."""
        places = [
            self.file,
            self.layer and f"layer {self.layer}",
            self.row is not None and f"row {self.row}",
            self.column and f"column {self.column}",
        ]
        where = ", ".join(place for place in places if place)
        what = f"expected {self.expected}, found {self.found}"
        return (f"{where}: " if where else "") + what + (f"; {self.hint}" if self.hint else "")

    def as_record(self) -> dict[str, str | int | None]:
        """Return the fault as a plain record for a report."""
        return asdict(self)


class InputRefusedError(MapgridError):
    """An input with faults, of which nothing was kept."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

"""What can go wrong, one class per meaning, all under one base."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_LONGEST_QUOTE = 60


class MapgridError(Exception):
    """Anything mapgrid refuses, with a message a person can act on."""

    def details(self) -> dict[str, str | int]:
        """Return what programs may want to know beside the message, as plain JSON values."""
        return {}


class NotMetricError(MapgridError):
    """A frame is not in metres, or two frames differ in CRS."""


class CodeError(MapgridError):
    """A code does not have the digits its level asks for."""


class LimitsError(MapgridError):
    """Limits that no grid could meet."""


class CoverageError(MapgridError):
    """Grids leave a gap, overlap, or reach outside their village."""


class Refusal(StrEnum):
    """Why an edit of a plan is refused."""

    EDIT_UNREADABLE = "EDIT_UNREADABLE"
    GRID_UNKNOWN = "GRID_UNKNOWN"
    GRID_LOCKED = "GRID_LOCKED"
    GRID_EMPTY = "GRID_EMPTY"
    """A grid would be left without households."""
    HOUSEHOLD_UNKNOWN = "HOUSEHOLD_UNKNOWN"
    NOTHING_CHANGES = "NOTHING_CHANGES"
    NOT_CONNECTED = "NOT_CONNECTED"
    """A grid would no longer be one piece."""
    BARRIER_BETWEEN = "BARRIER_BETWEEN"
    """A grid would reach across a barrier."""
    LINE_UNFIT = "LINE_UNFIT"
    LINE_OUTSIDE = "LINE_OUTSIDE"
    LINE_CROSSES_NOTHING = "LINE_CROSSES_NOTHING"
    """The line does not part the grids."""
    LINE_THROUGH_HOUSEHOLD = "LINE_THROUGH_HOUSEHOLD"
    NO_NUMBER_LEFT = "NO_NUMBER_LEFT"
    """All serials of the village, or of a grid's groups, are used."""
    STALE_VERSION = "STALE_VERSION"
    """The plan was changed by somebody else meanwhile."""


class EditRefusedError(MapgridError):
    """An edit that cannot be made; the plan stays as it is.

    Attributes
    ----------
    code
        Why, for programs.
    expected, found, hint
        The same for people.
    """

    def __init__(self, code: Refusal, expected: str, found: str, hint: str) -> None:
        self.code, self.expected, self.found, self.hint = code, expected, found, hint
        super().__init__(f"expected {expected}, found {found}; {hint}")

    def details(self) -> dict[str, str | int]:
        """Return the code, and what was expected, what was found and what to do."""
        return {"code": self.code.value, "expected": self.expected, "found": self.found, "hint": self.hint}


class StaleVersionError(MapgridError):
    """A plan that somebody else changed since the asker looked at it.

    Attributes
    ----------
    yours, now
        The version that was looked at, and the version there is.
    """

    def __init__(self, yours: int, now: int) -> None:
        self.yours, self.now = yours, now
        super().__init__(f"expected version {now} of the plan, found {yours}; load it again and look at the changes")

    def details(self) -> dict[str, str | int]:
        """Return both versions."""
        return {"code": Refusal.STALE_VERSION.value, "yours": self.yours, "now": self.now}


class ConflictError(MapgridError):
    """What is asked for does not fit what is stored now."""


class PlanStateError(ConflictError):
    """A plan does not stand where what is asked for would be possible."""


class NotFoundError(MapgridError):
    """No such area, plan, household or case, or none in the asker's scope."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input, and the place where it stands; or one thing that was put right.

    Attributes
    ----------
    expected, found
        What was asked for and what stood there, as a reader would say it.
    file, layer, row, column
        The place. `row` counts as the file's own program shows it: the header of a table is row 1, the first
        feature of a layer is row 1. None where the fault has no such place.
    hint
        What to do about it, when there is something to say.
    code
        The kind of fault, for programs; None where the column says enough.
    fix
        What was done about it: the row was changed and taken. None where it was refused.
    """

    expected: str
    found: str
    file: str | None = None
    layer: str | None = None
    row: int | None = None
    column: str | None = None
    hint: str | None = None
    code: str | None = None
    fix: str | None = None

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
        done = f"; fixed: {self.fix}" if self.fix else ""
        return (f"{where}: " if where else "") + what + done + (f"; {self.hint}" if self.hint else "")

    def as_record(self) -> dict[str, str | int | None]:
        """Return the fault as a plain record for a report; `code` and `fix` only where there is one."""
        record = asdict(self)
        return {name: value for name, value in record.items() if value is not None or name not in {"code", "fix"}}


def shorten(text: str) -> str:
    """Return a text of an input as a fault quotes it: on one line, of at most 60 characters, with nothing unseen.

    Marks that turn the direction of writing, and control characters, are spelled out: they would garble the fault.
    """
    line = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in " ".join(text.split()))
    return line if len(line) <= _LONGEST_QUOTE else f"{line[: _LONGEST_QUOTE - 1]}…"


class InputRefusedError(MapgridError):
    """An input with faults, of which nothing was kept."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

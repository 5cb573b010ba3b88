"""What became of an input: four words, the same in the command line, in the API and on pages."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mapgrid.errors import Fault


class Verdict(StrEnum):
    """What became of an input."""

    ACCEPTED = "accepted"
    """Every row is sound and was taken as it stands."""
    FIXED = "fixed"
    """Every row was taken; some were changed, and each change is a fault that says what was done."""
    ROWS_REFUSED = "rows_refused"
    """Some rows are refused; the others could be taken."""
    REFUSED = "refused"
    """Nothing of it can be taken."""


def rows_refused(faults: Iterable[Fault]) -> int:
    """Return how many rows have a fault that nothing was done about; faults of the whole input count as one row."""
    return len({fault.row for fault in faults if fault.fix is None})


def verdict_of(rows_in: int, faults: Iterable[Fault]) -> Verdict:
    """Return the verdict on an input of `rows_in` rows with these faults."""
    found = tuple(faults)
    missed = rows_refused(found)
    if missed:
        whole = missed >= rows_in or any(fault.row is None for fault in found if fault.fix is None)
        return Verdict.REFUSED if whole else Verdict.ROWS_REFUSED
    return Verdict.FIXED if found else Verdict.ACCEPTED

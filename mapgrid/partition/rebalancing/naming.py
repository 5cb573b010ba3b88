"""Names of grids that come after the first numbering: the next serials, never one that was used before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mapgrid.errors import EditRefusedError, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection

SERIAL_DIGITS = 3
_LAST = 10**SERIAL_DIGITS - 1


def next_names(used: Collection[str], count: int) -> tuple[str, ...]:
    """Return names for `count` new grids: the serials after the last one used, with the prefix that names have.

    Parameters
    ----------
    used
        Names there are and names there were: three digits, or a village's code and three digits.
    count
        How many names are needed.

    Raises
    ------
    EditRefusedError
        `NO_NUMBER_LEFT` when the last serial would be over 999.
    """
    last = max((int(name[-SERIAL_DIGITS:]) for name in used), default=0)
    prefix = max((name[:-SERIAL_DIGITS] for name in used), default="")
    if last + count > _LAST:
        raise EditRefusedError(
            Refusal.NO_NUMBER_LEFT,
            f"serials up to {_LAST} for the grids of a village",
            f"{last} used and {count} more needed",
            "number the village anew in a new plan",
        )
    return tuple(f"{prefix}{last + number:0{SERIAL_DIGITS}d}" for number in range(1, count + 1))

"""Small figures that could point at somebody, left out of tables for those who may not see the households."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

FEWEST_SHOWN = 5
"""Households a cell of a table must have to be shown; none at all is shown as 0."""

Row = TypeVar("Row", bound="Hashable")
Column = TypeVar("Column", bound="Hashable")


def suppress_small(table: Mapping[Row, Mapping[Column, int]]) -> dict[Row, dict[Column, int | None]]:
    """Return a table of counts with None for each of 1 to 4, and for as many more as keep these from being computed.

    Sums of rows and of columns are known to the reader. Where a row or a column would miss a single cell, its smallest
    other cell goes too, one that is not 0 first; again until none misses a single one.

    Notes
    -----
    The rule of primary and complementary suppression of statistical offices (Hundepool et al., Statistical Disclosure
    Control, 2012, ch. 4), with the smallest cell as the complement.
    """
    shown: dict[Row, dict[Column, int | None]] = {
        row: {column: None if 0 < count < FEWEST_SHOWN else count for column, count in counts.items()}
        for row, counts in table.items()
    }
    columns = list(next(iter(shown.values()), {}))
    lines = [[(row, column) for column in columns] for row in shown]
    if len(shown) > 1:
        lines += [[(row, column) for row in shown] for column in columns]
    while sum(_hide_a_second(shown, line) for line in lines):
        pass
    return shown


def _hide_a_second(shown: dict[Row, dict[Column, int | None]], line: list[tuple[Row, Column]]) -> bool:
    known = [
        (count == 0, count, place)
        for place, (row, column) in enumerate(line)
        if (count := shown[row][column]) is not None
    ]
    if len(known) != len(line) - 1 or not known:
        return False
    row, column = line[min(known)[2]]
    shown[row][column] = None
    return True

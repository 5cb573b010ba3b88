"""How files are to be read: the options that imports and divisions share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mapgrid.errors import Fault, InputRefusedError

if TYPE_CHECKING:
    from collections.abc import Collection

COLUMN = click.option(
    "--column", multiple=True, metavar="ROLE=NAME", help="A column by its role: lon=经度. Repeatable."
)
CRS = click.option("--crs", metavar="DATUM", help="What coordinates are in: an EPSG code, gcj02 or bd09.")


def columns_of(pairs: tuple[str, ...], roles: Collection[str], shown: Collection[str]) -> dict[str, str]:
    """Return the column that plays each role, or raise `InputRefusedError`.

    Parameters
    ----------
    pairs
        `ROLE=NAME` each, as `--column` has them.
    roles
        The roles there are.
    shown
        Those that a refusal names: a role may go by several names.
    """
    columns = {}
    for pair in pairs:
        role, equals, name = pair.partition("=")
        if not equals or role not in roles:
            expected = f"for --column ROLE=NAME with a role out of {', '.join(sorted(shown))}"
            raise InputRefusedError([Fault(expected, repr(pair))])
        columns[role] = name
    return columns

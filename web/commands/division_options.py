"""The options of a division, the same for one village and for a whole district."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from geodata.files.bounds import MOST_FAULTS_SHOWN
from geodata.files.tables import PLACE_ROLES
from mapgrid.errors import LimitsError
from mapgrid.partition.search.presets import choose_effort, choose_wishes
from mapgrid.village import Limits
from web.actions.divide_files import Wanted
from web.actions.division_inputs import Sources
from web.commands.reading_options import COLUMN, CRS, columns_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mapgrid.errors import InputRefusedError

_OPTIONS = (
    click.option("--barriers", metavar="FILE", help="Lines or areas no grid reaches across; a gap is a bridge."),
    click.option("--prefer", metavar="FILE", help="Roads, paths or water that borders follow where that costs little."),
    click.option("--units", metavar="FILE", help="Land of villager groups or buildings, which stay whole: polygons."),
    click.option("--unit-column", metavar="NAME", help="Name of each household's unit, instead of --units."),
    CRS,
    COLUMN,
    click.option("--weight-column", metavar="NAME", help="Households per point; 1 without it."),
    click.option("--workload-column", metavar="NAME", help="Work that a household makes; --preset workload shares it."),
    click.option("--min", "least", default="50", show_default=True, metavar="N", help="Fewest households of a grid."),
    click.option("--max", "most", default="100", show_default=True, metavar="N", help="Most households of a grid."),
    click.option("--target", metavar="N", help="Wished-for households of a grid. [default: 75]"),
    click.option("--group-size", default="10", show_default=True, metavar="N", help="Households of a group, 8 to 15."),
    click.option("--max-way", metavar="METRES", help="Longest way from a household to the centre of its grid."),
    click.option("--roads", metavar="FILE", help="Lines to go along: ways are measured on them, not straight."),
    click.option("--preset", default="balanced", show_default=True, help="balanced, shortest, compact or workload."),
    click.option("--seed", default="0", show_default=True, metavar="N", help="Another number, another plan."),
    click.option("--effort", default="standard", show_default=True, help="quick, standard or thorough."),
)


def division_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a division; it gets all but `column` in one dictionary of texts."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def wanted_of(asked: dict[str, str | None]) -> Wanted:
    """Return what the options ask for, or raise `LimitsError` naming the first that cannot be."""
    if asked["units"] is not None and asked["unit_column"] is not None:
        msg = "--units, --unit-column: expected one of the two, found both"
        raise LimitsError(msg)
    least, most = whole("--min", asked["least"]), whole("--max", asked["most"])
    if asked["target"] is None:
        # 75 unless the limits leave it out; then the middle of what they leave.
        target = 75 if least <= 75 <= most else (least + most) // 2
    else:
        target = whole("--target", asked["target"])
    limits = Limits(min=least, max=most, target=target, group_size=whole("--group-size", asked["group_size"]))
    preset, effort = asked["preset"] or "", asked["effort"] or ""
    choose_wishes(preset)
    choose_effort(effort)
    return Wanted(limits, preset, whole("--seed", asked["seed"]), effort, _metres("--max-way", asked["max_way"]))


def sources_of(households: str, village: str, column: tuple[str, ...], asked: dict[str, str | None]) -> Sources:
    """Return the files and columns that the options name, or raise `InputRefusedError` for a column of no role."""
    given = columns_of(column, PLACE_ROLES, ("lon", "lat"))
    columns = {role: name for role, name in given.items() if name}
    named = {name: asked.get(name) for name in Sources.__dataclass_fields__}
    return Sources(**(named | {"households": households, "village": village, "column": columns}))  # type: ignore[arg-type]


def whole(option: str, text: str | None) -> int:
    """Return the whole number given to an option, or raise `LimitsError`."""
    try:
        return int(text or "")
    except ValueError as error:
        msg = f"{option}: expected a whole number, found {text!r}"
        raise LimitsError(msg) from error


def _metres(option: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        metres = float(text)
    except ValueError:
        metres = math.nan
    if not (math.isfinite(metres) and metres > 0):
        msg = f"{option}: expected a number of metres above 0, found {text!r}"
        raise LimitsError(msg)
    return metres


def say_faults(refused: InputRefusedError) -> None:
    """Say the faults of an input, one a line, as many as one cares to read."""
    for fault in refused.faults[:MOST_FAULTS_SHOWN]:
        click.echo(str(fault), err=True)
    more = len(refused.faults) - MOST_FAULTS_SHOWN
    if more > 0:
        click.echo(f"and {more} more of the same file", err=True)

"""`mapgrid partition`: divide a village given in files into grids and ten-household groups."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from geodata.files.bounds import MOST_FAULTS_SHOWN
from mapgrid.errors import InputRefusedError, LimitsError, MapgridError
from mapgrid.partition import warm
from mapgrid.partition.presets import choose_effort, choose_wishes
from mapgrid.village import Limits
from web.actions.divide_files import Inputs, Sources, Wanted, divide_inputs, read_inputs, report_of, save_division
from web.actions.keep_plan import about_kept, check_keep, divide_kept, read_kept
from web.interrupts import is_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mapgrid.partition import Plan

_REFUSED = 2
_WITH_REASONS = 3
_INTERRUPTED = 130


@click.command()
@click.argument("households")
@click.option("--village", required=True, metavar="FILE", help="The boundary: one polygon.")
@click.option("--barriers", metavar="FILE", help="Lines or areas no grid reaches across; a gap is a bridge.")
@click.option("--prefer", metavar="FILE", help="Roads, paths or water that borders follow where that costs little.")
@click.option("--units", metavar="FILE", help="Land of villager groups or buildings, which stay whole: polygons.")
@click.option("--unit-column", metavar="NAME", help="Name of each household's unit, instead of --units.")
@click.option("--weight-column", metavar="NAME", help="Households per point; 1 without it.")
@click.option("--min", "least", default="50", show_default=True, metavar="N", help="Fewest households of a grid.")
@click.option("--max", "most", default="100", show_default=True, metavar="N", help="Most households of a grid.")
@click.option("--target", metavar="N", help="Wished-for households of a grid. [default: 75]")
@click.option("--group-size", default="10", show_default=True, metavar="N", help="Households of a group, 8 to 15.")
@click.option("--preset", default="balanced", show_default=True, help="balanced, shortest, compact or workload.")
@click.option("--seed", default="0", show_default=True, metavar="N", help="Another number, another plan.")
@click.option("--effort", default="standard", show_default=True, help="quick, standard or thorough.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The plan: a GeoPackage.")
@click.option("--report", type=click.Path(path_type=Path), help="The scorecard with reasons, as JSON.")
@click.option("--map", "page", type=click.Path(path_type=Path), help="The plan as one HTML page.")
@click.option("--quiet", is_flag=True, help="Say nothing but faults.")
@click.option("--base", metavar="PLAN", help="A former plan, of which as much is kept as can be.")
@click.option("--keep", metavar="HOW", help="What to keep of --base: least-moves, the fewest households moved.")
@click.option("--locked", metavar="PLAN", help="A plan whose grids all stay exactly as they are.")
def partition(
    households: str,
    village: str,
    barriers: str | None,
    weight_column: str | None,
    out: Path,
    report: Path | None,
    page: Path | None,
    quiet: bool,
    **asked: str | None,
) -> None:
    """Divide the HOUSEHOLDS of a village into connected grids within the limits, and into ten-household groups.

    Files are GeoPackage, GeoJSON, shapefile, KML, CSV or XLSX; FILE:LAYER names a layer. Households are points, or
    polygons whose inner point is taken. Ends with 0 when all grids are within the limits, 3 when reasons say why some
    are not, 2 when the input is refused (nothing is written then), 130 when interrupted.
    """
    named = (asked["units"], asked["unit_column"], asked["base"], asked["locked"])
    sources = Sources(households, village, barriers, weight_column, *named, prefer=asked["prefer"])
    try:
        wanted = wanted_of(asked)
        check_keep(asked["base"], asked["keep"])
        check_targets(out, report, page)
        with _progress(quiet=quiet) as tell:
            tell(0.0, "reading the files")
            inputs = read_inputs(sources)
            tell(0.03, "warming up")
            warm(
                units=bool(sources.units or sources.unit_column)
            )  # so that the seconds of the plan are those of dividing
            kept = read_kept(inputs, sources)
            plans = (divide_inputs(inputs, wanted, tell),) if kept is None else divide_kept(inputs, wanted, kept)
            plan = plans[0]
            tell(0.95, "writing the plan")
            more = None if kept is None else about_kept(plans)
            others = {} if report is None else {report: report_of(plan, sources, more)}
            if page is not None:
                others[page] = _page(plan, inputs, households)
            save_division(plan, inputs, out, others, () if kept is None else kept.pairs())
            tell(1.0, "done")
    except InputRefusedError as refused:
        _say_faults(refused)
        raise SystemExit(_REFUSED) from refused
    except MapgridError as refused:
        click.echo(str(refused), err=True)
        raise SystemExit(_REFUSED) from refused
    except (KeyboardInterrupt, SystemError) as stopped:
        if not is_interrupt(stopped):
            raise
        click.echo("interrupted; nothing was written", err=True)
        raise SystemExit(_INTERRUPTED) from stopped
    if not quiet:
        _say(plan, inputs, out)
    raise SystemExit(_WITH_REASONS if plan.reasons else 0)


def wanted_of(asked: dict[str, str | None]) -> Wanted:
    """Return what the options ask for, or raise `LimitsError` naming the first that cannot be."""
    if asked.get("units") is not None and asked.get("unit_column") is not None:
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
    return Wanted(limits, preset, whole("--seed", asked["seed"]), effort)


def whole(option: str, text: str | None) -> int:
    """Return the whole number given to an option, or raise `LimitsError`."""
    try:
        return int(text or "")
    except ValueError as error:
        msg = f"{option}: expected a whole number, found {text!r}"
        raise LimitsError(msg) from error


def _page(plan: Plan, inputs: Inputs, households: str) -> str:
    # The page brings folium with it, which nobody should wait for who does not ask for a page.
    from web.plan_file import plan_page  # noqa: PLC0415

    return plan_page(Path(households).stem, plan, inputs.village)


def check_targets(*targets: Path | None) -> None:
    """Raise `LimitsError` unless each file can be written in a directory that exists."""
    for target in targets:
        if target is not None and (target.is_dir() or not target.resolve().parent.is_dir()):
            found = "a directory" if target.is_dir() else f"no directory {target.parent}"
            msg = f"{target}: expected a file to write in an existing directory, found {found}"
            raise LimitsError(msg)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[float, str], None]]:
    """Give a function that shows how far the work is, on a terminal; one that shows nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield lambda share, text: None  # noqa: ARG005
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda share, text: bar.update(task, completed=share, description=text)


def _say_faults(refused: InputRefusedError) -> None:
    for fault in refused.faults[:MOST_FAULTS_SHOWN]:
        click.echo(str(fault), err=True)
    more = len(refused.faults) - MOST_FAULTS_SHOWN
    if more > 0:
        click.echo(f"and {more} more of the same file", err=True)


def _say(plan: Plan, inputs: Inputs, out: Path) -> None:
    for note in inputs.notes:
        click.echo(f"note: {note}", err=True)
    for unit in plan.units:
        if not unit.is_split:
            click.echo(f"note: unit {unit.name}: {unit.why}", err=True)
    for piece in plan.pieces:
        click.echo(f"grid {piece.grid}, piece {piece.part}: {piece.why}", err=True)
    for reason in plan.reasons:
        where = f"grid {reason.grid}: " if reason.grid else ""
        click.echo(f"{where}{reason.code}: {reason.detail}", err=True)
    weight = plan.grids["weight"]
    groups = plan.cells["group"].nunique()
    click.echo(
        f"{weight.sum()} households in {len(plan.grids)} grids of {weight.min()}–{weight.max()}, "
        f"{groups} ten-household groups, {plan.seconds:.2f} s: {out}"
    )

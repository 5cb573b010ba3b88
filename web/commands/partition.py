"""`mapgrid partition`: divide a village given in files into grids and ten-household groups."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from mapgrid.errors import InputRefusedError, MapgridError
from web.actions.divide_files import divide_inputs, report_of, save_division
from web.actions.division_inputs import read_inputs
from web.actions.keep_plan import about_kept, check_keep, divide_kept, read_kept
from web.commands.division_options import division_options, say_faults, sources_of, wanted_of
from web.commands.targets import check_plan_name, check_targets
from web.commands.warming import get_ready
from web.commands.wording import counted, spanned
from web.interrupts import INTERRUPTED, is_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mapgrid.partition import Plan
    from web.actions.division_inputs import Inputs

_REFUSED = 2
_WITH_REASONS = 3
_NOTHING_WRITTEN = "interrupted; nothing was written"


@click.command()
@click.argument("households")
@click.option("--village", required=True, metavar="FILE", help="The boundary: one polygon.")
@division_options
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
    out: Path,
    report: Path | None,
    page: Path | None,
    quiet: bool,
    column: tuple[str, ...],
    **asked: str | None,
) -> None:
    """Divide the HOUSEHOLDS of a village into connected grids within the limits, and into ten-household groups.

    Files are GeoPackage, GeoJSON, shapefile, KML, CSV or XLSX; FILE:LAYER names a layer. Households are points, or
    polygons whose inner point is taken. Ends with 0 when all grids are within the limits, 3 when reasons say why some
    are not, 2 when the input is refused (nothing is written then), 130 when interrupted.
    """
    try:
        sources = sources_of(households, village, column, asked)
        wanted = wanted_of(asked)
        check_keep(asked)
        check_plan_name(out)
        check_targets({"--out": out, "--report": report, "--map": page}, sources)
        if page is not None:
            _check_library()
        with _progress(quiet=quiet) as tell:
            tell(0.0, "reading the files")
            inputs = read_inputs(sources)
            kept = read_kept(inputs, sources)
            tell(0.03, "warming up")
            get_ready(sources, wanted, quiet=quiet, interrupted=_NOTHING_WRITTEN)
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
        say_faults(refused)
        raise SystemExit(_REFUSED) from refused
    except MapgridError as refused:
        click.echo(str(refused), err=True)
        raise SystemExit(_REFUSED) from refused
    except (KeyboardInterrupt, SystemError) as stopped:
        if not is_interrupt(stopped):
            raise
        click.echo(_NOTHING_WRITTEN, err=True)
        raise SystemExit(INTERRUPTED) from stopped
    if not quiet:
        _say(plan, inputs, out)
    raise SystemExit(_WITH_REASONS if plan.reasons else 0)


def _check_library() -> None:
    from web.plan_file import check_library  # noqa: PLC0415  as for `_page`

    check_library()


def _page(plan: Plan, inputs: Inputs, households: str) -> str:
    # The page brings folium with it, which nobody should wait for who does not ask for a page.
    from web.plan_file import plan_page, title_of  # noqa: PLC0415

    return plan_page(title_of(inputs.boundary, households), plan, inputs.village, inputs.layers)


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


def _say(plan: Plan, inputs: Inputs, out: Path) -> None:
    for note in inputs.notes:
        click.echo(f"note: {note}", err=True)
    for unit in plan.units:
        if not unit.is_split:
            click.echo(f"note: unit {unit.name}: {unit.why}", err=True)
    for piece in plan.pieces:
        click.echo(f"grid {piece.grid}, piece {piece.part}: {piece.why}", err=True)
    for far in plan.too_far():
        click.echo(
            f"note: grid {far['grid']}: {counted(far['households'], 'household')} "
            f"{'is' if far['households'] == 1 else 'are'} farther than {plan.max_way_m:g} m from its centre, the "
            f"farthest {far['farthest_m']} m",
            err=True,
        )
    for reason in plan.reasons:
        where = f"grid {reason.grid}: " if reason.grid else ""
        click.echo(f"{where}{reason.code}: {reason.detail}", err=True)
    if plan.moves is not None:
        moves = plan.moves
        click.echo(
            f"of the former plan {moves.moved_households} households moved to another grid; "
            f"{moves.new_households} are new, {moves.gone_households} gone"
        )
    weight = plan.grids["weight"]
    groups = plan.cells["group"].nunique()
    click.echo(
        f"{counted(weight.sum(), 'household')} in {counted(len(plan.grids), 'grid')} of "
        f"{spanned(weight.min(), weight.max())}, {counted(groups, 'ten-household group')}, {plan.seconds:.2f} s: {out}"
    )

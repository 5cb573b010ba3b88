"""`mapgrid partition-all`: divide every village of a district, on several processors or machines."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mapgrid.errors import InputRefusedError, LimitsError, MapgridError
from web.actions.divide_district import claimed, empty_line, read_district, save_summary, totals
from web.actions.divide_parcel import Line, Order, Outcome, kept_line
from web.commands.division_options import division_options, say_faults, sources_of, wanted_of, whole
from web.commands.targets import check_no_input, check_targets, is_same_file
from web.commands.warming import get_ready
from web.commands.wording import counted
from web.interrupts import INTERRUPTED, is_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from web.actions.divide_district import District

_REFUSED = 2
_WITH_REASONS = 3
_SOME_FAILED = 4
_DONE_ARE_KEPT = "interrupted; the villages that were done are kept, call again to go on"
_MOST_ROWS_SHOWN = 20


@click.command("partition-all")
@click.argument("villages")
@click.option("--households", required=True, metavar="FILE", help="The households of all villages.")
@click.option("--village-column", required=True, metavar="NAME", help="The column with the code or name of a village.")
@division_options
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The directory of the plans.")
@click.option("--report", type=click.Path(path_type=Path), help="All figures and faults, as JSON.")
@click.option("--workers", metavar="N", help="Processes of this machine. [default: its processors]")
@click.option("--scheduler", metavar="ADDRESS", help="A dask scheduler instead, as tcp://host:8786.")
@click.option("--fresh", is_flag=True, help="Divide again what was divided before.")
@click.option("--quiet", is_flag=True, help="Say nothing but faults.")
def partition_all(
    villages: str,
    *,
    households: str,
    village_column: str,
    out: Path,
    report: Path | None,
    workers: str | None,
    scheduler: str | None,
    fresh: bool,
    quiet: bool,
    column: tuple[str, ...],
    **asked: str | None,
) -> None:
    """Divide every village of VILLAGES, polygons with a code or name in --village-column, each as `partition` does.

    A household belongs to the village that its own column of that name says, else to the one it stands in. Each plan
    is written as soon as it is there, as CODE.gpkg with its report CODE.json; summary.csv has one line per village. A
    run that was broken off goes on where it stopped: a village whose plan is there, made from the same rows and
    options, is left alone.

    Ends with 0 when all grids are within the limits, 3 when reasons say why some are not (or a household belongs to no
    village), 4 when some villages failed, 2 when the input is refused as a whole, 130 when interrupted.
    """
    try:
        sources = sources_of(households, villages, column, asked)
        order = Order(wanted_of(asked), sources, str(out.resolve()))
        hands = _hands(workers, scheduler)
        check_targets({"--report": report}, sources)
        check_no_input("--out", [order.summary], sources)
        district = read_district(sources, village_column)
        _check_plans(district, order, report)
        with claimed(out):
            lines = _run(district, order, hands, fresh=fresh, quiet=quiet)
            _finish(lines, district, order, report, quiet=quiet)
    except InputRefusedError as refused:
        say_faults(refused)
        raise SystemExit(_REFUSED) from refused
    except MapgridError as refused:
        click.echo(str(refused), err=True)
        raise SystemExit(_REFUSED) from refused
    except (KeyboardInterrupt, SystemError) as stopped:
        if not is_interrupt(stopped):
            raise
        click.echo(_DONE_ARE_KEPT, err=True)
        raise SystemExit(INTERRUPTED) from stopped
    raise SystemExit(_exit_code(lines, district))


def _hands(workers: str | None, scheduler: str | None) -> int | str | None:
    """Return the number of processes, the address of a scheduler, or None for as many as there are processors."""
    if scheduler is not None and workers is not None:
        msg = "--workers and --scheduler: expected one of them, found both"
        raise LimitsError(msg)
    if scheduler is not None:
        return scheduler
    if workers is None:
        return None
    number = whole("--workers", workers)
    if number < 1:
        msg = f"--workers: expected at least 1, found {number}"
        raise LimitsError(msg)
    return number


def _check_plans(district: District, order: Order, report: Path | None) -> None:
    """Raise `LimitsError` where a plan, a report or the summary in the directory would take the place of a file."""
    written = [order.summary]
    for parcel in district.parcels:
        written += [order.plan_of(parcel), order.report_of(parcel)]
    check_no_input("--out", written, order.sources)
    taken = next((file for file in written if report is not None and is_same_file(report, file)), None)
    if taken is not None:
        msg = f"--report: expected a file of its own, found {taken}, which --out writes; name another file"
        raise LimitsError(msg)


def _run(district: District, order: Order, hands: int | str | None, *, fresh: bool, quiet: bool) -> list[Line]:
    """Return the lines of all villages, those that are done already first; tell of each."""
    lines: dict[str, Line] = {}
    for parcel in district.parcels:
        line = empty_line(parcel) or (None if fresh else kept_line(parcel, order))
        if line is not None:
            lines[parcel.key] = line
    waiting = [parcel for parcel in district.parcels if parcel.key not in lines]
    # The largest first: a worker that gets one last would keep all others waiting.
    waiting.sort(key=lambda parcel: -len(parcel.households.shapes))
    with _progress(len(district.parcels), len(lines), quiet=quiet) as tell:
        if waiting:
            # dask takes seconds to import, which nobody should wait for whose district is done.
            from web.actions.district_crew import (  # noqa: PLC0415
                distant_crew,
                divide_all,
                local_crew,
                usable_processors,
            )

            # Here first: several workers at once would each compile.
            get_ready(order.sources, order.wanted, quiet=quiet, interrupted=_DONE_ARE_KEPT)
            number = min(len(waiting), hands if isinstance(hands, int) else usable_processors())
            with distant_crew(hands) if isinstance(hands, str) else local_crew(number) as client:
                for line in divide_all(client, waiting, order):
                    lines[line.village] = line
                    tell(line)
    return [lines[parcel.key] for parcel in district.parcels]


@contextmanager
def _progress(villages: int, before: int, *, quiet: bool) -> Iterator[Callable[[Line], None]]:
    """Give a function that is told of each village done: a bar on a terminal, a line elsewhere, nothing if quiet."""
    if quiet:
        yield lambda line: None  # noqa: ARG005
    elif not sys.stderr.isatty():
        yield lambda line: click.echo(_sentence(line), err=True)
    else:
        columns = (
            TextColumn("villages"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=villages, completed=before, rate="starting")

            def tell(line: Line) -> None:
                if line.outcome in {Outcome.REFUSED, Outcome.FAILED}:
                    bar.console.print(_sentence(line), markup=False, highlight=False)
                speed = bar.tasks[0].speed
                bar.update(task, advance=1, rate=f"{speed:.1f} villages/s" if speed else "")

            yield tell


def _sentence(line: Line) -> str:
    if line.grids is None:
        return f"{line.village}: {line.outcome}: {line.fault}" if line.fault else f"{line.village}: {line.outcome}"
    households, grids = counted(line.households, "household"), counted(line.grids, "grid")
    because = f" ({line.reasons})" if line.reasons else ""
    return f"{line.village}: {households} in {grids}, {line.seconds:.2f} s{because}"


def _finish(lines: list[Line], district: District, order: Order, report: Path | None, *, quiet: bool) -> None:
    """Write the summary and say it."""
    summary = save_summary(lines, district, order, report)
    for row, why in district.unplaced[:_MOST_ROWS_SHOWN]:
        click.echo(f"household in row {row}: {why}", err=True)
    if len(district.unplaced) > _MOST_ROWS_SHOWN:
        more = counted(len(district.unplaced) - _MOST_ROWS_SHOWN, "more household")
        click.echo(f"and {more} of no village", err=True)
    if quiet:
        for line in lines:
            if line.outcome in {Outcome.REFUSED, Outcome.FAILED}:
                click.echo(_sentence(line), err=True)
        return
    for note in district.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(_table(lines))
    figures = totals(lines)
    outcomes = ", ".join(f"{figures[outcome]} {outcome}" for outcome in Outcome if figures[outcome])
    kept = f", {figures['kept']} of them from before" if figures["kept"] else ""
    click.echo(
        f"{counted(figures['villages'], 'village')} ({outcomes}{kept}): "
        f"{counted(figures['households'], 'household')} in {counted(figures['grids'], 'grid')}, "
        f"{figures['work_seconds']:.1f} s of work: {summary}"
    )


def _table(lines: list[Line]) -> str:
    head = ("village", "households", "grids", "in range", "PP", "distance", "seconds", "outcome")
    rows = [head, *(_cells(line) for line in lines)]
    widths = [max(_width(row[at]) for row in rows) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) if at in {0, 7} else " " * (width - _width(cell)) + cell
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cells(line: Line) -> tuple[str, ...]:
    said = line.reasons or line.fault
    outcome = f"{line.outcome}: {said}" if said else str(line.outcome)
    if line.grids is None:
        return (line.village, str(line.households), "", "", "", "", "", outcome)
    ratio = "" if line.distance_ratio is None else f"{line.distance_ratio:.3f}"
    figures = (f"{line.in_range_pct:.0f} %", f"{line.polsby_popper:.3f}", ratio, f"{line.seconds:.2f}")
    return (line.village, str(line.households), str(line.grids), *figures, outcome)


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for each Chinese character."""
    return sum(2 if ord(letter) >= 0x1100 else 1 for letter in text)


def _exit_code(lines: list[Line], district: District) -> int:
    outcomes = {line.outcome for line in lines}
    if outcomes & {Outcome.REFUSED, Outcome.FAILED}:
        return _SOME_FAILED
    return _WITH_REASONS if outcomes - {Outcome.DIVIDED} or district.unplaced else 0

"""What no edit may break: locks, connectedness, barriers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapgrid.errors import EditRefusedError, Refusal
from mapgrid.partition.cells.land import WAYS, Touch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from mapgrid.partition.plan import Plan
    from mapgrid.partition.search.graph import Graph

_OPEN = (Touch.OPEN, Touch.LINK)
_WALLED = (Touch.OPENING, Touch.WALL)
_ALL = tuple(Touch)


def check_known(plan: Plan, grids: Iterable[str]) -> None:
    """Raise `GRID_UNKNOWN` unless all these grids are in the plan."""
    for grid in grids:
        if grid not in plan.division.names:
            ended = "a grid that is no more" if grid in plan.ended else repr(grid)
            hint = "load the plan again: somebody may have changed it"
            raise EditRefusedError(Refusal.GRID_UNKNOWN, "the name of a grid of the plan", ended, hint)


def check_unlocked(plan: Plan, grids: Iterable[str]) -> None:
    """Raise `GRID_LOCKED` if one of these grids is locked."""
    for grid in sorted(plan.locked.intersection(grids)):
        hint = "unlock it first, or leave it out"
        raise EditRefusedError(Refusal.GRID_LOCKED, "grids that may be changed", f"grid {grid} locked", hint)


def check_connected(
    was: tuple[Graph, NDArray[np.int64]],
    now: tuple[Graph, NDArray[np.int64]],
    names: Sequence[str],
    touched: NDArray[np.int64],
) -> None:
    """Raise unless every touched grid is in no more pieces, and on no more sides of barriers, than what it came from.

    Parameters
    ----------
    was, now
        All cells and the grid label of each, before and after the edit.
    names
        Of the labels after.
    touched
        Labels to check.
    """
    before, after = was[1], now[1]
    for ways in (WAYS, _OPEN):
        allowed, pieces = was[0].components(before, ways), now[0].components(after, ways)
        for label in touched:
            mine = after == label
            most = max((len(np.unique(allowed[before == one])) for one in np.unique(before[mine])), default=1)
            if len(np.unique(pieces[mine])) > most:
                _refuse(now, names[label], mine, pieces)
    _check_barriers(was, now, names, touched)


def _check_barriers(
    was: tuple[Graph, NDArray[np.int64]],
    now: tuple[Graph, NDArray[np.int64]],
    names: Sequence[str],
    touched: NDArray[np.int64],
) -> None:
    """Raise if touched grids have more neighbours with a barrier between them than before, around its end as well."""
    all_before = np.isin(was[1], np.unique(was[1][np.isin(now[1], touched)]))
    if _walled(*now)[np.isin(now[1], touched)].sum() > _walled(*was)[all_before].sum():
        load = np.bincount(now[1], weights=_walled(*now), minlength=len(names))
        grid = names[int(touched[load[touched].argmax()])]
        found = "neighbours in it with a barrier between them"
        hint = "keep to one side, also where the barrier ends"
        raise EditRefusedError(Refusal.BARRIER_BETWEEN, f"grid {grid} on one side of a barrier", found, hint)


def _walled(graph: Graph, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each cell how many neighbours of its grid have a barrier between."""
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    inside = np.isin(graph.touch, _WALLED) & (label[one] == label[graph.neighbour])
    return np.bincount(one[inside], minlength=len(label)).astype(np.int64)


def _refuse(
    now: tuple[Graph, NDArray[np.int64]], name: str, mine: NDArray[np.bool_], pieces: NDArray[np.int64]
) -> None:
    graph, after = now
    load = np.bincount(pieces[mine], weights=graph.weight[mine])
    apart = int(np.sort(load[load > 0])[-2])
    beside = len(np.unique(graph.components(after, _ALL)[mine])) == 1
    code = Refusal.BARRIER_BETWEEN if beside else Refusal.NOT_CONNECTED
    what = "beyond a barrier" if beside else "apart from the others"
    households = "1 household" if apart == 1 else f"{apart} households"
    hint = "take a grid on the same side" if beside else "take the households between as well, or fewer"
    raise EditRefusedError(code, f"grid {name} in one piece", f"{households} {what}", hint)

"""Labels of a re-balance annealed a little: the same fewest moves with a shorter way, or a few more for an aim."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.cells.land import Touch
from mapgrid.partition.search.presets import choose_wishes
from mapgrid.partition.search.solve import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mapgrid.partition.rebalancing.mover import Ground

STAY = 0.1
"""Price of a household moved that no shorter way and no outline is worth (one mean way is worth about 0.013)."""

GO = 0.015
"""Price of a household moved that a way shorter by about the mean is worth."""

_HEAT, _EPOCHS = 0.003, 16


def polish(ground: Ground, label: NDArray[np.int64], aim: str, per_move: float) -> NDArray[np.int64]:
    """Return labels near the given ones, annealed towards an aim; frozen grids and regions stay apart.

    Parameters
    ----------
    label
        Grids, each in one piece.
    aim
        The preset whose wishes are weighed.
    per_move
        Price of a household that is not in its former grid.
    """
    graph, region = ground.graph, ground.region
    kept, dense = np.unique(label, return_inverse=True)
    dense = dense.reshape(-1).astype(np.int64)
    if len(kept) < 2 or ground.is_frozen.all():
        return label
    one = np.repeat(np.arange(len(label)), np.diff(graph.start))
    shut = (region[one] != region[graph.neighbour]) | ground.is_frozen[one] | ground.is_frozen[graph.neighbour]
    # Inside a grid all ways stay open, or it would fall apart; an opening leads to no other grid.
    shut |= graph.touch == Touch.OPENING
    shut &= label[one] != label[graph.neighbour]
    open_graph = replace(graph, touch=np.where(shut, Touch.APART, graph.touch))
    home = np.searchsorted(kept, ground.home)
    at_home = ground.is_old & (kept[np.minimum(home, len(kept) - 1)] == ground.home)
    base = np.where(at_home, home, -1)
    limits = (ground.limits.min, ground.limits.max)
    run = Run(open_graph, len(kept), limits, choose_wishes(aim), 0, base=base, frozen=ground.is_frozen)
    run.per_move = per_move
    run.scale_m = run.weigh(dense).distance or 1.0
    return kept[run.anneal(dense, _HEAT, _EPOCHS, 0).label]

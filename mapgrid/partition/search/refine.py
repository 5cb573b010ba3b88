"""Annealed border flips on the cell graph.

A flip gives one cell at a border to the grid next door. It is taken only when the grid it leaves stays connected; by
Metropolis' rule it is taken when it lowers the energy (see `tally`), or by chance when it raises it a little
(Kirkpatrick, Gelatt, Vecchi 1983). Only cells at a border between grids are tried, one
after the other, so that what is looked at next lies near by.

That a centre moves with each flip is accounted for to the first order: the change of everyone else's way is the pull of
the grid (the sum of unit vectors from its centre to its households) times the step of the centre.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from mapgrid.partition.search.arrays import (
    AREA,
    BASE,
    CELL,
    CELLS,
    CENTRE_X,
    CENTRE_Y,
    EDGE,
    EFFORT,
    FROZEN,
    LAND,
    LOAD,
    MOMENT_X,
    MOMENT_Y,
    OPENING,
    OUTLINE,
    PULL_X,
    PULL_Y,
    STRETCH,
    TOUCH,
    WALL,
    WEIGHT,
    WORK,
    Model,
    Net,
    Prices,
    X,
    Y,
)
from mapgrid.partition.search.chance import next_word, patience, pick
from mapgrid.partition.search.pieces import stays_connected
from mapgrid.partition.search.tally import beyond, count_up, pull_anew, too_far

Labels = NDArray[np.int64]
Table = NDArray[np.float64]
State = NDArray[np.uint64]

_MUCH = 0.4  # no flip gains more Polsby–Popper, nor a shorter way worth more, than this


@njit(cache=True)
def change_of_shape(i: int, g: int, h: int, outline: tuple[float, float], cells: Table, grids: Table) -> float:
    """Return by how much summed Polsby–Popper falls when cell i goes from g to h and their outlines become these."""
    before = grids[g, AREA] / grids[g, EDGE] ** 2 + grids[h, AREA] / grids[h, EDGE] ** 2
    after = (grids[g, AREA] - cells[i, LAND]) / outline[0] ** 2 + (grids[h, AREA] + cells[i, LAND]) / outline[1] ** 2
    return float(4 * np.pi * (before - after))


@njit(cache=True)
def change_of_way(i: int, g: int, h: int, cells: Table, grids: Table, prices: Prices) -> float:
    """Return by how much the energy of ways rises when cell i goes from g to h."""
    w, stretch = cells[i, WEIGHT], cells[i, STRETCH]
    gx, gy = cells[i, X] - grids[g, CENTRE_X], cells[i, Y] - grids[g, CENTRE_Y]
    hx, hy = cells[i, X] - grids[h, CENTRE_X], cells[i, Y] - grids[h, CENTRE_Y]
    before, after = stretch * np.sqrt(gx * gx + gy * gy), stretch * np.sqrt(hx * hx + hy * hy)
    others = (grids[g, PULL_X] * gx + grids[g, PULL_Y] * gy) / (grids[g, LOAD] - w)
    others -= (grids[h, PULL_X] * hx + grids[h, PULL_Y] * hy) / (grids[h, LOAD] + w)
    change = prices.metre * w * (after - before + others)
    if prices.far > 0:
        change += w * (too_far(after, prices) - too_far(before, prices))
    return float(change)


@njit(cache=True)
def _change_of_loads(
    i: int, g: int, h: int, cells: Table, grids: Table, limits: tuple[float, float], prices: Prices
) -> float:
    """Return by how much the energy of limits, workload and moved households rises when cell i goes from g to h."""
    w, work = cells[i, WEIGHT], cells[i, WORK]
    missed = beyond(grids[g, LOAD] - w, limits) + beyond(grids[h, LOAD] + w, limits)
    missed -= beyond(grids[g, LOAD], limits) + beyond(grids[h, LOAD], limits)
    change = prices.beyond * missed + prices.even * 2 * work * (grids[h, EFFORT] - grids[g, EFFORT] + work)
    if cells[i, BASE] == g:
        change += prices.moved * w
    elif cells[i, BASE] == h:
        change -= prices.moved * w
    return float(change)


@njit(cache=True)
def move_cell(i: int, g: int, h: int, outline: tuple[float, float], cells: Table, grids: Table) -> None:
    """Bring the table of grids up to date as cell i goes from g to h and their outlines become these."""
    w = cells[i, WEIGHT]
    for side in range(2):
        to = h if side else g
        sign = 1.0 if side else -1.0
        grids[to, LOAD] += sign * w
        grids[to, CELLS] += sign
        grids[to, EFFORT] += sign * cells[i, WORK]
        grids[to, AREA] += sign * cells[i, LAND]
        grids[to, EDGE] = outline[side]
        grids[to, MOMENT_X] += sign * w * cells[i, X]
        grids[to, MOMENT_Y] += sign * w * cells[i, Y]
        grids[to, CENTRE_X] = grids[to, MOMENT_X] / grids[to, LOAD]
        grids[to, CENTRE_Y] = grids[to, MOMENT_Y] / grids[to, LOAD]


@njit(cache=True)
def _open_sides(net: Net, cells: Table, label: Labels) -> Labels:
    """Return for each cell to how many neighbours of another grid it has a way; far below zero when it is frozen."""
    start, links, _ = net
    sides = np.zeros(len(label), dtype=np.int64)
    for i in range(len(label)):
        if cells[i, BASE] <= FROZEN:
            sides[i] = -1_000_000
        for e in range(start[i], start[i + 1]):
            sides[i] += links[e, TOUCH] < WALL and label[links[e, CELL]] != label[i]
    return sides


@njit(cache=True)
def _grid_beside(i: int, which: int, start: NDArray[np.int64], links: NDArray[np.int32], label: Labels) -> int:
    """Return the grid behind one of the open sides of cell i."""
    g = label[i]
    for e in range(start[i], start[i + 1]):
        h = label[links[e, CELL]]
        if links[e, TOUCH] < WALL and h != g:
            if which == 0:
                return h  # type: ignore[no-any-return]
            which -= 1
    return g  # type: ignore[no-any-return]


@njit(cache=True)
def shared_border(
    i: int, h: int, start: NDArray[np.int64], links: NDArray[np.int32], border: NDArray[np.float64], label: Labels
) -> tuple[float, float, int]:
    """Return the border of cell i with its grid and with h, and barriers inside h less those inside its grid now."""
    with_g, with_h, pairs = 0.0, 0.0, 0
    for e in range(start[i], start[i + 1]):
        other = label[links[e, CELL]]
        walled = links[e, TOUCH] == WALL or links[e, TOUCH] == OPENING
        if other == label[i]:
            with_g += border[e]
            pairs -= walled
        elif other == h:
            with_h += border[e]
            pairs += walled
    return with_g, with_h, pairs


@njit(cache=True)
def _open_anew(
    i: int, h: int, start: NDArray[np.int64], links: NDArray[np.int32], label: Labels, sides: Labels
) -> None:
    """Bring the open sides up to date before cell i goes to h."""
    for e in range(start[i], start[i + 1]):
        if links[e, TOUCH] < WALL:
            j = links[e, CELL]
            step = np.int64(label[j] == label[i]) - np.int64(label[j] == h)
            sides[i] += step
            sides[j] += step


@njit(cache=True)
def _sweep(
    model: Model, label: Labels, grids: Table, sides: Labels, scratch: Labels, heat: tuple[float, int], state: State
) -> int:
    """Try one flip of each cell at a border, at one temperature; return the last mark used."""
    net, cells, limits, prices = model
    start, links, border = net
    temperature, mark = heat
    for i in range(len(label)):
        if sides[i] <= 0 or grids[label[i], CELLS] == 1:
            continue
        word = next_word(state)
        g, h = label[i], _grid_beside(i, pick(word, sides[i]), start, links, label)
        borne = temperature * patience(word)
        change = _change_of_loads(i, g, h, cells, grids, limits, prices)
        if change > borne + _MUCH * (1 + prices.compact):
            continue
        change += change_of_way(i, g, h, cells, grids, prices)
        if change > borne + _MUCH * prices.compact:
            continue
        with_g, with_h, pairs = shared_border(i, h, start, links, border, label)
        outline = (grids[g, EDGE] - cells[i, OUTLINE] + 2 * with_g, grids[h, EDGE] + cells[i, OUTLINE] - 2 * with_h)
        change += prices.pair * pairs + prices.compact * change_of_shape(i, g, h, outline, cells, grids)
        mark += 2
        if change <= borne and stays_connected(i, start, links, label, scratch, mark):
            move_cell(i, g, h, outline, cells, grids)
            _open_anew(i, h, start, links, label, sides)
            label[i] = h
    return mark


@njit(cache=True)
def _softened(model: Model, softness: float, temperature: float) -> Model:
    """Return the model with limits that give way the more the hotter it is; as it is when the softness is 0."""
    net, cells, limits, prices = model
    if softness == 0:
        return model
    beyond_now = min(prices.beyond, softness / temperature)
    softer = Prices(
        prices.metre,
        prices.compact,
        prices.pair,
        beyond_now,
        prices.even,
        prices.far,
        prices.farthest_m,
        prices.moved,
    )
    return Model(net, cells, limits, softer)


@njit(cache=True, nogil=True)
def anneal(
    model: Model,
    first_label: Labels,
    count: int,
    heats: NDArray[np.float64],
    pace: tuple[int, float],
    state: State,
) -> Labels:
    """Return the labels reached from connected first labels.

    Parameters
    ----------
    first_label
        Connected grids 0 … count − 1, none empty.
    heats
        The temperature of each epoch, in energy.
    pace
        How often each cell at a border is tried in an epoch (the only budget, so that the answer does not depend on the
        clock), and how soft the limits are while it is hot: a household beyond them costs this over the temperature, at
        most what the model says, and always that when it is 0. Grids at their limit can only swap cells by way of a
        grid beyond it.
    """
    label = first_label.copy()
    grids = count_up(model.net, model.cells, label, count)
    sides = _open_sides(model.net, model.cells, label)
    scratch = np.zeros((2, len(label)), dtype=np.int64)
    mark = 0
    for temperature in heats:
        softer = _softened(model, pace[1], temperature)
        for _ in range(pace[0]):
            mark = _sweep(softer, label, grids, sides, scratch, (temperature, mark), state)
        pull_anew(model.cells, label, grids)
    return label

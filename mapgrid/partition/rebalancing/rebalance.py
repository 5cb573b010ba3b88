"""Re-balance: today's households on the borders of a former plan, with the fewest moved to another grid.

Also the division around locked grids, which is the same with nothing to keep but them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mapgrid.partition.entry import divide, sample_village
from mapgrid.partition.numbering import reading_order
from mapgrid.partition.plan import Moves, Plan
from mapgrid.partition.reasons import counts_that_fit
from mapgrid.partition.rebalancing.given import Given, Wish
from mapgrid.partition.rebalancing.lumps import lump, split_by, with_their_unit
from mapgrid.partition.rebalancing.mover import Ground, in_one_piece, settle, variants
from mapgrid.partition.rebalancing.placing import place_whole
from mapgrid.partition.rebalancing.polish import GO, STAY, polish
from mapgrid.partition.rebalancing.site import Site, plan_of, survey
from mapgrid.partition.regions import Search, divide_regions
from mapgrid.partition.scorecard import distance_to_centre
from mapgrid.partition.search.presets import choose_effort, choose_wishes
from mapgrid.village import Limits

if TYPE_CHECKING:
    from collections.abc import Collection

    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from mapgrid.partition.rebalancing.carry import Base


_COUNTS_TRIED = 3
"""How many grids may be split or ended, one after another, for the sake of whole units."""


def rebalance(  # noqa: PLR0913  as `divide`
    base: Base,
    village: GeoDataFrame,
    households: GeoDataFrame,
    *,
    barriers: GeoDataFrame | None = None,
    units: GeoDataFrame | None = None,
    prefer: GeoDataFrame | None = None,
    limits: Limits = Limits(),  # noqa: B008  frozen
    locked: Collection[str] = (),
    preset: str = "balanced",
    seed: int = 0,
) -> tuple[Plan, ...]:
    """Return up to three plans for today's households that keep a former plan as far as they can.

    Parameters
    ----------
    base
        The former plan: a `Plan`, or frames read from a plan file; the CRS of `village`.
    village, households, barriers, units, prefer
        As for `divide`. A unit that the former plan had whole is moved whole, and split only where nothing else brings
        grids within the limits; each split unit is named. A household is known by its point (to the millimetre); a new
        one begins in the grid of its unit, else in the grid whose land it stands in.
    limits
        Households of a grid and of a group; may differ from those of the former plan.
    locked
        Names of grids that keep their households and their polygon. New households on their land join them.
    preset, seed
        As for `divide`; used where a grid has to be divided.

    Returns
    -------
    tuple
        The plan with the fewest households moved first; then, where they differ, the one with the shortest way and the
        one with the most even load. Grids whose households did not change keep polygon and groups to the bit; codes
        stay with the grid that keeps most of its households; a new grid has the next serial.

    Raises
    ------
    NotMetricError
        If a frame is not in metres, or the CRS differ.
    InputRefusedError
        If the boundary or a household is unfit; with every fault.
    EditRefusedError
        `NO_NUMBER_LEFT` when a new grid would need a serial over 999.
    """
    choose_wishes(preset)
    given = Given(village, households, barriers, units, prefer)
    site = survey(base, given, Wish(limits, preset, seed, "standard"), frozenset(locked))
    ground, first = _begin(site)
    unit = None if site.units is None else site.units.of_point
    chosen = choose_labels(ground, first, preset) if unit is None else choose_whole(ground, first, preset, unit)
    fewest = min(ground.moved(label) for label in chosen)
    unavoidable = min(_unavoidable(ground, site.carried.label), fewest)
    new = int(site.points.weight[~site.carried.is_old].sum())
    return tuple(
        plan_of(site, label, Moves(ground.moved(label), unavoidable, new, site.carried.gone)) for label in chosen
    )


def choose_labels(ground: Ground, first: NDArray[np.int64], preset: str) -> list[NDArray[np.int64]]:
    """Return the labels of the plans to offer, the one with the fewest households moved first."""
    found = [in_one_piece(ground, label) for label in variants(ground, first, settle)]
    if any((label != first).any() for label in found):
        found += [polish(ground, label, preset, STAY) for label in found]
    walled = ground.walled(first)
    cautious = _alternatives(ground, _distinct(found), walled)[0]
    found += [polish(ground, cautious, aim, GO) for aim in (preset, "workload")]
    return _alternatives(ground, _distinct(found), walled)


def choose_whole(
    ground: Ground, first: NDArray[np.int64], preset: str, unit: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Return the labels of the plans to offer, with the fewest units split that the former plan had whole."""
    first = with_their_unit(ground, first, unit)
    lumps, lump_of, label, of_lump = lump(ground, first, unit)
    placed = [label]
    for _ in range(_COUNTS_TRIED):
        nearest = min(placed, key=lumps.beyond)
        placed += variants(lumps, nearest, lambda over, start: place_whole(over, start, of_lump))
        if min(map(lumps.beyond, placed)) == 0:
            break  # else once more from the nearest, with another grid split or ended
    found = [in_one_piece(ground, one[lump_of]) for one in placed]
    if min(ground.beyond(one) for one in found) > 0:  # whole, the units make no grids within the limits here
        found += [in_one_piece(ground, settle(ground, one)) for one in found]
        found += choose_labels(ground, first, preset)
    split = [len(split_by(ground, one, unit)) for one in found]
    missed = [(ground.beyond(one), number) for one, number in zip(found, split, strict=True)]
    best = [one for one, miss in zip(found, missed, strict=True) if miss == min(missed)]
    return _alternatives(ground, _distinct(best), ground.walled(first))


def divide_around(  # noqa: PLR0913  as `divide`
    locked: Base,
    village: GeoDataFrame,
    households: GeoDataFrame,
    *,
    barriers: GeoDataFrame | None = None,
    units: GeoDataFrame | None = None,
    prefer: GeoDataFrame | None = None,
    limits: Limits = Limits(),  # noqa: B008  frozen
    preset: str = "balanced",
    seed: int = 0,
    effort: str = "standard",
) -> Plan:
    """Return a plan of a village in which some grids are given: they keep households and polygon, the rest is divided.

    Parameters
    ----------
    locked
        The grids to keep with their households, in the CRS of `village`.
    village, households, barriers, units, prefer, limits, preset, seed, effort
        As for `divide`.
    """
    wishes, work = choose_wishes(preset), choose_effort(effort)
    site = survey(locked, Given(village, households, barriers, units, prefer), Wish(limits, preset, seed, effort), None)
    new, _, _ = divide_regions(site.regions, site.graph, site.units, limits, Search(wishes, work, seed))
    label = np.where(new >= 0, new + len(site.carried.names), site.carried.label)
    return plan_of(site, _numbered(site, label), None)


def warm() -> None:
    """Compile the kernels of `divide` and `rebalance`, or load them, so that no later caller waits for that."""
    village, households = sample_village()
    base = divide(village, households, effort="quick")
    heavier = households.assign(weight=np.where(households.geometry.x < 100, 3, 2))
    rebalance(base, village, heavier, limits=Limits(min=50, max=77, target=76))


def _numbered(site: Site, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return labels with the new grids as one reads a page."""
    new, at = np.unique(label[label >= len(site.carried.names)], return_inverse=True)
    if not len(new):
        return label
    is_new = label >= len(site.carried.names)
    weight, xy = site.points.weight[is_new], site.points.xy[is_new]
    load = np.bincount(at.reshape(-1), weights=weight)
    centre = np.stack([np.bincount(at.reshape(-1), weights=weight * axis) / load for axis in xy.T], axis=1)
    label = label.copy()
    label[is_new] = len(site.carried.names) + reading_order(centre)[at.reshape(-1)]
    return label


def _begin(site: Site) -> tuple[Ground, NDArray[np.int64]]:
    """Return what may move, and the former grids, each in one piece."""
    label = site.carried.label.copy()
    is_frozen = site.is_locked
    region = np.full(len(label), -1, dtype=np.int64)
    region[is_frozen] = len(site.regions)
    for number, one in enumerate(site.regions):
        region[one.cells] = number
        if one.over:  # one point alone is over the maximum: its grid is what it is
            mine = np.zeros(len(label), dtype=bool)
            mine[one.cells] = True
            owner = int(np.bincount(label[mine], weights=site.points.weight[mine]).argmax())
            label[mine] = label.max() + 1 if (label[~mine] == owner).any() else owner
            is_frozen = is_frozen | mine
    ground = Ground(site.graph, site.carried.label, site.carried.is_old, is_frozen, region, site.wish.limits)
    return ground, in_one_piece(ground, label)


def _unavoidable(ground: Ground, label: NDArray[np.int64]) -> int:
    """Return how many households have to change grid: those beyond the most, or those missing, whichever are more.

    New households are taken to stay in the grid whose land they stand in. Grids that no division of their region brings
    within the limits do not count.
    """
    limits, weight = ground.limits, ground.graph.weight
    can_fit = [
        bool(counts_that_fit(int(weight[ground.region == number].sum()), limits.min, limits.max))
        for number in range(int(ground.region.max()) + 1)
    ]
    free = np.unique(label[~ground.is_frozen & np.array(can_fit)[ground.region]])
    load = ground.load(label)[free]
    beyond, missing = load - ground.limits.max, ground.limits.min - load
    return int(max(np.maximum(0, beyond).sum(), np.maximum(0, missing).sum()))


def _distinct(labels: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    kept: list[NDArray[np.int64]] = []
    for label in labels:
        if not any((label == other).all() for other in kept):
            kept.append(label)
    return kept


def _alternatives(ground: Ground, labels: list[NDArray[np.int64]], walled: int) -> list[NDArray[np.int64]]:
    """Return the labels with fewest moved, shortest way and most even load.

    Those farther from the limits are out, then those with more barriers inside grids than there were (`walled`).
    """
    missed = [(ground.beyond(label), max(walled, ground.walled(label))) for label in labels]
    labels = [label for label, miss in zip(labels, missed, strict=True) if miss == min(missed)]
    xy, weight = ground.graph.xy, ground.graph.weight
    work = weight if ground.graph.work is None else ground.graph.work
    moved = [ground.moved(label) for label in labels]
    way = [round(float(np.average(distance_to_centre(xy, weight, _dense(one)), weights=weight)), 3) for one in labels]
    uneven = [round(float(np.std(np.bincount(_dense(one), weights=work))), 3) for one in labels]
    first = min(range(len(labels)), key=lambda n: (moved[n], way[n], n))
    shortest = min(range(len(labels)), key=lambda n: (way[n], moved[n], n))
    evenest = min(range(len(labels)), key=lambda n: (uneven[n], moved[n], n))
    return [labels[number] for number in dict.fromkeys((first, shortest, evenest))]


def _dense(label: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.unique(label, return_inverse=True)[1].reshape(-1).astype(np.int64)

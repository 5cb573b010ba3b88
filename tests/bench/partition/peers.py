"""One peer on one instance, in a process of its own: `python peers.py PEER INSTANCE.npz RESULT`.

Runs in the environment of the peers, so it imports nothing of mapgrid. RESULT.npy gets a label for each point and
RESULT.json the seconds of the call alone, the CPU seconds and the peak memory of the process.

Every peer gets the same points, the same number of grids where it takes one, the same limits where it takes some, and
the cells' neighbours with the length of their borders where it takes a graph; options are those that served it best.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np

_RECOM_STEPS = 1000


class Instance:
    """What a peer may know of a village: points (m, and degrees), households, grids wished for, limits, neighbours."""

    def __init__(self, path):
        held = np.load(path)
        self.xy, self.degrees, self.weight = held["xy"], held["degrees"], held["weight"]
        self.pairs, self.border_m = held["pairs"], held["border_m"]
        self.count, self.low, self.high, self.target = (int(value) for value in held["limits"])
        self.outline = bytes(held["outline"])

    def neighbours(self):
        """Return the neighbours of each cell and the length of the border with each, in decimetres."""
        lists = [[] for _ in self.weight]
        metres = [[] for _ in self.weight]
        for (one, other), border in zip(self.pairs.tolist(), self.border_m.tolist(), strict=True):
            for cell, neighbour in ((one, other), (other, one)):
                lists[cell].append(neighbour)
                metres[cell].append(max(1, round(10 * border)))
        return lists, metres


def k_means_constrained(instance, starts):
    from k_means_constrained import KMeansConstrained

    means = KMeansConstrained(
        instance.count, size_min=instance.low, size_max=instance.high, n_init=starts, random_state=0
    )
    return lambda: means.fit(instance.xy).labels_


def metis(instance, *, recursive):
    import pymetis

    lists, metres = instance.neighbours()
    start = np.concatenate([[0], np.cumsum([len(each) for each in lists])])
    graph = pymetis.CSRAdjacency(start, np.concatenate([np.array(each, dtype=int) for each in lists]))
    weights = np.concatenate([np.array(each, dtype=int) for each in metres])
    how = {"vweights": instance.weight, "eweights": weights, "recursive": recursive}
    if not recursive:
        how["contiguous"] = True
    return lambda: pymetis.part_graph(instance.count, graph, **how)[1]


def _spopt_input(instance):
    import geopandas as gpd
    from libpysal.weights import W

    lists, _ = instance.neighbours()
    x, y = instance.xy.T
    frame = gpd.GeoDataFrame({"x": x, "y": y, "households": instance.weight}, geometry=gpd.points_from_xy(x, y))
    return frame, W(dict(enumerate(lists)), silence_warnings=True)


def max_p(instance):
    from spopt.region import MaxPHeuristic

    frame, neighbours = _spopt_input(instance)
    model = MaxPHeuristic(frame, neighbours, ["x", "y"], "households", instance.low, top_n=2)

    def run():
        np.random.seed(0)  # noqa: NPY002  what spopt draws from
        random.seed(0)
        model.solve()
        return model.labels_

    return run


def skater(instance):
    from sklearn.metrics import pairwise
    from spopt.region import Skater

    frame, neighbours = _spopt_input(instance)
    how = {"dissimilarity": pairwise.euclidean_distances}
    model = Skater(frame, neighbours, ["x", "y"], instance.count, instance.low, spanning_forest_kwds=how)

    def run():
        model.solve()
        return model.labels_

    return run


def gerrychain(instance, *, steps):
    from functools import partial

    import networkx as nx
    from gerrychain import Graph, MarkovChain, Partition, constraints
    from gerrychain.partition import recursive_tree_part
    from gerrychain.proposals import recom
    from gerrychain.updaters import Tally

    net = nx.Graph()
    net.add_nodes_from((cell, {"w": int(load)}) for cell, load in enumerate(instance.weight))
    net.add_edges_from(instance.pairs.tolist())
    graph = Graph.from_networkx(net)
    mean = int(instance.weight.sum()) / instance.count
    slack = min(1 - instance.low / mean, instance.high / mean - 1)

    def tree():
        return recursive_tree_part(graph, range(instance.count), mean, "w", slack, rng=0)

    def labels_of(assignment):
        return np.array([assignment[cell] for cell in range(len(instance.weight))])

    def away_m(label):
        load = np.bincount(label, weights=instance.weight)
        centre = [np.bincount(label, weights=instance.weight * axis) / load for axis in instance.xy.T]
        return float((instance.weight * np.hypot(*(instance.xy - np.stack(centre, axis=1)[label]).T)).sum())

    def walk():
        """Keep each recombination that shortens the way to the centres."""
        start = Partition(graph, tree(), updaters={"load": Tally("w", alias="load")})
        fits = constraints.within_percent_of_ideal_population(start, slack, pop_key="load")
        best = [away_m(labels_of(start.assignment))]

        def is_shorter(partition, *, rng):
            way = away_m(labels_of(partition.assignment))
            if way >= best[0]:
                return False
            best[0] = way
            return True

        propose = partial(recom, pop_col="w", pop_target=mean, epsilon=slack)
        chain = MarkovChain(propose, [fits], is_shorter, start, steps, rng=0)
        for state in chain:
            last = state
        return labels_of(last.assignment)

    return walk if steps else lambda: labels_of(tree())


def postgis_k_means(instance):
    import psycopg2
    from psycopg2.extras import execute_values

    connection = psycopg2.connect(os.environ["BENCH_POSTGIS"])
    cursor = connection.cursor()
    cursor.execute("CREATE TEMP TABLE house (id int PRIMARY KEY, geom geometry(Point))")
    rows = [(number, *xy) for number, xy in enumerate(instance.xy.tolist())]
    execute_values(cursor, "INSERT INTO house VALUES %s", rows, template="(%s, ST_MakePoint(%s, %s))")

    def run():
        cursor.execute("SELECT ST_ClusterKMeans(geom, %s) OVER (ORDER BY id) FROM house ORDER BY id", [instance.count])
        return [label for (label,) in cursor.fetchall()]

    return run


def fmtm_splitter(instance):
    import shapely
    from fmtm_splitter.splitter import split_by_sql

    outline = shapely.from_wkb(instance.outline)
    aoi = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(outline)}
    houses = shapely.buffer(shapely.points(instance.degrees), 1e-5, cap_style="square")
    buildings = [
        {
            "type": "Feature",
            "properties": {"osm_id": number, "tags": {"building": "yes"}},
            "geometry": shapely.geometry.mapping(house),
        }
        for number, house in enumerate(houses)
    ]
    extract = {"type": "FeatureCollection", "features": buildings}
    whole = {"type": "FeatureCollection", "features": [aoi]}

    def run():
        url = os.environ["BENCH_POSTGIS"]
        done = split_by_sql(whole, url, num_buildings=instance.target, osm_extract=extract)
        shapes = [shapely.geometry.shape(feature["geometry"]) for feature in done["features"]]
        return shapely.STRtree(shapes).nearest(shapely.points(instance.degrees))

    return run


def scikit_learn_k_means(instance):
    from sklearn.cluster import KMeans

    means = KMeans(instance.count, n_init=10, random_state=0)
    return lambda: means.fit(instance.xy, sample_weight=instance.weight).labels_


PEERS = {
    "kmc-1": lambda instance: k_means_constrained(instance, 1),
    "kmc-10": lambda instance: k_means_constrained(instance, 10),
    "metis-recursive": lambda instance: metis(instance, recursive=True),
    "metis-contiguous": lambda instance: metis(instance, recursive=False),
    "max-p": max_p,
    "skater": skater,
    "gerrychain-tree": lambda instance: gerrychain(instance, steps=0),
    "gerrychain-recom": lambda instance: gerrychain(instance, steps=_RECOM_STEPS),
    "postgis-k-means": postgis_k_means,
    "fmtm-splitter": fmtm_splitter,
    "k-means": scikit_learn_k_means,
}


def main():
    name, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    warnings.simplefilter("ignore")
    try:
        run = PEERS[name](Instance(source))
    except ImportError as missing:
        sys.exit(f"not installed here: {missing}")
    began, began_cpu = time.perf_counter(), time.process_time()
    label = run()
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    peak_kb = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
    np.save(target.with_suffix(".npy"), np.unique(np.asarray(label), return_inverse=True)[1].astype(np.int64))
    figures = {"seconds": round(seconds, 4), "cpu": round(cpu, 4), "peak_mb": round(peak_kb / 1024, 1)}
    target.with_suffix(".json").write_text(json.dumps(figures))


if __name__ == "__main__":
    main()

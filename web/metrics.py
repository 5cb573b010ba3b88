"""Figures about the service for a Prometheus, counted over all worker processes.

Labels are routes, methods, statuses and states: never a name, a code or a tier.
"""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING

from flask import g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import event

from web import metric_slots
from web.request_log import METHODS, route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from flask import Flask, Response
    from prometheus_client import Metric
    from sqlalchemy import Engine

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)


class Watch(Collector):
    """A figure that is looked up when somebody asks, by the values of one label.

    Attributes
    ----------
    look
        Returns the figure by the label's values, under "" where there is no label; nothing when it is not known.
    """

    def __init__(self, name: str, meaning: str, look: Callable[[], Mapping[str, float]], *, label: str = "") -> None:
        self.name, self.meaning, self.look, self.label = name, meaning, look, label

    def describe(self) -> list[Metric]:
        """Return nothing: a registry that asks must not look."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Look, and return the figure."""
        family = GaugeMetricFamily(self.name, self.meaning, labels=[self.label] if self.label else [])
        for value, figure in self.look().items():
            family.add_metric([value] if self.label else [], figure)
        yield family


def register(app: Flask, engine: Engine) -> None:
    """Count the application's requests and the connections it uses."""
    app.extensions["metrics"] = registry = CollectorRegistry()
    app.extensions["watches"] = []
    requests = Counter(
        "mapgrid_requests", "Requests answered", ["method", "route", "status"], registry=registry
    )  # shown as mapgrid_requests_total
    seconds = Histogram("mapgrid_request_seconds", "Time to answer", ["route"], registry=registry, buckets=_BUCKETS_S)

    @app.before_request
    def begin() -> None:
        g.counted_from = perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        method = request.method if request.method in METHODS else "other"
        requests.labels(method, route(), str(response.status_code)).inc()
        if "counted_from" in g:
            seconds.labels(route()).observe(perf_counter() - g.counted_from)
        return response

    _watch_pool(engine, registry)


def watch(app: Flask, figure: Watch) -> None:
    """Show one more figure."""
    app.extensions["watches"].append(figure)


def page(app: Flask) -> bytes:
    """Return all figures as a Prometheus reads them."""
    directory = os.environ.get(metric_slots.VARIABLE)
    if directory is None:  # a single process, which counts in its own memory
        counted = generate_latest(app.extensions["metrics"])
    else:
        metric_slots.forget_dead(directory)
        shared = CollectorRegistry()
        MultiProcessCollector(shared, directory)
        counted = generate_latest(shared)
    looked_up = CollectorRegistry()
    for each in app.extensions["watches"]:
        looked_up.register(each)
    return counted + generate_latest(looked_up)


def _watch_pool(engine: Engine, registry: CollectorRegistry) -> None:
    in_use = Gauge(
        "mapgrid_database_connections_in_use",
        "Connections of the pools that requests hold",
        registry=registry,
        multiprocess_mode="livesum",
    )

    @event.listens_for(engine, "checkout")
    def took(*_: object) -> None:
        in_use.inc()

    @event.listens_for(engine, "checkin")
    def gave_back(*_: object) -> None:
        in_use.dec()

"""The controller's metrics: a registry of its own, and the figures that the loop counts.

Names follow https://prometheus.io/docs/practices/naming/. What the playouts count is exported by
``reconcile/figures.py`` from what they report, into the same registry.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.registry import Collector

from vistterstream.base.errors import TemporaryError, VistterError

UNFORESEEN = "InternalError"
"""The reason of an error that nobody foresaw."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0)


class Metrics:
    """Counters of one controller. Each controller has its own registry, so that two never mix."""

    def __init__(self) -> None:
        disable_created_metrics()  # a gauge beside each counter that nobody asked for
        self.registry = CollectorRegistry()
        self.reconciles = Counter(
            "vistter_reconcile_total", "Reconciliations that ended.", ["kind"], registry=self.registry
        )
        self.reconcile_errors = Counter(
            "vistter_reconcile_errors_total",
            "Reconciliations that ended with an error, waiting at a known time not counted.",
            ["kind", "reason"],
            registry=self.registry,
        )
        self.reconcile_duration = Histogram(
            "vistter_reconcile_duration_seconds",
            "Time that a reconciliation took.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.queue_depth = Gauge(
            "vistter_queue_depth", "Objects that wait to be reconciled.", registry=self.registry
        )
        self.status_writes = Counter(
            "vistter_status_writes_total", "Statuses written.", ["kind"], registry=self.registry
        )

    def expect(self, kinds: Iterable[str]) -> None:
        """Have the series of `kinds` begin at zero: what is not there cannot be told from what is not
        counted, and an alert sees no first rise.
        """
        for kind in kinds:
            self.reconciles.labels(kind)
            self.reconcile_duration.labels(kind)
            self.reconcile_errors.labels(kind, UNFORESEEN)

    def reconciled(self, kind: str, duration: float, error: VistterError | None) -> None:
        """Count one attempt that took `duration` seconds."""
        self.reconciles.labels(kind).inc()
        self.reconcile_duration.labels(kind).observe(duration)
        if error is not None and not isinstance(error, TemporaryError):
            self.reconcile_errors.labels(kind, error.reason).inc()

    def add(self, collector: Collector) -> None:
        """Export what `collector` collects, too."""
        self.registry.register(collector)

    def render(self) -> bytes:
        """All of it in the text format, of content type `CONTENT_TYPE`."""
        return generate_latest(self.registry)

"""The metrics of a gate, in a registry of their own, for Prometheus to read."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from math import isfinite, nan
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector, DuplicateTimeseries

from rpmcore.adapters.metrics.catalogue import METRICS, NONE, OTHER, MetricSpec
from rpmcore.domain.controls import ACCOUNT
from rpmcore.domain.errors import InvalidArgument

MOST_STRATEGIES = 1000
"""Strategies that have series of their own; what comes after them is ``other``."""

LONGEST_EXEMPLAR = 128
"""Characters of names and values together, by OpenMetrics."""

# Others are escaped in the text, which not every reader of exemplars takes back.
_PLAIN = re.compile(r'[^\x00-\x1f\x7f"\\]*')

Refresh = Callable[[], None]
"""Brings gauges up to date; called before they are read."""


class PrometheusMetrics:
    """Counters, gauges and histograms of `rpmcore.adapters.metrics.catalogue`; safe to share between threads.

    A label value from outside its closed set is counted as ``other``. Counters whose labels are known begin at 0, so
    that a rate sees their first step; gauges without labels begin as NaN: not known.

    Parameters
    ----------
    strategies
        Whose ids may be labels; see `know_strategies`.
    """

    def __init__(self, strategies: Iterable[str] = ()) -> None:
        self.registry = CollectorRegistry()
        """For a server of prometheus-client; gauges are brought up to date when it is read."""
        self._refreshes: list[Refresh] = []
        self.registry.register(_Refreshing(self._refresh))
        self._specs: dict[str, MetricSpec] = {}
        self._metrics: dict[str, Any] = {}
        self._allowed: dict[tuple[str, str], frozenset[str]] = {}
        self._children: dict[tuple[str, ...], Any] = {}
        self._strategies: dict[str, None] = {}
        for spec in METRICS:
            self.declare(spec)
        self.know_strategies(strategies)

    # What there is

    def declare(self, spec: MetricSpec) -> None:
        """Add a metric.

        Raises
        ------
        InvalidArgument
            If there is one of this name, or one whose series would have the same names; if it lacks a help text or
            its name or labels are none of Prometheus.
        """
        if not spec.help.strip():
            raise InvalidArgument(f"the metric {spec.name!r} has no help text")
        names = tuple(spec.labels)
        try:
            if spec.kind == "counter":
                made: Any = Counter(spec.name, spec.help, names, registry=self.registry)
            elif spec.kind == "gauge":
                made = Gauge(spec.name, spec.help, names, registry=self.registry)
            else:
                made = Histogram(spec.name, spec.help, names, buckets=spec.buckets, registry=self.registry)
        except DuplicateTimeseries as error:
            raise InvalidArgument(f"the metric {spec.name!r} is registered twice") from error
        except ValueError as error:
            raise InvalidArgument(f"the metric {spec.name!r} cannot be registered: {error}") from error
        self._specs[spec.name], self._metrics[spec.name] = spec, made
        for label, values in spec.labels.items():
            if values is not None:
                self._allowed[spec.name, label] = frozenset((*values, OTHER))
        if not names:
            self._children[(spec.name,)] = made
            if spec.kind == "gauge":
                made.set(nan)
        self._begin(spec)

    def know_strategies(self, strategies: Iterable[str]) -> None:
        """Give strategies series of their own; the first `MOST_STRATEGIES` of all that were ever named."""
        for name in strategies:
            if len(self._strategies) < MOST_STRATEGIES:
                self._strategies.setdefault(name)
        known = frozenset((*self._strategies, OTHER, NONE))
        for spec in self._specs.values():
            for label, values in spec.labels.items():
                if values is None:
                    self._allowed[spec.name, label] = known | {ACCOUNT} if label == "scope" else known
            if None in spec.labels.values():
                self._begin(spec)

    def knows_strategy(self, name: str) -> bool:
        """Return whether a strategy has series of its own."""
        return name in self._strategies

    def _begin(self, spec: MetricSpec) -> None:
        """Let counters of which every label value is known begin at zero."""
        if spec.kind == "counter":
            sets = [tuple(self._strategies) if values is None else values for values in spec.labels.values()]
            for values in product(*sets):
                self._child(spec.name, values)

    # What happens

    def count(
        self, name: str, *labels: str, amount: float = 1.0, exemplar: Mapping[str, str] | None = None
    ) -> None:  # fmt: skip
        """Count up; an amount that is negative or not finite is lost, and that is counted.

        Parameters
        ----------
        name
            Of a counter.
        labels
            Its label values, in the order of the catalogue.
        exemplar
            What led to it, such as a correlation id: shown in the OpenMetrics format. What is longer than
            `LONGEST_EXEMPLAR`, or no plain text, is left out.

        Raises
        ------
        InvalidArgument
            If there is no such metric, or the labels are too few or too many.
        """
        child = self._child(name, labels)
        if not (isfinite(amount) and amount >= 0.0):
            self.lost()
            return
        child.inc(amount, _short(exemplar))

    def observe(self, name: str, value: float, *labels: str, exemplar: Mapping[str, str] | None = None) -> None:
        """Add a value to a histogram; one that is not finite is lost, and that is counted. See `count`."""
        child = self._child(name, labels)
        if not isfinite(value):
            self.lost()
            return
        child.observe(value, _short(exemplar))

    def set(self, name: str, value: float, *labels: str) -> None:
        """Set a gauge; NaN says that the value is not known. See `count`."""
        self._child(name, labels).set(value)

    def set_state(self, name: str, *labels: str) -> None:
        """Set the gauge of one value of its last label to 1, and those of all others to 0; see `count`."""
        *before, state = labels
        chosen = self._child(name, labels)
        for value in (*(tuple(self._specs[name].labels.values())[-1] or ()), OTHER):
            if value != state and (value != OTHER or (name, *before, OTHER) in self._children):
                self._child(name, (*before, value)).set(0.0)
        chosen.set(1.0)

    def set_build(self, version: str, config_digest: str) -> None:
        """Tell the version and the digest of the settings; those told before are forgotten."""
        build = self._metrics["rpm_build_info"]
        build.clear()
        build.labels(version, config_digest).set(1.0)

    def lost(self, number: int = 1) -> None:
        """Count what telemetry has lost."""
        self._children[("rpm_telemetry_failures_total",)].inc(number)

    def _child(self, name: str, labels: tuple[str, ...]) -> Any:
        found = self._children.get((name, *labels))
        return self._made(name, labels) if found is None else found

    def _made(self, name: str, labels: tuple[str, ...]) -> Any:
        spec = self._specs.get(name)
        if spec is None:
            raise InvalidArgument(f"there is no metric {name!r}")
        if len(labels) != len(spec.labels):
            raise InvalidArgument(f"{name} has the labels {', '.join(spec.labels) or 'of none'}, found {len(labels)}")
        clean = tuple(
            value if isinstance(value, str) and value in self._allowed[name, label] else OTHER
            for label, value in zip(spec.labels, labels, strict=True)
        )
        # Only clean values are remembered: what comes from outside must not fill the memory.
        found = self._children.get((name, *clean))
        if found is None:
            found = self._children[(name, *clean)] = self._metrics[name].labels(*clean)
        return found

    # What is read

    def before_export(self, refresh: Refresh) -> None:
        """Call something before the metrics are read, to bring gauges up to date; what it raises is counted as lost."""
        self._refreshes.append(refresh)

    def export_metrics(self, *, openmetrics: bool = False) -> str:
        """Return all metrics in Prometheus' text format.

        Parameters
        ----------
        openmetrics
            In the OpenMetrics format, which also shows exemplars.
        """
        generate = generate_openmetrics if openmetrics else generate_latest
        return generate(_WithoutCreated(self.registry)).decode()

    def names(self) -> tuple[str, ...]:
        """Return the names of all metrics."""
        return tuple(self._specs)

    def _refresh(self) -> None:
        for refresh in self._refreshes:
            try:
                refresh()
            except Exception:  # noqa: BLE001 - what cannot be measured must not hide what was
                self.lost()


class _Refreshing(Collector):
    """Has no metrics; being asked for them before the others is what it is for."""

    def __init__(self, refresh: Refresh) -> None:
        self._refresh = refresh

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        self._refresh()
        return iter(())


class _WithoutCreated(Collector):
    """A registry without the times at which series began: they double their number, and the switch is a global one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric


def _short(exemplar: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return what of an exemplar fits, up to the first value that does not; None where nothing does."""
    if not exemplar:
        return None
    fits, left = {}, LONGEST_EXEMPLAR
    for name, value in exemplar.items():
        left -= len(name) + len(value)
        if left < 0 or not _PLAIN.fullmatch(value):
            break
        fits[name] = value
    return fits or None

"""Metrics in the form that Prometheus reads: families made of plain numbers, at the moment somebody asks."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from shared.eventsourcing.histogram import Histogram
from shared.runtime.catalogue import Metric

_PROCESS: Final = ProcessCollector(registry=None)  # memory, CPU time, open files of this process


class Exposition(Collector):
    """The families of one answer; each sample is declared in a catalogue and names all of its labels."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._families: dict[str, Family] = {}

    def add(self, metric: Metric, value: float | Histogram, **labels: str) -> None:
        """One sample, or one histogram.

        Raises:
            ValueError: these are not the labels that the metric was declared with.
        """
        if set(labels) != set(metric.labels):
            raise ValueError(f"{metric.name} has the labels {metric.labels}, not {tuple(labels)}")
        family = self._families.get(metric.name) or self._declared(metric)
        values = [self._service, *(labels[name] for name in metric.labels)]
        match family, value:
            case HistogramMetricFamily(), Histogram():
                family.add_metric(values, _buckets(value), sum_value=value.total)
            case ((CounterMetricFamily() | GaugeMetricFamily()), float() | int()):
                family.add_metric(values, value)
            case _:
                raise ValueError(f"{metric.name} is a {metric.kind}")

    def _declared(self, metric: Metric) -> Family:
        labels = ["service", *metric.labels]
        match metric.kind:
            case "counter":
                family = CounterMetricFamily(metric.name, metric.meaning, labels=labels)
            case "gauge":
                family = GaugeMetricFamily(metric.name, metric.meaning, labels=labels)
            case "histogram":
                family = HistogramMetricFamily(metric.name, metric.meaning, labels=labels)
        self._families[metric.name] = family
        return family

    def collect(self) -> Iterable[Family]:
        yield from self._families.values()
        yield from _PROCESS.collect()

    def written(self, accept: str) -> tuple[bytes, str]:
        """The answer and its content type, in the format that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self), content_type


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Cumulative counts per upper bound, as the format wants them."""
    buckets: list[tuple[str, float]] = []
    reached = 0
    for bound, count in zip((*map(str, map(float, histogram.bounds)), "+Inf"), histogram.counts, strict=True):
        reached += count
        buckets.append((bound, reached))
    return buckets

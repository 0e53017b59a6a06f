"""Metrics as Prometheus would read them from an answer's text."""

from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]


class Scraped:
    """One answer of /metrics: samples by name and labels."""

    def __init__(self, text: str) -> None:
        self.labels: dict[str, set[str]] = {}
        self._samples: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples[sample.name, _sorted(sample.labels)] = sample.value
                self.labels.setdefault(sample.name, set()).update(sample.labels)

    def value(self, name: str, **labels: str) -> float:
        """The one sample with exactly these labels (and that of the service, which every one has).

        Raises:
            KeyError: there is none.
        """
        found = {
            wanted: value
            for (sample, wanted), value in self._samples.items()
            if sample == name and {k: v for k, v in wanted if k != "service"} == labels
        }
        if len(found) != 1:
            raise KeyError(f"{name} {labels}: {found}")
        return next(iter(found.values()))

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self._samples}


def _sorted(labels: Mapping[str, str]) -> Labels:
    return tuple(sorted(labels.items()))

"""Gauges that a service adds to those every service has: read from its own read models when metrics are asked for."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.catalogue import Metric

Reading: TypeAlias = tuple[dict[str, str], float]
"""Labels and value."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric and the query that answers it: a few rows, cheap enough for every few seconds."""

    metric: Metric
    read: Callable[[AsyncConnection], Awaitable[Sequence[Reading]]]

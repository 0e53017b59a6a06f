"""Topics as they are wanted: how many partitions, and how long they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.schemas.partitions import PARTITIONS

KEPT_FOR_EVER: Final[Mapping[str, str]] = {"retention.ms": "-1", "cleanup.policy": "delete"}
COMPACTED: Final[Mapping[str, str]] = {"cleanup.policy": "compact"}


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    partitions: int = PARTITIONS
    settings: Mapping[str, str] = field(default_factory=lambda: dict(KEPT_FOR_EVER))

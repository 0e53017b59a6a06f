"""Every event that anybody publishes, by topic."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Final

from shared.schemas.event import EventTypes
from shared.schemas.topics import TOPICS

PUBLISHED: Final[Mapping[str, EventTypes]] = {topic.name: topic.types for topic in TOPICS}
"""Topic -> the events that are written there."""

ALL: Final[EventTypes] = reduce(or_, PUBLISHED.values())
"""All of them, for a reader of every topic."""

SUBSCRIBERS: Final[Mapping[str, tuple[str, ...]]] = {topic.name: topic.readers for topic in TOPICS}
"""Topic -> who of ours reads it."""

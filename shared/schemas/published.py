"""Every event that anybody publishes, by topic: where a publisher's module is registered."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Final

from shared.schemas import feedback, goals, kpi_measurements, payroll, people, reviews, rewards
from shared.schemas.event import EventTypes

PUBLISHED: Final[Mapping[str, EventTypes]] = {
    feedback.TOPIC: feedback.TYPES,
    goals.TOPIC: goals.TYPES,
    kpi_measurements.TOPIC: kpi_measurements.TYPES,
    people.TOPIC: people.TYPES,
    people.COMPENSATION_TOPIC: people.COMPENSATION_TYPES,
    reviews.TOPIC: reviews.TYPES,
    rewards.TOPIC: rewards.TYPES,
    payroll.TOPIC: payroll.TYPES,
}
"""Topic -> the events that are written there."""

SUBSCRIBERS: Final[Mapping[str, tuple[str, ...]]] = {
    feedback.TOPIC: ("feedback", "reviews", "analytics"),
    goals.TOPIC: ("goals", "reviews", "analytics"),
    kpi_measurements.TOPIC: ("goals",),
    people.TOPIC: ("goals", "feedback", "reviews", "rewards"),
    people.COMPENSATION_TOPIC: ("rewards",),
    reviews.TOPIC: ("reviews", "rewards", "analytics"),
    rewards.TOPIC: ("rewards", "payroll", "analytics"),
    payroll.TOPIC: ("rewards", "analytics"),
}
"""Topic -> who of ours reads it, services and reference consumers; others may, as far as the topic's rights allow."""

ALL: Final[EventTypes] = reduce(or_, PUBLISHED.values())
"""All of them, for a reader of every topic."""

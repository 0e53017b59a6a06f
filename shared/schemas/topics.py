"""The topics of the contract: who writes each, who reads it, by which key, and for how long its records are kept."""

from dataclasses import dataclass
from typing import Final

from shared.schemas import feedback, goals, kpi_measurements, payroll, people, reviews, rewards
from shared.schemas.event import EventTypes


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic that others may build on.

    `chained`: its records carry a log's position and the chain's headers. `compacted`: the last record of a key is kept
    for ever, the ones before are not; else every record is. `readers` are ours: services and reference consumers.
    """

    name: str
    types: EventTypes
    about: str
    key: str
    writer: str
    readers: tuple[str, ...]
    chained: bool = True
    compacted: bool = False

    @property
    def told(self) -> str:
        """Its key, its writer and its readers, in words."""
        return f"Key: {self.key}. Written by {self.writer}; read by {', '.join(self.readers)}."

    @property
    def settings(self) -> dict[str, str]:
        """What the topic is created with."""
        return {"cleanup.policy": "compact"} if self.compacted else {"cleanup.policy": "delete", "retention.ms": "-1"}


TOPICS: Final[tuple[Topic, ...]] = (
    Topic(
        name=goals.TOPIC,
        types=goals.TYPES,
        about="Goals, how far they are, what they contribute to, and the plans that weigh them.",
        key="the stream: goal-<id>, goalplan-<id> and others",
        writer="goals",
        readers=("goals", "reviews", "analytics"),
    ),
    Topic(
        name=feedback.TOPIC,
        types=feedback.TYPES,
        about="Feedback and check-ins: who, about whom, when. What was written is ciphertext.",
        key="the stream: feedback-<id>, checkin-<id>",
        writer="feedback",
        readers=("feedback", "reviews", "analytics"),
    ),
    Topic(
        name=reviews.TOPIC,
        types=reviews.TYPES,
        about="Review cycles and every review's steps, up to the score and what it was computed from.",
        key="the stream: reviewcycle-<id>, review-<id>",
        writer="reviews",
        readers=("goals", "reviews", "rewards", "analytics"),
    ),
    Topic(
        name=rewards.TOPIC,
        types=rewards.TYPES,
        about="Rewards, the budget they are paid from, and what payroll is instructed to pay.",
        key="the stream: reward-<id>, pool-<id>, payment-<id>, program-<id>",
        writer="rewards",
        readers=("rewards", "payroll", "analytics"),
    ),
    Topic(
        name=payroll.TOPIC,
        types=payroll.TYPES,
        about="Payroll's answers to payment instructions.",
        key="the payment id",
        writer="payroll",
        readers=("rewards", "analytics"),
        chained=False,
    ),
    Topic(
        name=kpi_measurements.TOPIC,
        types=kpi_measurements.TYPES,
        about="What a source has measured of a KPI.",
        key="the KPI's code",
        writer="whoever measures",
        readers=("goals",),
        chained=False,
    ),
    Topic(
        name=people.TOPIC,
        types=people.TYPES,
        about="Who is employed, where, and under whom. Internal: it names people.",
        key="the person id",
        writer="the HR system, or `trellis people import`",
        readers=("goals", "feedback", "reviews", "rewards"),
        chained=False,
        compacted=True,
    ),
    Topic(
        name=people.COMPENSATION_TOPIC,
        types=people.COMPENSATION_TYPES,
        about="Pay. Internal: the rewards service alone may read it.",
        key="the person id",
        writer="the HR system, or `trellis people import`",
        readers=("rewards",),
        chained=False,
        compacted=True,
    ),
)

"""What must have happened once because something else did: rewards from reviews, records of what payroll answered."""

import json
from collections import Counter
from collections.abc import Iterator

from shared.schemas.reviews import ReviewCompleted
from shared.schemas.rewards import PaymentAnswered, RewardNotProposed, RewardProposed
from tests.e2e.stored import EventLog, StoredEvent

_CONSIDERED = (RewardProposed.event_type, RewardNotProposed.event_type)


def every_review_is_considered_once(reviews: EventLog, rewards: EventLog) -> int:
    """For each completed review one reward was proposed, or it was said why none; how many there are."""
    completed = {event.event_id for event in _of(reviews, ReviewCompleted.event_type)}
    considered = Counter(event.metadata.get("causation_id") for event in _of(rewards, *_CONSIDERED))
    missing, invented = completed - considered.keys(), considered.keys() - completed
    often = [cause for cause, times in considered.items() if times > 1]
    assert not missing, f"{len(missing)} of {len(completed)} completed reviews led to nothing: {sorted(missing)[:3]}"
    assert not invented, f"{len(invented)} rewards were considered for no completed review"
    assert not often, f"{len(often)} completed reviews were considered more than once: {often[:3]}"
    return len(completed)


def every_answer_is_recorded_once(rewards: EventLog) -> int:
    """No answer of payroll's is in a payment's history twice; how many there are."""
    recorded = Counter(
        (event.stream, (said := json.loads(event.data))["version"], said["answer"])
        for event in _of(rewards, PaymentAnswered.event_type)
    )
    often = [answer for answer, times in recorded.items() if times > 1]
    assert not often, f"{len(often)} of payroll's answers were recorded more than once: {often[:3]}"
    return len(recorded)


def _of(log: EventLog, *types: str) -> Iterator[StoredEvent]:
    return (event for event in log.events if event.type in types)

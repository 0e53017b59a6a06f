"""What a newer release wrote into an event is found and counted; what is known is not."""

import json
from typing import Any

import pytest

from shared.schemas import feedback, goals, reviews, rewards
from shared.schemas.contract import goldens_of
from shared.schemas.event import EventTypes
from shared.schemas.novelty import novelty

EVERY = goals.TYPES | feedback.TYPES | reviews.TYPES | rewards.TYPES
GOAL_SET = goals.GoalSet.event_type


def golden() -> dict[str, Any]:
    """A goal that was set, with a metric."""
    known = (json.loads(file.read_bytes()) for file in goldens_of(GOAL_SET))
    return next(event for event in known if event.get("metric"))


def found(event: dict[str, Any], types: EventTypes = goals.TYPES, event_type: str = GOAL_SET) -> tuple[int, int]:
    data = json.dumps(event)
    decoded = types.decode(event_type, data)
    assert not hasattr(decoded, "data"), "an event of an unknown type"
    return novelty(decoded, data)  # pyright: ignore[reportArgumentType] - it is none


@pytest.mark.parametrize("event_type", [*EVERY.models, *EVERY.upcasters])
def test_nothing_is_new_in_what_was_ever_published(event_type: str) -> None:
    for file in goldens_of(event_type):
        assert found(json.loads(file.read_bytes()), EVERY, event_type) == (0, 0), file


def test_a_new_field_is_counted_however_deep_it_lies() -> None:
    event = golden()
    assert found(event | {"urgency": "high", "colour": None}) == (2, 0)
    assert found(event | {"metric": event["metric"] | {"rounding": "half-even"}}) == (1, 0)


def test_a_new_member_of_an_enum_is_counted_however_deep_it_lies() -> None:
    event = golden()
    assert found(event | {"level": "guild"}) == (0, 1)
    assert found(event | {"level": "guild", "metric": event["metric"] | {"kind": "mood"}}) == (0, 2)


def test_what_is_new_in_the_items_of_a_list_is_counted() -> None:
    (file, *_) = goldens_of(reviews.ReviewCycleOpened.event_type)
    event = json.loads(file.read_bytes())
    section, *others = event["policy"]["sections"]
    changed = event | {"policy": event["policy"] | {"sections": [section | {"icon": "star"}, *others]}}
    assert found(changed, reviews.TYPES, reviews.ReviewCycleOpened.event_type) == (1, 0)

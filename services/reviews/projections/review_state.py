"""The state that each event leaves a review in, as every read model of reviews shows it."""

from collections.abc import Mapping
from typing import Final

from shared.schemas.event import Event
from shared.schemas.reviews import (
    ManagerAssessmentSubmitted,
    ReviewAcknowledged,
    ReviewApproved,
    ReviewCompleted,
    ReviewOpened,
    ReviewReleased,
    SelfAssessmentSubmitted,
)

STATE_AFTER: Final[Mapping[type[Event], str]] = {
    ReviewOpened: "opened",
    SelfAssessmentSubmitted: "self-assessed",
    ManagerAssessmentSubmitted: "manager-assessed",
    ReviewApproved: "approved",
    ReviewReleased: "released",
    ReviewAcknowledged: "acknowledged",
    ReviewCompleted: "completed",
}
STATES: Final = tuple(STATE_AFTER.values())
"""All of them, in the order in which a review passes through them."""

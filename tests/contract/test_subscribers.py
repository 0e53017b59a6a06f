"""Who is said to read a topic does read it, and nobody reads one without being named."""

from collections.abc import Mapping
from typing import Final

import pytest

from consumers.analytics.reading import CHAINED, FEEDS
from services.feedback.app import SERVICE as FEEDBACK
from services.goals.app import SERVICE as GOALS
from services.reviews.app import SERVICE as REVIEWS
from services.rewards.app import SERVICE as REWARDS
from shared.runtime.service import Service
from shared.schemas.published import PUBLISHED, SUBSCRIBERS

SERVICES: Final[Mapping[str, Service]] = {service.name: service for service in (GOALS, FEEDBACK, REVIEWS, REWARDS)}
EVENT_TOPICS: Final = sorted(f"{name}.events" for name in SERVICES)


def read_by(service: Service) -> set[str]:
    return {topic for reader in (*service.projections, *service.reactions) for topic in reader.topics}


def test_every_topic_names_its_subscribers() -> None:
    assert SUBSCRIBERS.keys() == PUBLISHED.keys()


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_the_services_that_are_named_read_the_topic_and_no_others(topic: str) -> None:
    named = {name for name in SUBSCRIBERS[topic] if name in SERVICES}
    assert named == {name for name, service in SERVICES.items() if topic in read_by(service)}


def test_analytics_reads_what_it_is_named_for() -> None:
    assert {topic for topic, names in SUBSCRIBERS.items() if "analytics" in names} == {*CHAINED, *FEEDS}

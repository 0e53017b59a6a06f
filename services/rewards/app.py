"""The rewards service, composed: the one file that knows every room."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from services.rewards.api.permissions import ACCESS
from services.rewards.projections import budget_left, duties, reconciliation, rewards_by_status
from services.rewards.projections.compensation_feed import COMPENSATION_FEED
from services.rewards.reactions.propose_reward_when_review_completed import REACTION
from services.rewards.reactions.record_payroll_answers import payroll_feed
from shared.eventsourcing.feed import Feed
from shared.people.feed import PEOPLE_FEED
from shared.runtime.catalogue import Metric
from shared.runtime.gauges import Gauge
from shared.runtime.service import Runtime, Service
from shared.schemas import reviews, rewards

if TYPE_CHECKING:
    from fastapi import APIRouter


def _routers(runtime: Runtime) -> "Sequence[APIRouter]":
    from services.rewards.api.budget import budget_routes  # noqa: PLC0415 - a worker loads no FastAPI
    from services.rewards.api.payments import payment_routes  # noqa: PLC0415 - likewise
    from services.rewards.api.rewards import reward_routes  # noqa: PLC0415 - likewise

    return (budget_routes(runtime), reward_routes(runtime), payment_routes(runtime))


def _feeds(runtime: Runtime) -> Sequence[Feed]:
    return (PEOPLE_FEED, COMPENSATION_FEED, payroll_feed(runtime.handler))


_BUDGET_USE: Final = Gauge(
    Metric(
        "trellis_budget_used_ratio",
        "gauge",
        ("pool",),
        "The share (0 to 1) of a pool that is reserved or committed, by the pool's id; the hundred newest pools.",
    ),
    budget_left.use,
)
SERVICE: Final = Service(
    name="rewards",
    title="Trellis rewards",
    description="Merit increases within a budget that is never overspent, and payments that are made once.",
    types=rewards.TYPES | reviews.TYPES,
    routers=_routers,
    access=ACCESS,
    projections=(
        rewards_by_status.PROJECTION,
        budget_left.PROJECTION,
        reconciliation.PROJECTION,
        duties.PROJECTION,
    ),
    reactions=(REACTION,),
    feeds=_feeds,
    gauges=(_BUDGET_USE,),
)

"""The reviews service, composed: the one file that knows every room."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from services.reviews.api.permissions import ACCESS
from services.reviews.projections import cycles, evidence, review_inbox, review_sheet, reviews_by_cycle
from services.reviews.reactions import remind_when_a_step_is_due, take_frozen_goals_when_they_come
from shared.eventsourcing.feed import Feed
from shared.people.feed import PEOPLE_FEED
from shared.runtime.service import Runtime, Service
from shared.schemas import feedback, goals, reviews

if TYPE_CHECKING:
    from fastapi import APIRouter


def _routers(runtime: Runtime) -> "Sequence[APIRouter]":
    from services.reviews.api.cycles import cycle_routes  # noqa: PLC0415 - a worker loads no FastAPI
    from services.reviews.api.reviews import review_routes  # noqa: PLC0415 - likewise
    from services.reviews.api.steps import step_routes  # noqa: PLC0415 - likewise
    from shared.runtime.erasure import erasure_routes  # noqa: PLC0415 - likewise

    return (
        cycle_routes(runtime),
        review_routes(runtime),
        step_routes(runtime),
        erasure_routes(runtime, reviews.PersonalTextErased),
    )


def _feeds(_runtime: Runtime) -> Sequence[Feed]:
    return (PEOPLE_FEED,)


SERVICE: Final = Service(
    name="reviews",
    title="Trellis reviews",
    description="Review cycles: assessed, approved, released; every score explained, its evidence frozen and hashed.",
    types=reviews.TYPES | goals.TYPES | feedback.TYPES,
    routers=_routers,
    access=ACCESS,
    projections=(
        cycles.PROJECTION,
        reviews_by_cycle.PROJECTION,
        review_sheet.PROJECTION,
        review_inbox.PROJECTION,
        evidence.PROJECTION,
    ),
    reactions=(take_frozen_goals_when_they_come.REACTION,),
    feeds=_feeds,
    timers=remind_when_a_step_is_due.timers,
)

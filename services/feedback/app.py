"""The feedback service, composed: the one file that knows every room."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from services.feedback.api.permissions import ACCESS
from services.feedback.projections import check_ins, readable_feedback
from shared.eventsourcing.feed import Feed
from shared.people.feed import PEOPLE_FEED
from shared.runtime.service import Runtime, Service
from shared.schemas.feedback import TYPES, PersonalTextErased

if TYPE_CHECKING:
    from fastapi import APIRouter


def _routers(runtime: Runtime) -> "Sequence[APIRouter]":
    from services.feedback.api.check_ins import check_in_routes  # noqa: PLC0415 - a worker loads no FastAPI
    from services.feedback.api.feedback import feedback_routes  # noqa: PLC0415 - likewise
    from shared.runtime.erasure import erasure_routes  # noqa: PLC0415 - likewise

    return (feedback_routes(runtime), check_in_routes(runtime), erasure_routes(runtime, PersonalTextErased))


def _feeds(_runtime: Runtime) -> Sequence[Feed]:
    return (PEOPLE_FEED,)


SERVICE: Final = Service(
    name="feedback",
    title="Trellis feedback",
    description="Feedback and check-ins: given with a visibility, kept encrypted, erased for ever on demand.",
    types=TYPES,
    routers=_routers,
    access=ACCESS,
    projections=(readable_feedback.PROJECTION, check_ins.PROJECTION),
    feeds=_feeds,
)

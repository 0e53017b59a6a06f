"""A goal's history in words: who changed what, when and why, each wording of both sides as it was."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import access_to
from services.goals.api.goal_words import why, words
from services.goals.api.hidden_goals import hidden_in, identities, without
from services.goals.api.said import opened, said_by
from services.goals.projections import goal_periods, goal_tree, readable_goals
from services.goals.projections.goal_past import Fact
from shared.runtime.authorization import READ, needs
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId, PersonId


class FactView(BaseModel):
    """One thing that happened to a goal. A text reads `erased` where the person it speaks of was erased."""

    version: int
    what: str = Field(examples=["GoalRetitled"], description="The event's name.")
    by: PersonId
    at: datetime = Field(description="When it happened.")
    known_at: datetime = Field(description="When it was recorded.")
    words: str = Field(examples=["called it \u201cAnswer at once\u201d"], description="What `by` did.")
    why: str | None = Field(description="The reason, the comment or the note that came with it.")
    amendment: UUID | None = Field(description="The agreed change that this was part of.")
    said: Mapping[str, Any] = Field(
        description="The event's data; of goals that the caller does not see how many it names: `parent_hidden`."
    )


def goal_history_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.get("/{goal}/history", summary="Who changed what of a goal, when and why, the first first")
    @needs("goal", READ)
    async def show_history(goal: GoalId, edge: AtEdge, page: AskedPage) -> Page[FactView]:
        for projection in (goal_tree.PROJECTION, goal_periods.PROJECTION):
            await runtime.wait(projection.name, edge.consistency)
        after = page.after(tuple[int])
        async with runtime.reading.connect() as connection:
            row = await readable_goals.find(connection, goal)
            if row is None:
                raise not_found("goal", goal)
            (await access_to(connection, edge.caller, row)).require(READ, f"goal {goal}")
            facts = await goal_periods.history(connection, goal, after=after[0] if after else 0, limit=page.limit + 1)
        told = identities([fact.event.model_dump() for fact in facts])
        hidden = await hidden_in(runtime, edge.caller, told)
        texts = await opened(runtime.vault, [fact.event for fact in facts])
        return page.of(facts, key=lambda fact: (fact.version,), item=lambda fact: _view(fact, texts, hidden))

    return routes


def _view(fact: Fact, texts: Mapping[str, str], hidden: Collection[UUID]) -> FactView:
    said = without(said_by(fact.event, texts), hidden)
    return FactView(
        version=fact.version,
        what=fact.event.event_type.split(".")[2],
        by=fact.actor,
        at=fact.occurred_at,
        known_at=fact.known_at,
        words=words(fact.event, said),
        why=why(said),
        amendment=getattr(fact.event, "amendment", None),
        said=said,
    )

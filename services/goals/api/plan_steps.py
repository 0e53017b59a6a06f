"""A plan's steps: who proposed what, in which words, and what the other side answered."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.goals.api.edge import AtEdge
from services.goals.api.goal_access import relations_to
from services.goals.api.hidden_goals import hidden_in, identities, without
from services.goals.api.permissions import PLANS
from services.goals.api.said import opened, said_by
from services.goals.projections import goal_plans, goal_tree, plan_steps
from services.goals.projections.plan_steps import Step, Wording
from shared.privacy.vault import Vault
from shared.runtime.authorization import READ, needs
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.event import Event
from shared.schemas.goal_metrics import Metric
from shared.schemas.identifiers import GoalId, GoalPlanId, PersonId
from shared.schemas.personal_text import PersonalText

_PREFIX: Final = "trellis.goals."


class WordingView(BaseModel):
    """A goal as the proposer saw it, and whose words these were."""

    goal: GoalId
    title: str
    titled_by: PersonId
    metric: Metric | None
    targeted_by: PersonId | None
    starts_on: date
    ends_on: date


class StepView(BaseModel):
    """One step; `said` is the event's data, its personal texts opened (`erased`: whom they speak of was erased).

    Of goals that the caller does not see it says how many it leaves out: `weights_hidden`, `goal_hidden`.
    """

    version: int
    step: str = Field(examples=["GoalPlanProposed"])
    by: PersonId
    at: datetime
    said: Mapping[str, Any]
    goals: list[WordingView]
    goals_hidden: int = Field(description="Others that the proposer saw, and the caller does not see.")


def plan_step_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/plans", tags=["goal plans"])

    @routes.get("/{plan}/steps", summary="Who proposed what, in which words, and what was answered")
    @needs("plan", READ)
    async def list_plan_steps(plan: GoalPlanId, edge: AtEdge, page: AskedPage) -> Page[StepView]:
        """The owner reads all of it; anybody else of goals that they may not see now nothing but how many there are."""
        for projection in (goal_plans.PROJECTION, plan_steps.PROJECTION, goal_tree.PROJECTION):
            await runtime.wait(projection.name, edge.consistency)
        after = page.after(tuple[int])
        async with runtime.reading.connect() as connection:
            row = await goal_plans.find(connection, plan)
            if row is None:
                raise not_found("plan", plan)
            relations = await relations_to(connection, edge.caller, row.owner)
            PLANS.require(edge.action, edge.caller, relations, of=f"plan {plan}")
            steps = await plan_steps.steps(connection, plan, after=after and after[0], limit=page.limit + 1)
        told = set[UUID]() if row.owner == edge.caller.person else identities([_data(step) for step in steps])
        hidden = await hidden_in(runtime, edge.caller, told)
        async with runtime.reading.connect() as connection:
            wordings = await plan_steps.wordings(connection, [key for key in _seen(steps) if key[0] not in hidden])
        views = await _views(runtime.vault, steps, wordings, hidden)
        return page.of(views, key=lambda view: (view.version,), item=lambda view: view)

    return routes


def _data(step: Step) -> Mapping[str, Any]:
    return step.event.model_dump() if isinstance(step.event, Event) else {}


def _seen(steps: Sequence[Step]) -> list[tuple[GoalId, int]]:
    return [key for step in steps for key in _seen_in(step)]


def _seen_in(step: Step) -> list[tuple[GoalId, int]]:
    return [(goal.goal, goal.version) for goal in getattr(step.event, "seen", ())]


async def _views(
    vault: Vault,
    steps: Sequence[Step],
    wordings: Mapping[tuple[GoalId, int], Wording],
    hidden: Collection[GoalId],
) -> list[StepView]:
    texts = await _opened(vault, steps, wordings.values())
    return [
        StepView(
            version=step.version,
            step=step.event.event_type.removeprefix(_PREFIX).split(".")[0],
            by=step.by,
            at=step.at,
            said=without(_said(step, texts), hidden),
            goals=[_wording(key[0], wordings[key], texts) for key in _seen_in(step) if key in wordings],
            goals_hidden=sum(goal in hidden for goal, _ in _seen_in(step)),
        )
        for step in steps
    ]


async def _opened(vault: Vault, steps: Sequence[Step], wordings: Iterable[Wording]) -> dict[str, str]:
    titles = [wording.title for wording in wordings if isinstance(wording.title, PersonalText)]
    return await opened(vault, [step.event for step in steps if isinstance(step.event, Event)], titles)


def _said(step: Step, texts: Mapping[str, str]) -> Mapping[str, Any]:
    return said_by(step.event, texts) if isinstance(step.event, Event) else {}


def _wording(goal: GoalId, wording: Wording, texts: Mapping[str, str]) -> WordingView:
    title = wording.title
    return WordingView(
        goal=goal,
        title=texts[title.bound_to] if isinstance(title, PersonalText) else title,
        titled_by=wording.titled_by,
        metric=wording.metric,
        targeted_by=wording.targeted_by,
        starts_on=wording.starts_on,
        ends_on=wording.ends_on,
    )

"""Goals, worded: what they are called and mean, what they stand for, who sees them, what they are measured by."""

from typing import Annotated

from fastapi import APIRouter, Body

from services.goals.api import examples
from services.goals.api.edge import AtEdge
from services.goals.api.goal_edits import edited, texts_now
from services.goals.api.permissions import EDIT
from services.goals.domain.goal_states import Goal
from services.goals.domain.goal_target import RetargetGoal, RetargetGoalBody
from services.goals.domain.goal_wording import (
    ChooseVisibility,
    ChooseVisibilityBody,
    ClassifyGoal,
    ClassifyGoalBody,
    DescribeGoal,
    DescribeGoalBody,
    RetitleGoal,
    RetitleGoalBody,
)
from shared.eventsourcing.decision import Decision
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId


def goal_wording_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.post("/{goal}/title", summary="Call a goal otherwise")
    @needs("goal", EDIT)
    async def retitle_goal(
        goal: GoalId, body: Annotated[RetitleGoalBody, Body(openapi_examples=examples.RETITLE)], edge: AtEdge
    ) -> CommandAnswer:
        async def given(_decision: Decision, state: Goal) -> RetitleGoal:
            return RetitleGoal.from_body(body, texts=await texts_now(runtime.vault, state), **edge.given)

        return await edited(runtime, edge, goal, given)

    @routes.post("/{goal}/description", summary="Say in more words what a goal means")
    @needs("goal", EDIT)
    async def describe_goal(
        goal: GoalId, body: Annotated[DescribeGoalBody, Body(openapi_examples=examples.DESCRIBE)], edge: AtEdge
    ) -> CommandAnswer:
        async def given(_decision: Decision, state: Goal) -> DescribeGoal:
            return DescribeGoal.from_body(body, texts=await texts_now(runtime.vault, state), **edge.given)

        return await edited(runtime, edge, goal, given)

    @routes.post("/{goal}/classification", summary="Say which values and competencies a goal stands for, and tag it")
    @needs("goal", EDIT)
    async def classify_goal(
        goal: GoalId, body: Annotated[ClassifyGoalBody, Body(openapi_examples=examples.CLASSIFY)], edge: AtEdge
    ) -> CommandAnswer:
        return await edited(runtime, edge, goal, ClassifyGoal.from_body(body, **edge.given))

    @routes.post("/{goal}/visibility", summary="Choose who sees a goal")
    @needs("goal", EDIT)
    async def choose_visibility(
        goal: GoalId, body: Annotated[ChooseVisibilityBody, Body(openapi_examples=examples.VISIBILITY)], edge: AtEdge
    ) -> CommandAnswer:
        return await edited(runtime, edge, goal, ChooseVisibility.from_body(body, **edge.given))

    @routes.post("/{goal}/target", summary="Measure a goal by another target")
    @needs("goal", EDIT)
    async def retarget_goal(
        goal: GoalId, body: Annotated[RetargetGoalBody, Body(openapi_examples=examples.RETARGET)], edge: AtEdge
    ) -> CommandAnswer:
        """Once something was measured, kind and unit stay. The progress is reckoned anew at once."""
        return await edited(runtime, edge, goal, RetargetGoal.from_body(body, **edge.given))

    return routes

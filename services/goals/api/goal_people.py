"""Goals and people: who works on them, who owns them next, and who goes on with them in the next period."""

from typing import Annotated

from fastapi import APIRouter, Body
from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api import examples
from services.goals.api.edge import AtEdge, GoalsEdge
from services.goals.api.goal_access import permitted
from services.goals.api.goal_edits import edited, texts_now, works_here
from services.goals.api.goal_moves import goal_above
from services.goals.api.permissions import CARRY_OVER, EDIT, HAND_OVER
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_carry_over import CarryOverGoal, CarryOverGoalBody, GoesOn, goes_on, set_again
from services.goals.domain.goal_people import HandOverGoal, HandOverGoalBody, NameContributors, NameContributorsBody
from services.goals.domain.goal_states import Goal, NotSet
from services.goals.projections import goal_graph
from shared.eventsourcing.decision import Decision, Plan
from shared.eventsourcing.identifiers import uuid7
from shared.people.population import exists
from shared.runtime.authorization import needs
from shared.runtime.http import CommandAnswer
from shared.runtime.problems import FieldError, invalid
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId


def goal_people_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/goals", tags=["goals"])

    @routes.post("/{goal}/contributors", summary="Say who works on a goal with its owner")
    @needs("goal", EDIT)
    async def name_contributors(
        goal: GoalId,
        body: Annotated[NameContributorsBody, Body(openapi_examples=examples.NAME_CONTRIBUTORS)],
        edge: AtEdge,
    ) -> CommandAnswer:
        """All of them: who is left out does not any more. They see the goal, and record its progress."""

        async def given(decision: Decision, _goal: Goal) -> NameContributors:
            await _refuse_strangers(decision.connection, body)
            return NameContributors.from_body(body, **edge.given)

        return await edited(runtime, edge, goal, given)

    @routes.post("/{goal}/hand-over", summary="Give a goal to another owner")
    @needs("goal", HAND_OVER)
    async def hand_over_goal(
        goal: GoalId, body: Annotated[HandOverGoalBody, Body(openapi_examples=examples.HAND_OVER)], edge: AtEdge
    ) -> CommandAnswer:
        """The texts of a person's goal are encrypted anew, with the next owner's key."""

        async def given(decision: Decision, state: Goal) -> HandOverGoal:
            employed = await works_here(decision.connection, body.owner, on=edge.now.date())
            texts = await texts_now(runtime.vault, state)
            return HandOverGoal.from_body(body, texts=texts, employed=employed, **edge.given)

        return await edited(runtime, edge, goal, given)

    @routes.post("/{goal}/carry-over", summary="Let a goal go on in a later period, as a goal of its own")
    @needs("goal", CARRY_OVER)
    async def carry_over_goal(
        goal: GoalId, body: Annotated[CarryOverGoalBody, Body(openapi_examples=examples.CARRY_OVER)], edge: AtEdge
    ) -> CommandAnswer:
        """`Location` names the new goal. The old one stays as it is, open or closed, and the two name each other."""
        answer = await permitted(runtime, edge, goal)
        plan = _carried_over(runtime, edge, goal, body)
        outcome = (await runtime.handler.handle_together(edge.context, plan, answer=answer))[0]
        async with runtime.reading.connect() as connection:
            after = (await runtime.handler.load(connection, GOAL, goal)).state
        return edge.accepted(outcome, location=f"{runtime.service.base_path}/goals/{goes_on(after)}")

    return routes


async def _refuse_strangers(connection: AsyncConnection, body: NameContributorsBody) -> None:
    unknown = [person for person in body.contributors if not await exists(connection, person)]
    if unknown:
        raise invalid([FieldError(field="contributors", value=str(unknown[0]), message="is nobody we know")])


def _carried_over(runtime: Runtime, edge: GoalsEdge, goal: GoalId, body: CarryOverGoalBody) -> Plan:
    async def plan(decision: Decision) -> None:
        if body.parent is not None:
            await goal_graph.lock_for_setting(decision.connection)
        before, new = (await decision.hold(GOAL, goal)).state, GoalId(uuid7())
        await decision.decide(GOAL, goal, CarryOverGoal(to=new, starts_on=body.starts_on, **edge.given))
        above, texts = await goal_above(decision, body.parent, edge.caller), await texts_now(runtime.vault, before)
        employed = not isinstance(before, NotSet) and await works_here(
            decision.connection, before.owner, on=edge.now.date()
        )
        known = GoesOn(carried_from=goal, texts=texts, above=above, employed=employed, **edge.given)
        await decision.decide(GOAL, new, set_again(before, body, new, known=known))
        await goal_graph.write(decision)

    return plan

"""Edits: one command on one goal, with the texts that it has now, opened for the rules."""

from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_access import permitted
from services.goals.api.goal_moves import Given
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_states import Active, Goal, NotSet
from services.goals.domain.goal_wording import TextsNow
from shared.eventsourcing.decider import Command
from shared.eventsourcing.decision import Decision
from shared.people.population import Person, find
from shared.privacy.vault import Vault
from shared.runtime.http import CommandAnswer
from shared.runtime.service import Runtime
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.people import EmploymentStatus


async def edited(runtime: Runtime, edge: GoalsEdge, goal: GoalId, given: Given | Command) -> CommandAnswer:
    """The answer to a command that leaves the goal where it is, if the caller may do what the route declares."""
    answer = await permitted(runtime, edge, goal)

    async def plan(decision: Decision) -> None:
        state = (await decision.hold(GOAL, goal)).state  # what its texts are read from is what is decided on
        await decision.decide(GOAL, goal, given if isinstance(given, Command) else await given(decision, state))

    return edge.accepted((await runtime.handler.handle_together(edge.context, plan, answer=answer))[0])


async def texts_now(vault: Vault, state: Goal) -> TextsNow:
    """What the goal says now, in clear."""
    if isinstance(state, NotSet):
        return TextsNow()
    was = state if isinstance(state, Active) else state.was
    return TextsNow(title=await vault.clear(was.title), description=await vault.clear(was.description))


async def works_here(connection: AsyncConnection, person: PersonId, *, on: date) -> bool:
    """Whether somebody may own a goal from that day on: they are known, and have not left by then."""
    known = await find(connection, person)
    return known is not None and is_here(known, on=on)


def is_here(person: Person, *, on: date) -> bool:
    """Whether they have not left by that day."""
    return person.status is not EmploymentStatus.LEFT and (person.left_on is None or person.left_on >= on)

"""The goals above a goal, as far as a move has to know them; the graph's lock is held by who asks."""

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_states import Active, Goal, NotSet, as_parent
from services.goals.domain.parent import ParentGoal
from services.goals.projections import goal_graph
from shared.eventsourcing.decision import Decision
from shared.schemas.identifiers import GoalId


async def parent_of(decision: Decision, state: Goal) -> ParentGoal | None:
    """What is known of a goal's own parent, whoever sees it; None where it hangs below none."""
    if isinstance(state, NotSet):
        return None
    was = state if isinstance(state, Active) else state.was
    return None if was.parent is None else await _above(decision, was.parent)


async def above_others(decision: Decision, goal: GoalId, *, of: GoalId | None = None) -> ParentGoal | None:
    """What is known of a goal that is to be above `of`, and how the others that are below it are weighed."""
    above = await _above(decision, goal)
    return above and above.model_copy(update={"children_weighed_by_hand": await _weighed_by_hand(decision, goal, of)})


async def _weighed_by_hand(decision: Decision, parent: GoalId, goal: GoalId | None) -> bool | None:
    """How the other goals below are weighed; None: there is no other that counts, or some are weighed each way."""
    await goal_graph.place_in_turn(decision.connection, parent)
    weighed = await goal_graph.weighed_children(decision.connection, parent)
    ways = {by_hand for child, by_hand in weighed.items() if child != goal}
    return ways.pop() if len(ways) == 1 else None


async def _above(decision: Decision, goal: GoalId) -> ParentGoal | None:
    state = (await decision.load(GOAL, goal)).state
    return as_parent(state, goal, await goal_graph.ancestors(decision.connection, goal))

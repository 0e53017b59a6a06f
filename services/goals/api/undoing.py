"""An assignment taken back: its goals are cancelled, in chunks, as long as nothing rests on them."""

from collections.abc import Sequence

from services.goals.api.assigning import CHUNK, Steps, act_of, chunks
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_assignment import ASSIGNMENT, Undone, WithdrawGoals
from services.goals.domain.goal_states import Goal, NotSet
from services.goals.domain.goal_withdrawal import WithdrawGoal
from services.goals.projections import goal_graph, goal_plans
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision, Plan
from shared.runtime.failures import problem_of
from shared.schemas.goal_assignments import WithdrawalOutcome, WithdrawnGoal
from shared.schemas.identifiers import GoalAssignmentId, GoalId, GoalPlanId


async def take_back(steps: Steps, assignment: GoalAssignmentId) -> None:
    """Withdraw what the act has set; asked again, what was kept is tried again."""
    act, _ = await act_of(steps.runtime, assignment)
    for chunk in chunks(sorted(act.goals), CHUNK):
        async with goal_graph.turn(steps.runtime.engine):
            await steps.take(_chunk(steps, assignment, chunk))


def _chunk(steps: Steps, assignment: GoalAssignmentId, goals: Sequence[GoalId]) -> Plan:
    edge = steps.edge

    async def plan(decision: Decision) -> None:
        await goal_graph.lock(decision.connection)
        act = (await decision.in_turn(ASSIGNMENT, assignment)).state
        todo = [goal for goal in goals if isinstance(act, Undone) and goal in act.goals]
        await decision.enter(GOAL, todo)
        await decision.read_ahead(steps.runtime.handler.store, GOAL, todo)
        resting = await goal_graph.resting_on(decision.connection, todo)
        planned = await _planned(decision, todo)
        results: list[WithdrawnGoal] = []
        for goal in todo:
            known = WithdrawGoal(
                resting=resting.get(goal, 0), plan=planned.get(goal), at=edge.now, by=edge.caller.person
            )
            results.append(await _result(decision, goal, known))
        command = WithdrawGoals(results=tuple(results), at=edge.now, by=edge.caller.person)
        await decision.decide(ASSIGNMENT, assignment, command)
        await goal_graph.write(decision)

    return plan


async def _result(decision: Decision, goal: GoalId, command: WithdrawGoal) -> WithdrawnGoal:
    mark = decision.mark()
    try:
        await decision.decide(GOAL, goal, command)
    except Rejected as refusal:
        decision.back_to(mark)
        message = problem_of(refusal).document.detail
        return WithdrawnGoal(goal=goal, outcome=WithdrawalOutcome.KEPT, rule=refusal.rule, message=message)
    return WithdrawnGoal(goal=goal, outcome=WithdrawalOutcome.WITHDRAWN)


async def _planned(decision: Decision, goals: Sequence[GoalId]) -> dict[GoalId, GoalPlanId]:
    """The plans that name them; an agreed one holds its goal by a lock besides, which no read model is asked for."""
    states: list[Goal] = [(await decision.load(GOAL, goal)).state for goal in goals]
    owners = {state.owner for state in states if not isinstance(state, NotSet)}
    return await goal_plans.naming(decision.connection, goals, owners)

"""What is frozen for a review is what the tree shows and what a fold of the streams says, whatever has happened."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import count
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import select, text

from services.goals.domain.goal import GOAL
from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.domain.plan_amendment import agreed_or_rejected
from services.goals.domain.plan_weights import PlannedGoal
from services.goals.projections import agreed_plans, goal_graph
from services.goals.projections.goal_rows import GOALS, GoalRow, GoalState, rows
from services.goals.projections.past_goals import Moment
from shared.eventsourcing.decision import Context, Decision
from shared.eventsourcing.identifiers import uuid7
from shared.schemas.goal_evidence import GoalEvidenceFrozen, counted_hash
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.identifiers import GoalId, GoalPlanId
from tests.integration.services.goals import histories
from tests.integration.services.goals.conftest import Company
from tests.integration.services.goals.histories import COUNT, folded
from tests.integration.services.goals.test_evidence_for_reviews import answer
from tests.unit.services.goals.examples import NOW, OWNER
from tests.unit.services.goals.plans import agree, as_manager, fact, propose

Steps = list[tuple[str, int, int, int, int]]
_FIRST: Final = count(1_000, 1_000)
_BEGIN: Final = (("align", 1, 0, 1, 1), ("align", 2, 1, 2, 1), ("align", 3, 0, 3, 1), ("align", 4, 1, 1, 1))
"""A tree of three levels, whose goals that measure themselves are its leaves."""
_SOURCES: Final = (False, False, True, True, True)
steps = st.lists(
    st.tuples(
        st.sampled_from(["measure", "measure", "align", "source", "achieve", "cancel", "cancel", "reopen", "retarget"]),
        st.integers(0, COUNT - 1),
        st.integers(-1, COUNT - 1),
        st.integers(1, 30),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=20,
)
shares = st.lists(st.integers(1, 40), min_size=COUNT, max_size=COUNT)


def weighed(told: histories.Company, drawn: Sequence[int]) -> dict[GoalId, Decimal]:
    """Every goal of the company, 100.00 together."""
    last = Decimal(100) - sum(Decimal(share) / 2 for share in drawn[:-1])
    return {told.id_of(n): Decimal(share) / 2 for n, share in enumerate(drawn[:-1])} | {told.id_of(COUNT - 1): last}


async def happened(company: Company, told: histories.Company, weights: Mapping[GoalId, Decimal]) -> GoalPlanId:
    """A plan that weighs every goal, agreed while they were all open; then all that the history tells, in the store."""
    plan = GoalPlanId(uuid7())
    goals = tuple(PlannedGoal(goal=goal, weight=weight) for goal, weight in weights.items())
    facts = tuple(fact(goal) for goal in weights)

    async def everything(decision: Decision) -> None:
        await goal_graph.lock(decision.connection)
        for goal, command in told.done:
            await decision.decide(GOAL, goal, command)
        await decision.decide(GOAL_PLAN, plan, propose(goals=goals, facts=facts, **as_manager))
        agreed = agreed_or_rejected(await decision.decide(GOAL_PLAN, plan, agree(facts=facts)))
        await agreed_plans.write(decision.connection, plan, agreed.scope)
        await goal_graph.write(decision)

    context = Context(actor=OWNER, at=NOW, command_id=uuid7(), correlation_id=uuid7())
    await company.service.runtime.handler.handle_together(context, everything)
    await company.settled()
    return plan


async def shown(company: Company, told: histories.Company) -> dict[GoalId, GoalRow]:
    its = GOALS.c.goal.in_([told.id_of(n) for n in range(COUNT)])
    async with company.service.runtime.engine.connect() as connection:
        return {row.goal: row for row in await rows(connection, select(GOALS).where(its))}


async def positions(company: Company) -> dict[str, int]:
    async with company.service.runtime.engine.connect() as connection:
        last = await connection.execute(text("select stream, max(position) as position from events group by stream"))
        return {row.stream: row.position for row in last}


def by_children(row: GoalRow) -> bool:
    signed = row.state in (GoalState.ACHIEVED, GoalState.MISSED) and row.own_progress is not None
    return row.measured_by == MeasuredBy.CHILDREN.value and not signed


def counted_below(goal: GoalId, tree: Mapping[GoalId, GoalRow]) -> set[GoalId]:
    """All that the tree's rows say to have counted in a goal's progress."""
    if not by_children(tree[goal]):
        return set()
    children = [
        row.goal
        for row in tree.values()
        if row.parent == goal and row.state is not GoalState.CANCELLED and row.progress is not None
    ]
    return {one for child in children for one in (child, *counted_below(child, tree))}


def value_of(row: GoalRow) -> Decimal | None:
    """An open goal that those below it measure shows the last value of its own, which does not count."""
    open_or_cancelled = row.state in (GoalState.ACTIVE, GoalState.CANCELLED)
    return None if open_or_cancelled and row.measured_by == MeasuredBy.CHILDREN.value else row.value


def check(event: GoalEvidenceFrozen, tree: Mapping[GoalId, GoalRow], weights: Mapping[GoalId, Decimal]) -> None:
    assert {line.goal: line.weight for line in event.goals} == weights
    for line in event.goals:
        row, told = tree[line.goal], (line.state, line.value, line.progress, line.version)
        assert told == (row.state.value, value_of(row), row.progress, row.version)
        its = counted_below(line.goal, tree)
        assert line.counted == len(its)
        counted = [one for one in event.counted if one.goal in its]
        assert line.counted_hash == (counted_hash(counted) if its else None)
    assert {one.goal for one in event.counted} == {one for goal in weights for one in counted_below(goal, tree)}
    for one in event.counted:
        row = tree[one.goal]
        assert (one.parent, one.weight, one.progress, one.version) == (
            row.parent,
            row.weight,
            row.progress,
            row.version,
        )


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(steps, shares)
async def test_what_is_frozen_is_what_the_tree_shows_and_a_fold_of_the_streams_says(
    company: Company, steps: Steps, drawn: list[int]
) -> None:
    told = histories.Company(_SOURCES, first=next(_FIRST))
    for step in (*_BEGIN, *steps):
        told.do(*step)
    weights = weighed(told, drawn)
    plan = await happened(company, told, weights)
    event = await answer(company, OWNER)
    mine = event.model_copy(update={"goals": tuple(line for line in event.goals if line.plan == plan)})
    tree, last = await shown(company, told), await positions(company)
    ids = {told.id_of(n) for n in range(COUNT)}
    check(mine.model_copy(update={"counted": tuple(one for one in event.counted if one.goal in ids)}), tree, weights)
    assert {line.goal: line.progress for line in mine.goals} == folded(told.log, Moment(), first=told.first)
    for line in mine.goals:
        assert line.position == last[f"goal-{line.goal}"]

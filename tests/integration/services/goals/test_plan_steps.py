"""Plan steps: events in, rows out; a goal's words as they were when somebody proposed them."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.projections import plan_steps
from shared.schemas.goal_changes import GoalRetitled
from shared.schemas.goal_plans import GoalPlanAgreed, GoalPlanProposed
from shared.schemas.goal_ties import GoalHandedOver
from shared.schemas.identifiers import GoalPlanId
from shared.schemas.personal_text import PersonalText
from tests.integration.services.goals.published import recorded
from tests.integration.services.goals.trees import deliver
from tests.unit.services.goals.examples import A_GOAL, HR, OWNER, team_goal_set
from tests.unit.services.goals.plans import agreed, proposed

PLAN = GoalPlanId(UUID(int=1))
proposal = proposed("100.00")
retitled = GoalRetitled(title="Answer sooner")
of_the_plan = [
    recorded(event, stream=PLAN, version=version, category=GOAL_PLAN.category)
    for version, event in enumerate((proposal, agreed), start=1)
]
of_the_goal = [recorded(event, stream=A_GOAL, version=n) for n, event in enumerate((team_goal_set, retitled), start=1)]


async def test_steps_are_kept_in_their_order_however_often_they_come(engine: AsyncEngine) -> None:
    for _ in ("delivered", "delivered again"):
        await deliver(engine, of_the_plan, plan_steps.apply)
    async with engine.connect() as connection:
        steps = await plan_steps.steps(connection, PLAN, after=None, limit=10)
        rest = await plan_steps.steps(connection, PLAN, after=1, limit=10)
    assert [(step.version, type(step.event)) for step in steps] == [(1, GoalPlanProposed), (2, GoalPlanAgreed)]
    assert [step.event for step in steps] == [proposal, agreed]
    assert [step.version for step in rest] == [2]


async def test_a_goals_words_are_those_of_the_version_that_was_seen(engine: AsyncEngine) -> None:
    for record in reversed(of_the_goal):
        await deliver(engine, [record], plan_steps.apply)
    async with engine.connect() as connection:
        words = await plan_steps.wordings(connection, [(A_GOAL, 1), (A_GOAL, 2), (A_GOAL, 9)])
    assert {key: wording.title for key, wording in words.items()} == {
        (A_GOAL, 1): "Halve the open tickets",
        (A_GOAL, 2): "Answer sooner",
        (A_GOAL, 9): "Answer sooner",
    }
    assert words[A_GOAL, 9].metric == team_goal_set.metric


async def test_a_goal_that_is_handed_over_keeps_who_wrote_its_words(engine: AsyncEngine) -> None:
    away = GoalHandedOver(
        owner=HR,
        previous_owner=OWNER,
        team="Support",
        title=PersonalText(person=HR, key="k", ciphertext="c", bound_to="b"),
        description=None,
        reason="moved",
    )
    await deliver(engine, [*of_the_goal, recorded(away, stream=A_GOAL, version=3)], plan_steps.apply)
    async with engine.connect() as connection:
        words = await plan_steps.wordings(connection, [(A_GOAL, 2), (A_GOAL, 3)])
    assert words[A_GOAL, 3].title == away.title
    assert words[A_GOAL, 3].titled_by == words[A_GOAL, 2].titled_by

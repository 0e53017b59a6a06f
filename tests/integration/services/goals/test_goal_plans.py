"""Goal plans: events in, rows out."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.domain.goal_plan import GOAL_PLAN
from services.goals.projections import goal_plans
from services.goals.projections.goal_plans import PlanRow, PlanState
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_plans import GoalPlanAgreed, GoalPlanProposed, GoalPlanReturned, PlanWeight
from shared.schemas.identifiers import GoalPlanId
from shared.schemas.personal_text import PersonalText
from tests.integration.services.goals.published import recorded
from tests.integration.services.goals.trees import deliver
from tests.unit.services.goals.examples import A_GOAL, JANUARY, JUNE, MANAGER, OWNER, PARENT
from tests.unit.services.goals.plans import AMENDMENT, amended, amendment_proposed

sent_back_sealed = GoalPlanReturned(
    owner=OWNER, comment=PersonalText(person=OWNER, key="k", ciphertext="c", bound_to="b"), returned_by=OWNER
)
FIRST, SECOND = (GoalPlanId(UUID(int=number)) for number in (1, 2))
weights = (PlanWeight(goal=A_GOAL, weight=Decimal("60.00")), PlanWeight(goal=PARENT, weight=Decimal("40.00")))
draft = GoalPlanProposed(owner=OWNER, starts_on=JANUARY, ends_on=JUNE, weights=weights[:1], proposed_by=OWNER)
proposed = GoalPlanProposed(owner=OWNER, starts_on=JANUARY, ends_on=JUNE, weights=weights, proposed_by=MANAGER)
agreed = GoalPlanAgreed(owner=OWNER, starts_on=JANUARY, ends_on=JUNE, weights=weights, agreed_by=OWNER)


def plan(identity: GoalPlanId, *events: Event) -> list[Recorded]:
    return [
        recorded(event, stream=identity, version=version, category=GOAL_PLAN.category)
        for version, event in enumerate(events, start=1)
    ]


async def found(engine: AsyncEngine, identity: GoalPlanId) -> PlanRow | None:
    async with engine.connect() as connection:
        return await goal_plans.find(connection, identity)


async def test_a_plan_is_shown_as_it_was_last_proposed(engine: AsyncEngine) -> None:
    await deliver(engine, plan(FIRST, draft, proposed), goal_plans.apply)
    row = await found(engine, FIRST)
    assert row == PlanRow(
        plan=FIRST,
        version=2,
        state=PlanState.PROPOSED,
        owner=OWNER,
        starts_on=JANUARY,
        ends_on=JUNE,
        weights=weights,
        proposed_by=MANAGER,
        agreed_by=None,
        lost=[],
    )
    assert row is not None
    assert row.total == 100


async def test_an_agreed_plan_shows_who_proposed_and_who_agreed(engine: AsyncEngine) -> None:
    for events in plan(FIRST, draft, proposed, agreed):
        for _ in ("delivered", "delivered again"):
            await deliver(engine, [events], goal_plans.apply)
    row = await found(engine, FIRST)
    assert row is not None
    assert (row.version, row.state, row.proposed_by, row.agreed_by) == (3, PlanState.AGREED, MANAGER, OWNER)


async def test_a_plan_that_does_not_exist_is_not_found(engine: AsyncEngine) -> None:
    assert await found(engine, FIRST) is None


async def test_a_persons_plans_are_listed_by_period(engine: AsyncEngine) -> None:
    later = proposed.model_copy(update={"starts_on": JANUARY + timedelta(days=90)})
    somebody = proposed.model_copy(update={"owner": MANAGER})
    plans = [*plan(FIRST, later), *plan(SECOND, proposed), *plan(GoalPlanId(UUID(int=3)), somebody)]
    await deliver(engine, plans, goal_plans.apply)
    async with engine.connect() as connection:
        listed = await goal_plans.of_owner(connection, OWNER, after=None, limit=10)
        rest = await goal_plans.of_owner(connection, OWNER, after=(JANUARY, SECOND), limit=10)
    assert [row.plan for row in listed] == [SECOND, FIRST]
    assert [row.plan for row in rest] == [FIRST]


async def test_a_slice_without_plans_changes_nothing(engine: AsyncEngine) -> None:
    await deliver(engine, [], goal_plans.apply)
    assert await found(engine, FIRST) is None


async def test_an_amendment_waits_and_then_changes_the_weights(engine: AsyncEngine) -> None:
    other = tuple(weight.model_copy(update={"weight": Decimal("50.00")}) for weight in weights)
    waiting = amendment_proposed(weights=other)
    await deliver(engine, plan(FIRST, proposed, agreed, waiting), goal_plans.apply)
    row = await found(engine, FIRST)
    assert row is not None
    assert (row.state, row.amendment, row.amendment_by, row.weights) == (PlanState.AGREED, AMENDMENT, MANAGER, weights)
    events = plan(FIRST, proposed, agreed, waiting, amended(weights=other))
    await deliver(engine, events[-1:], goal_plans.apply)
    row = await found(engine, FIRST)
    assert row is not None
    assert (row.version, row.amendment, row.amendment_by, row.weights) == (4, None, None, other)


async def test_a_plan_that_was_sent_back_keeps_what_was_proposed(engine: AsyncEngine) -> None:
    await deliver(engine, plan(FIRST, proposed, sent_back_sealed), goal_plans.apply)
    row = await found(engine, FIRST)
    assert row is not None
    assert (row.state, row.proposed_by, row.weights) == (PlanState.RETURNED, MANAGER, weights)

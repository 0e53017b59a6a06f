"""Goals as they stood at any moment, as it was known at any other: what a fold of their streams says."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import Table, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.projections import goal_periods
from services.goals.projections.goal_past import Fact
from services.goals.projections.goal_periods import FACTS, PERIODS
from services.goals.projections.goal_rows import GOALS
from services.goals.projections.goal_stretches import Known
from services.goals.projections.past_goals import WALKED, Moment, PastGoal, goals_then
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_metrics import Keep, KeepPeriod, Metric, MetricKind
from shared.schemas.goals import GoalAchieved, GoalAligned, GoalReopened
from shared.schemas.identifiers import GoalId
from tests.integration.services.goals.histories import COUNT, Company, folded, moments, sources, steps
from tests.integration.services.goals.published import recorded, slices
from tests.integration.services.goals.trees import LEAF, LEFT, ROOT, deliver, goal_set, moved, tree
from tests.unit.services.goals.examples import JANUARY, JUNE, NOW

ALL = [GoalId(UUID(int=goal)) for goal in range(COUNT)]
HOUR = timedelta(hours=1)
Steps = list[tuple[str, int, int, int, int]]


def history_of(sources: Sequence[bool], steps: Steps) -> list[Recorded]:
    company = Company(sources)
    for step in steps:
        company.do(*step)
    return company.log


async def then(
    engine: AsyncEngine, moment: Moment, goals: Sequence[GoalId] = ALL, *, walked: int = WALKED
) -> dict[GoalId, PastGoal]:
    async with engine.connect() as connection:
        return {past.row.goal: past for past in await goals_then(connection, goals, moment, walked=walked)}


async def emptied(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("truncate goal_facts, goal_periods, goal_tree"))


async def contents(engine: AsyncEngine, *tables: Table) -> list[str]:
    async with engine.connect() as connection:
        return sorted([str(row) for table in tables for row in await connection.execute(select(table))])


async def at_once(engine: AsyncEngine, events: Sequence[Recorded]) -> list[str]:
    await emptied(engine)
    await deliver(engine, events, goal_periods.apply)
    return await contents(engine, FACTS, PERIODS)


async def one_by_one(engine: AsyncEngine, events: Sequence[Recorded]) -> list[str]:
    await emptied(engine)
    for one in events:
        await deliver(engine, [one], goal_periods.apply)
    return await contents(engine, FACTS, PERIODS)


def partitioned(log: Sequence[Recorded], random: Random) -> list[list[Recorded]]:
    partition_of = {goal: random.randrange(3) for goal in ALL}
    return [[one for one in log if partition_of[GoalId(one.stream_id)] == partition] for partition in range(3)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(sources, steps, moments, st.randoms(use_true_random=False))
async def test_at_every_moment_the_past_is_the_fold_of_the_streams_in_any_order_of_delivery(
    engine: AsyncEngine, sources: list[bool], steps: Steps, moments: list[Moment], random: Random
) -> None:
    await emptied(engine)
    log = history_of(sources, steps)
    for together in slices(partitioned(log, random), random):
        await asyncio.gather(*(deliver(engine, events, goal_periods.apply) for events in together))
    for moment in [Moment(), *moments]:
        for walked in (WALKED, 0):  # goal by goal, and all that stood then at once
            found = {goal: past.row.progress for goal, past in (await then(engine, moment, walked=walked)).items()}
            assert found == folded(log, moment), moment


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(sources, steps, st.randoms(use_true_random=False))
async def test_the_last_that_is_known_is_what_the_goal_tree_shows_and_a_rebuild_gives_the_same_rows(
    engine: AsyncEngine, sources: list[bool], steps: Steps, random: Random
) -> None:
    await emptied(engine)
    log = history_of(sources, steps)
    for together in slices(partitioned(log, random), random):
        for events in together:
            await deliver(engine, events, goal_periods.apply)
            await deliver(engine, events)
    shown = {goal: replace(row, contributors=()) for goal, row in (await tree(engine)).items()}
    assert {goal: past.row for goal, past in (await then(engine, Moment())).items()} == shown
    before = await contents(engine, FACTS, PERIODS)
    await emptied(engine)
    await deliver(engine, log, goal_periods.apply)
    assert await contents(engine, FACTS, PERIODS) == before


def told(goal: GoalId, version: int, event: Event, *, at: int, known: int | None = None) -> Recorded:
    """In hours after noon; known at once, unless that is said."""
    one = recorded(event, stream=goal, version=version)
    known_at = NOW + (at if known is None else known) * HOUR
    return replace(one, envelope=replace(one.envelope, time=NOW + at * HOUR, recorded_at=known_at))


def measured(percent: str, hours: int) -> Event:
    return moved(percent).model_copy(update={"value": 200 - Decimal(percent) * 2, "measured_at": NOW + hours * HOUR})


def at(hours: float, known: float | None = None) -> Moment:
    return Moment(at=NOW + hours * HOUR, known=None if known is None else NOW + known * HOUR)


async def progress(engine: AsyncEngine, goal: GoalId, moment: Moment) -> Decimal | None:
    return (await then(engine, moment, [goal]))[goal].row.progress


async def test_back_dated_progress_changes_the_past_from_the_moment_that_it_speaks_of_for_who_knows_of_it(
    engine: AsyncEngine,
) -> None:
    late = measured("30", 2).model_copy(update={"late": True})
    events = [
        told(ROOT, 1, goal_set(measured=False), at=0),
        told(LEAF, 1, goal_set(ROOT), at=0),
        told(LEAF, 2, measured("50", 5), at=5),
        told(LEAF, 3, late, at=8),
    ]
    await deliver(engine, events, goal_periods.apply)
    for goal in (LEAF, ROOT):
        assert await progress(engine, goal, at(1)) == 0
        assert await progress(engine, goal, at(3)) == 30
        assert await progress(engine, goal, at(3, known=7)) == 0
        assert await progress(engine, goal, at(6)) == await progress(engine, goal, Moment()) == 50
        assert await progress(engine, goal, Moment(known=NOW + 4 * HOUR)) == 0


async def test_a_correction_of_the_same_moment_takes_the_place_of_what_was_known(engine: AsyncEngine) -> None:
    events = [told(LEAF, 1, goal_set(), at=0), told(LEAF, 2, measured("50", 2), at=2)]
    await deliver(engine, [*events, told(LEAF, 3, measured("20", 2), at=9)], goal_periods.apply)
    assert (await progress(engine, LEAF, at(4)), await progress(engine, LEAF, at(4, known=8))) == (20, 50)


async def test_a_goal_is_under_the_parent_that_it_was_under_then(engine: AsyncEngine) -> None:
    events = [
        told(ROOT, 1, goal_set(measured=False), at=0),
        told(LEFT, 1, goal_set(measured=False), at=0),
        told(LEAF, 1, goal_set(ROOT), at=0),
        told(LEAF, 2, measured("40", 1), at=1),
        told(LEAF, 3, GoalAligned(parent=LEFT, previous_parent=ROOT), at=3),
    ]
    await deliver(engine, events, goal_periods.apply)
    assert (await progress(engine, ROOT, at(2)), await progress(engine, LEFT, at(2))) == (40, None)
    assert (await progress(engine, ROOT, at(4)), await progress(engine, LEFT, at(4))) == (None, 40)


async def test_before_it_was_set_there_was_no_goal(engine: AsyncEngine) -> None:
    await deliver(engine, [told(LEAF, 1, goal_set(), at=1)], goal_periods.apply)
    assert await then(engine, at(0), [LEAF]) == {}
    assert await then(engine, at(2, known=0), [LEAF]) == {}


async def test_of_a_bound_to_keep_the_share_is_that_of_the_periods_measured_by_then(engine: AsyncEngine) -> None:
    keep = Metric(
        kind=MetricKind.KEEP, start=None, target=None, keep=Keep(least=Decimal(10), most=None, period=KeepPeriod.DAY)
    )
    day = 24
    kept, broken = (moved("0").model_copy(update={"value": Decimal(value)}) for value in (12, 5))
    events = [told(LEAF, 1, goal_set().model_copy(update={"metric": keep}), at=0)] + [
        told(LEAF, version, event.model_copy(update={"measured_at": NOW + hours * HOUR}), at=hours, known=known)
        for version, (event, hours, known) in enumerate(
            [(kept, 1, 1), (broken, 2 * day, 2 * day), (kept, day, 3 * day)], start=2
        )
    ]
    await deliver(engine, events, goal_periods.apply)
    assert await progress(engine, LEAF, at(2 * day + 1)) == Decimal("66.666666666667")
    assert await progress(engine, LEAF, at(2 * day + 1, known=2 * day + 1)) == 50
    assert await progress(engine, LEAF, at(day + 1)) == 100


async def test_a_late_reading_counts_in_a_goal_that_was_reopened_before_anything_was_measured_of_it(
    engine: AsyncEngine,
) -> None:
    keep = Metric(
        kind=MetricKind.KEEP, start=None, target=None, keep=Keep(least=Decimal(10), most=None, period=KeepPeriod.DAY)
    )
    late = moved("100").model_copy(update={"value": Decimal(12), "measured_at": NOW + HOUR, "late": True})
    events = [
        told(LEAF, 1, goal_set().model_copy(update={"metric": keep}), at=0),
        told(LEAF, 2, GoalAchieved(closed_on=JANUARY, value=Decimal(12), progress=None), at=2),
        told(LEAF, 3, GoalReopened(reason="too-early", ends_on=JUNE, value=None, progress=None), at=3),
        told(LEAF, 4, late, at=4),
    ]
    await deliver(engine, events, goal_periods.apply)
    assert await progress(engine, LEAF, Moment()) == 100


async def test_the_goal_tree_alone_knows_nothing_of_the_past(engine: AsyncEngine) -> None:
    """The negative control: the row that serves the present is another one."""
    events = [told(LEAF, 1, goal_set(), at=0), told(LEAF, 2, measured("50", 5), at=5)]
    for apply in (goal_periods.apply, None):
        await (deliver(engine, events, apply) if apply else deliver(engine, events))
    async with engine.connect() as connection:
        present = await connection.scalar(select(GOALS.c.progress).where(GOALS.c.goal == LEAF))
    assert (present, await progress(engine, LEAF, at(1))) == (50, 0)


async def test_what_a_transaction_that_failed_had_told_is_told_again(engine: AsyncEngine) -> None:
    begun = [told(LEAF, 1, goal_set(), at=0), told(LEAF, 2, measured("50", 2), at=2)]
    more = [told(LEAF, 3, measured("20", 3), at=3), told(LEAF, 4, measured("30", 4), at=4)]
    await deliver(engine, [*begun, *more], goal_periods.apply)
    undisturbed = await contents(engine, FACTS, PERIODS)
    await emptied(engine)
    await deliver(engine, begun, goal_periods.apply)
    async with engine.connect() as connection, connection.begin() as transaction:
        await goal_periods.apply(connection, more)
        await transaction.rollback()
    for one in more:
        await deliver(engine, [one], goal_periods.apply)
    assert await contents(engine, FACTS, PERIODS) == undisturbed


async def test_what_is_known_at_one_moment_is_known_at_once_also_when_it_comes_in_two_slices(
    engine: AsyncEngine,
) -> None:
    events = [
        told(LEAF, 1, goal_set(), at=0),
        told(LEAF, 2, measured("50", 5), at=5, known=9),
        told(LEAF, 3, measured("50", 2), at=6, known=9),
    ]
    assert await one_by_one(engine, events) == await at_once(engine, events)


async def test_a_reading_that_speaks_of_long_ago_changes_what_is_no_longer_remembered(engine: AsyncEngine) -> None:
    often = [told(LEAF, version, measured(str(version), version), at=version) for version in range(2, 30)]
    long_ago = [told(LEAF, 30, measured("70", 3), at=40), told(LEAF, 31, measured("71", 41), at=41)]
    events = [told(LEAF, 1, goal_set(), at=0), *often, *long_ago]
    assert await one_by_one(engine, events) == await at_once(engine, events)


def test_of_a_goal_that_is_measured_often_the_end_alone_is_remembered() -> None:
    known = Known(LEAF)
    for version in range(1, 200):
        event = goal_set() if version == 1 else measured(str(version % 100), version)
        envelope = told(LEAF, version, event, at=version).envelope
        known.add(
            [
                Fact(
                    goal=LEAF,
                    version=version,
                    event=event,
                    occurred_at=envelope.time,
                    known_at=envelope.recorded_at,
                    actor=envelope.actor,
                )
            ]
        )
    assert len(known.course) < 10

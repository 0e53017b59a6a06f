"""The goal tree is the same whatever comes first and whoever applies it, and it is not without its lock."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncEngine

from services.goals.projections import goal_tree
from services.goals.projections.goal_rows import GOALS
from shared.eventsourcing.projection import Apply
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_metrics import GoalMeasureChosen, MeasuredBy
from shared.schemas.goals import (
    GoalAchieved,
    GoalAligned,
    GoalCancelled,
    GoalProgressRecorded,
    GoalSet,
)
from shared.schemas.identifiers import GoalId
from tests.integration.services.goals.published import recorded, slices
from tests.integration.services.goals.trees import LEFT, RIGHT, ROOT, deliver, goal_set, history, moved, progress
from tests.unit.services.goals.examples import JUNE

COUNT = 6
steps = st.lists(
    st.tuples(
        st.sampled_from(["align", "align", "measure", "measure", "late", "source", "achieve", "cancel"]),
        st.integers(0, COUNT - 1),
        st.integers(-1, COUNT - 1),
        st.integers(0, 100),
        st.integers(0, 3),
    ),
    max_size=30,
)
measured = st.lists(st.booleans(), min_size=COUNT, max_size=COUNT)


class Company:
    """The write side, simply: goals, their events in the order of the log, and no cycle at any moment."""

    def __init__(self, measured: Sequence[bool]) -> None:
        self.log: list[Recorded] = []
        self.versions = dict.fromkeys(range(COUNT), 0)
        self.parents: dict[int, int] = {}
        self.closed: set[int] = set()
        self.sources = [MeasuredBy.METRIC if has_metric else None for has_metric in measured]
        for goal, has_metric in enumerate(measured):
            self._say(goal, goal_set(measured=has_metric))

    def _say(self, goal: int, event: Event) -> None:
        self.versions[goal] += 1
        self.log.append(recorded(event, stream=UUID(int=goal), version=self.versions[goal]))

    def do(self, step: str, goal: int, other: int, percent: int, weight: int) -> None:
        if goal in self.closed:
            return
        match step:
            case "align" if other < 0:
                self.parents.pop(goal, None)
                self._say(goal, GoalAligned(parent=None, previous_parent=None))
            case "align" if goal not in self._line(other):
                self.parents[goal] = other
                parent = GoalId(UUID(int=other))
                self._say(goal, GoalAligned(parent=parent, previous_parent=None, weight=Decimal(weight)))
            case "measure":
                self._say(goal, moved(str(percent)))
            case "late":
                self._say(goal, moved(str(percent)).model_copy(update={"late": True}))
            case "source" if (previous := self.sources[goal]) is not None:
                by_metric = previous is MeasuredBy.METRIC
                chosen = self.sources[goal] = MeasuredBy.CHILDREN if by_metric else MeasuredBy.METRIC
                self._say(goal, GoalMeasureChosen(measured_by=chosen, previous=previous))
            case "achieve":
                self.closed.add(goal)
                self._say(goal, GoalAchieved(value=Decimal(1), progress=Decimal(percent), closed_on=JUNE))
            case "cancel":
                self.closed.add(goal)
                self._say(goal, GoalCancelled(reason="merged"))
            case _:
                pass

    def _line(self, goal: int) -> list[int]:
        line = [goal]
        while line[-1] in self.parents:
            line.append(self.parents[line[-1]])
        return line


@dataclass(slots=True)
class Last:
    """A goal as its own stream leaves it."""

    source: MeasuredBy
    own: Decimal | None
    parent: GoalId | None
    weight: Decimal
    signed: bool = False
    cancelled: bool = False

    def then(self, event: Event) -> None:
        match event:
            case GoalAligned():
                self.parent, self.weight = event.parent, event.weight
            case GoalMeasureChosen():
                self.source = event.measured_by
            case GoalProgressRecorded(late=False) | GoalAchieved():
                self.own, self.signed = event.progress, isinstance(event, GoalAchieved)
            case GoalCancelled():
                self.cancelled = True
            case _:
                pass


def fold(log: Sequence[Recorded]) -> dict[GoalId, Decimal | None]:
    """What the tree must be, from the log's end state alone: top down, with no regard to any order."""
    last: dict[GoalId, Last] = {}
    for record in log:
        goal = GoalId(record.stream_id)
        if isinstance(event := record.event, GoalSet):
            last[goal] = Last(event.source, Decimal(0) if event.metric else None, event.parent, event.weight)
        else:
            assert isinstance(event, Event)
            last[goal].then(event)

    def of(goal: GoalId) -> Decimal | None:
        if last[goal].source is not MeasuredBy.CHILDREN or last[goal].signed:
            return last[goal].own
        children = [(c.weight, of(child)) for child, c in last.items() if c.parent == goal and not c.cancelled]
        counted = [(weight, progress) for weight, progress in children if progress is not None]
        total = sum(weight for weight, _ in counted)
        if not total:
            return None
        return (sum(w * p for w, p in counted) / Decimal(total)).quantize(Decimal("1e-12"), ROUND_HALF_UP)

    return {goal: of(goal) for goal in last}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(measured, steps, st.randoms(use_true_random=False))
async def test_any_interleaving_of_partitions_two_slices_at_once_ends_in_the_same_tree(
    engine: AsyncEngine, measured: list[bool], steps: list[tuple[str, int, int, int, int]], random: Random
) -> None:
    company = Company(measured)
    for step in steps:
        company.do(*step)
    partition_of = {UUID(int=goal): random.randrange(4) for goal in range(COUNT)}
    partitions = [[record for record in company.log if partition_of[record.stream_id] == p] for p in range(4)]
    for _rebuild in range(2):
        async with engine.begin() as connection:
            await connection.execute(delete(GOALS))
        for together in slices(partitions, random):
            await asyncio.gather(*(deliver(engine, events) for events in together))
        assert await progress(engine) == fold(company.log)


# -- the lock, and what happens without it

ROUNDS = 25


async def wrong_parents(engine: AsyncEngine, apply: Apply) -> int:
    """How often, of `ROUNDS`, a parent whose two children move at the same moment in two partitions ends up wrong."""
    await deliver(
        engine,
        [*history(ROOT, goal_set(measured=False)), *history(LEFT, goal_set(ROOT)), *history(RIGHT, goal_set(ROOT))],
    )
    wrong = 0
    for percent in range(1, ROUNDS + 1):
        slices_at_once = [[recorded(moved(str(percent)), stream=child, version=2)] for child in (LEFT, RIGHT)]
        await asyncio.gather(*(deliver(engine, events, apply) for events in slices_at_once))
        wrong += (await progress(engine))[ROOT] != percent
    return wrong


async def test_two_workers_at_once_leave_a_parent_right(engine: AsyncEngine) -> None:
    assert await wrong_parents(engine, goal_tree.apply) == 0


async def test_without_the_lock_two_workers_at_once_leave_a_parent_wrong(
    engine: AsyncEngine, record_property: Callable[[str, object], None]
) -> None:
    wrong = await wrong_parents(engine, goal_tree.apply_alone)
    record_property("parents wrong without the lock", f"{wrong} of {ROUNDS}")
    assert wrong > 0

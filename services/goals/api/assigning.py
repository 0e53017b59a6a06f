"""Goals given to a population, in chunks which may be repeated at any time: a person's goals and result are one act.

A goal's id says template, person and period. So nobody gets the same goal twice, whoever assigns it, and how often.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final, TypeVar

from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_moves import goal_above
from services.goals.api.population import select_population
from services.goals.domain.goal import GOAL
from services.goals.domain.goal_assignment import ASSIGNMENT, Act, AssignGoals, Assigning, FinishAssignment, NotBegun
from services.goals.domain.goal_setting import SetGoal
from services.goals.domain.goal_states import Cancelled, NotSet
from services.goals.domain.metric import body_of
from services.goals.domain.parent import ParentGoal
from services.goals.projections import goal_graph
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.decision import Decision, Outcome, Plan
from shared.eventsourcing.identifiers import derived
from shared.privacy.errors import PersonErased
from shared.runtime.failures import problem_of
from shared.runtime.http import CONSISTENCY
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_assignments import AssignedGoal, AssignmentOutcome, GivenTemplate, GoalAssignmentBegun
from shared.schemas.goals import GoalLevel
from shared.schemas.identifiers import GoalAssignmentId, GoalId, GoalTemplateId, PersonId

CHUNK: Final = 25
"""Persons a transaction: each has texts to seal, and it must end within its time on a busy machine, too."""
One = TypeVar("One")


@dataclass(slots=True)
class Steps:
    """The transactions of an act that one request goes on with: each in a context of its own, none under a key."""

    runtime: Runtime
    edge: GoalsEdge
    reached: dict[int, int] = field(default_factory=dict[int, int])

    async def take(self, plan: Plan) -> None:
        """One of them; its streams are covered by the answer's Consistency-Token."""
        alone = replace(self.edge.context, idempotency=None, expected_version=None)
        self.count(await self.runtime.handler.handle_together(alone, plan))

    def count(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.reached[outcome.partition] = max(outcome.position, self.reached.get(outcome.partition, 0))
        self.edge.response.headers[CONSISTENCY] = ",".join(f"{p}-{at}" for p, at in sorted(self.reached.items()))


async def act_of(runtime: Runtime, assignment: GoalAssignmentId) -> tuple[Act, int]:
    """The assignment as it stands, and its version.

    Raises:
        Problem: 404, there is no such assignment.
    """
    async with runtime.reading.connect() as connection:
        loaded = await runtime.handler.load(connection, ASSIGNMENT, assignment)
    if isinstance(loaded.state, NotBegun):
        raise not_found("assignment", assignment)
    return loaded.state, loaded.version


async def go_on(steps: Steps, assignment: GoalAssignmentId) -> None:
    """Give the goals to everybody of the population who has no result yet.

    Raises:
        Rejected: goal-assignment-is-undone.
    """
    act, _ = await act_of(steps.runtime, assignment)
    if isinstance(act, Assigning):
        found = await select_population(steps.runtime.engine, act.begun.population, on=steps.edge.now.date())
        for chunk in chunks([person for person in found if person not in act.done], CHUNK):
            await _give(steps, assignment, {person: found[person] for person in chunk})

    async def finish(decision: Decision) -> None:
        command = FinishAssignment(at=steps.edge.now, by=steps.edge.caller.person)
        await decision.decide(ASSIGNMENT, assignment, command)

    await steps.take(finish)


def chunks(items: Sequence[One], size: int) -> Iterator[Sequence[One]]:
    yield from (items[start : start + size] for start in range(0, len(items), size))


async def _give(steps: Steps, assignment: GoalAssignmentId, people: Mapping[PersonId, bool]) -> None:
    """One chunk; who was erased is found when a text is to be sealed, and is refused the next time."""
    erased = set[PersonId]()
    while True:
        try:
            return await steps.take(_chunk(steps, assignment, people, erased))
        except PersonErased as error:
            if error.person in erased:
                raise
            erased.add(error.person)


def _chunk(steps: Steps, assignment: GoalAssignmentId, people: Mapping[PersonId, bool], erased: set[PersonId]) -> Plan:
    edge = steps.edge

    async def plan(decision: Decision) -> None:
        await goal_graph.lock_for_setting(decision.connection)
        act = (await decision.in_turn(ASSIGNMENT, assignment)).state  # who goes on with the same act waits here
        if isinstance(act, NotBegun):
            raise not_found("assignment", assignment)
        above = await goal_above(decision, act.begun.parent, edge.caller)
        giving = _Giving(decision, edge, act.begun, above)
        todo = {person: here for person, here in people.items() if person not in act.done}
        await giving.read_ahead(steps.runtime, todo)
        results = [await _given(giving, p, t, _obstacle(p, here=todo[p], erased=erased)) for p, t in giving.each(todo)]
        command = AssignGoals(results=tuple(results), at=edge.now, by=edge.caller.person)
        await decision.decide(ASSIGNMENT, assignment, command)
        await goal_graph.write(decision)

    return plan


def _obstacle(person: PersonId, *, here: bool, erased: set[PersonId]) -> Rejected | None:
    """What refuses a person any goal."""
    if not here:
        return Rejected("person-must-be-employed", person=person)
    return Rejected("person-is-erased", person=person) if person in erased else None


@dataclass(frozen=True, slots=True)
class _Giving:
    """What the goals of one transaction are set by."""

    decision: Decision
    edge: GoalsEdge
    begun: GoalAssignmentBegun
    above: ParentGoal | None

    def each(self, people: Mapping[PersonId, bool]) -> Iterator[tuple[PersonId, GivenTemplate]]:
        return ((person, template) for person in people for template in self.begun.templates)

    async def read_ahead(self, runtime: Runtime, people: Mapping[PersonId, bool]) -> None:
        first = [self.goal(person, template.template) for person, template in self.each(people)]
        await self.decision.read_ahead(runtime.handler.store, GOAL, first)

    def goal(self, person: PersonId, template: GoalTemplateId, number: int = 0) -> GoalId:
        return GoalId(derived("goal", template, person, self.begun.starts_on, self.begun.ends_on, number))


async def _given(giving: _Giving, person: PersonId, given: GivenTemplate, obstacle: Rejected | None) -> AssignedGoal:
    """Set the goal, unless the person has it, or a rule says no, which stops nobody else."""
    if obstacle is not None:
        return _refused(person, given, obstacle)
    goal, is_there = await _next(giving, person, given.template)
    if is_there:
        return _result(person, given, AssignmentOutcome.SKIPPED, goal=goal)
    mark = giving.decision.mark()
    try:
        await giving.decision.decide(GOAL, goal, _command(giving, person, given, goal))
    except Rejected as refusal:
        giving.decision.back_to(mark)
        return _refused(person, given, refusal)
    return _result(person, given, AssignmentOutcome.SET, goal=goal)


async def _next(giving: _Giving, person: PersonId, template: GoalTemplateId) -> tuple[GoalId, bool]:
    """The person's goal from the template in this period, and whether it is there: a cancelled one gives way."""
    for number in count():
        goal = giving.goal(person, template, number)
        state = (await giving.decision.load(GOAL, goal)).state
        if not isinstance(state, Cancelled):
            return goal, not isinstance(state, NotSet)
    raise AssertionError("unreachable")


def _command(giving: _Giving, person: PersonId, given: GivenTemplate, goal: GoalId) -> SetGoal:
    said = given.goal
    return SetGoal(
        goal=goal,
        level=GoalLevel.PERSON,
        owner=person,
        title=said.title,
        description=said.description,
        metric=None if said.metric is None else body_of(said.metric),
        starts_on=giving.begun.starts_on,
        ends_on=giving.begun.ends_on,
        parent=giving.begun.parent,
        parent_goal=giving.above,
        values=said.values,
        competencies=said.competencies,
        tags=said.tags,
        visibility=said.visibility,
        employed=True,  # who is not was refused before
        **giving.edge.given,
    )


def _refused(person: PersonId, given: GivenTemplate, refusal: Rejected) -> AssignedGoal:
    message = problem_of(refusal).document.detail
    return _result(person, given, AssignmentOutcome.REFUSED, rule=refusal.rule, message=message)


def _result(person: PersonId, given: GivenTemplate, outcome: AssignmentOutcome, **said: Any) -> AssignedGoal:
    return AssignedGoal(person=person, template=given.template, outcome=outcome, **said)

"""Goal assignments: give templates to a population, go on where it stopped, see each person's result, take it back."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, Field

from services.goals.api import template_examples as examples
from services.goals.api.assigning import Steps, act_of, go_on
from services.goals.api.edge import AtEdge, GoalsEdge
from services.goals.api.goal_moves import goal_above
from services.goals.api.hidden_goals import hidden_among
from services.goals.api.permissions import ASSIGN, ASSIGNMENTS, UNDO
from services.goals.api.population import below, not_below, select_population
from services.goals.api.undoing import take_back
from services.goals.domain.goal_assignment import (
    ASSIGNMENT,
    Act,
    AssignTemplatesBody,
    BeginAssignment,
    UndoAssignment,
    UndoAssignmentBody,
    Undone,
)
from services.goals.domain.goal_template import TEMPLATE, current_or_rejected
from services.goals.projections import goal_assignments, goal_graph
from services.goals.projections.goal_assignments import AssignmentRow, AssignmentState, ResultRow
from shared.eventsourcing.decision import Decision, Plan
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.authorization import READ, Relation, needs
from shared.runtime.http import CommandAnswer, life_cycle
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import not_found
from shared.runtime.service import Runtime
from shared.schemas.goal_assignments import AssignmentOutcome, GivenTemplate, Population, WithdrawalOutcome
from shared.schemas.identifiers import GoalAssignmentId, GoalId, GoalTemplateId, PersonId


class AssignmentAnswer(CommandAnswer):
    """How far the act is; its Consistency-Token covers all the goals of this request."""

    people: int = Field(description="Of the population when the act began.")
    results: Mapping[str, int] = Field(description="How many goals were set, refused, skipped.")
    withdrawn: int = Field(description="How many of those that were set are taken back.")
    kept: int = Field(description="How many are not, because something rests on them.")


class AssignmentView(BaseModel):
    """An assignment, and how far it is: `results` of each kind, one for each person and template."""

    id: GoalAssignmentId
    version: int
    state: AssignmentState
    templates: tuple[GoalTemplateId, ...]
    starts_on: date
    ends_on: date
    parent: GoalId | None
    parent_hidden: int = Field(description="1 where they are below a goal that the caller does not see.")
    population: Population
    people: int
    results: Mapping[str, int]
    begun_by: PersonId
    begun_at: datetime
    allowed_actions: list[str]


class ResultView(BaseModel):
    """One person's result for one template."""

    person: PersonId
    template: GoalTemplateId
    outcome: AssignmentOutcome | WithdrawalOutcome
    goal: GoalId | None = Field(description="The one that was set, or that the person had.")
    goal_hidden: int = Field(description="1 where the caller does not see it (any more).")
    rule: str | None = Field(description="The slug of what refused it, or of what keeps it.")
    message: str | None


def assignment_routes(runtime: Runtime) -> APIRouter:
    routes = APIRouter(prefix="/assignments", tags=["templates"])

    @routes.post("", status_code=201, summary="Give goals from templates to a population")
    @needs("assignment", ASSIGN)
    async def assign_templates(
        body: Annotated[AssignTemplatesBody, Body(openapi_examples=examples.ASSIGN)], edge: AtEdge
    ) -> AssignmentAnswer:
        """One act, in chunks. A rule that refuses one person stops nobody else.

        If it is interrupted, repeat the request with the same Idempotency-Key, or ask for `/resume`: it goes on, and
        nobody gets a goal twice.
        """
        ASSIGNMENTS.require(edge.action, edge.caller, {Relation.SELF}, of="assignment")
        steps = Steps(runtime, edge)
        begun = (await runtime.handler.handle_together(edge.context, await _begin(runtime, edge, body)))[0]
        steps.count([begun])
        assignment = GoalAssignmentId(begun.identity)
        edge.response.headers["Location"] = f"{runtime.service.base_path}/assignments/{assignment}"
        await go_on(steps, assignment)
        return await _answer(runtime, edge, assignment)

    @routes.post("/{assignment}/resume", summary="Go on with an assignment that was interrupted")
    @needs("assignment", ASSIGN)
    async def resume_assignment(assignment: GoalAssignmentId, edge: AtEdge) -> AssignmentAnswer:
        """Whoever has a result already keeps it."""
        await _permitted(runtime, edge, assignment)
        await go_on(Steps(runtime, edge), assignment)
        return await _answer(runtime, edge, assignment)

    @routes.post("/{assignment}/undo", summary="Take an assignment back, as far as nothing rests on its goals")
    @needs("assignment", UNDO)
    async def undo_assignment(
        assignment: GoalAssignmentId,
        body: Annotated[UndoAssignmentBody, Body(openapi_examples=examples.UNDO)],
        edge: AtEdge,
    ) -> AssignmentAnswer:
        """A goal with progress, in a plan, or with others below it is kept, and its result says why.

        If it is interrupted, ask again.
        """
        await _permitted(runtime, edge, assignment)
        await act_of(runtime, assignment)
        steps = Steps(runtime, edge)
        command = UndoAssignment.from_body(body, at=edge.now, by=edge.caller.person)
        steps.count([await runtime.handler.handle(edge.context, ASSIGNMENT, assignment, command)])
        await take_back(steps, assignment)
        return await _answer(runtime, edge, assignment)

    @routes.get("", summary="The assignments, the latest first")
    @needs("assignment", READ)
    async def list_assignments(edge: AtEdge, page: AskedPage) -> Page[AssignmentView]:
        """HR's are all of them, a manager's are their own."""
        through = ASSIGNMENTS.through(edge.action, edge.caller)
        if not through:
            return Page(items=[])
        await runtime.wait(goal_assignments.PROJECTION.name, edge.consistency)
        after = page.after(tuple[datetime, GoalAssignmentId])
        begun_by = None if Relation.ANY in through else edge.caller.person
        async with runtime.reading.connect() as connection:
            rows = await goal_assignments.newest(connection, begun_by=begun_by, after=after, limit=page.limit + 1)
            counts = await goal_assignments.counts(connection, [row.assignment for row in rows])
        hidden = await hidden_among(runtime, edge.caller, {row.parent for row in rows if row.parent is not None})
        return page.of(
            rows,
            key=lambda row: (row.begun_at, row.assignment),
            item=lambda row: _view(edge, row, counts[row.assignment], hidden),
        )

    @routes.get("/{assignment}", summary="One assignment, and how far it is")
    @needs("assignment", READ)
    async def show_assignment(assignment: GoalAssignmentId, edge: AtEdge) -> AssignmentView:
        row = await _seen(runtime, edge, assignment)
        edge.response.headers["ETag"] = f'"{row.version}"'
        async with runtime.reading.connect() as connection:
            counts = await goal_assignments.counts(connection, [assignment])
        hidden = await hidden_among(runtime, edge.caller, set() if row.parent is None else {row.parent})
        return _view(edge, row, counts[assignment], hidden)

    @routes.get("/{assignment}/results", summary="What became of each person's goal")
    @needs("assignment", READ)
    async def list_results(
        assignment: GoalAssignmentId,
        edge: AtEdge,
        page: AskedPage,
        outcome: Annotated[str | None, Query(description="Only these: set, refused, skipped, withdrawn, kept.")] = None,
    ) -> Page[ResultView]:
        await _seen(runtime, edge, assignment)
        after = page.after(tuple[PersonId, GoalTemplateId])
        async with runtime.reading.connect() as connection:
            rows = await goal_assignments.results(
                connection, assignment, outcome=outcome, after=after, limit=page.limit + 1
            )
        hidden = await hidden_among(runtime, edge.caller, {row.goal for row in rows if row.goal is not None})
        return page.of(rows, key=lambda row: (row.person, row.template), item=lambda row: _result(row, hidden))

    return routes


async def _begin(runtime: Runtime, edge: GoalsEdge, body: AssignTemplatesBody) -> Plan:
    body, beyond = await _within_the_line(runtime, edge, body)
    population = Population(**dict(body.population))
    people = len(await select_population(runtime.reading, population, on=edge.now.date()))
    assignment = GoalAssignmentId(uuid7())

    async def plan(decision: Decision) -> None:
        await goal_graph.lock_for_setting(decision.connection)
        command = BeginAssignment.from_body(
            body,
            goal=GoalId(assignment),  # none of the goals is there yet, and so none is above another
            parent_goal=await goal_above(decision, body.parent, edge.caller),
            given=[await _given(decision, template) for template in body.templates],
            people=people,
            beyond=beyond,
            **edge.given,
        )
        await decision.decide(ASSIGNMENT, assignment, command)

    return plan


async def _within_the_line(
    runtime: Runtime, edge: GoalsEdge, body: AssignTemplatesBody
) -> tuple[AssignTemplatesBody, tuple[PersonId, ...]]:
    """What is given, to those alone of the population to whom the caller may give, and whom it names beyond them."""
    if Relation.ANY in ASSIGNMENTS.through(edge.action, edge.caller):
        return body, ()
    manager = edge.caller.person
    async with runtime.reading.connect() as connection:
        beyond = await not_below(connection, manager, body.population)
    return body.model_copy(update={"population": below(manager, body.population)}), beyond


async def _given(decision: Decision, template: GoalTemplateId) -> GivenTemplate:
    """The template as it is now.

    Raises:
        Rejected: goal-template-is-not-current.
    """
    loaded = await decision.hold(TEMPLATE, template)
    return GivenTemplate(template=template, version=loaded.version, goal=current_or_rejected(loaded.state).goal)


async def _answer(runtime: Runtime, edge: GoalsEdge, assignment: GoalAssignmentId) -> AssignmentAnswer:
    act, version = await act_of(runtime, assignment)
    edge.response.headers["ETag"] = f'"{version}"'
    return AssignmentAnswer(
        id=assignment,
        version=version,
        state=life_cycle(act),
        allowed_actions=ASSIGNMENTS.allowed_actions(
            _actions(AssignmentState(life_cycle(act))), edge.caller, {Relation.SELF}
        ),
        people=act.begun.people,
        results=act.counts,
        withdrawn=_set(act) - len(act.goals),
        kept=len(act.kept) if isinstance(act, Undone) else 0,
    )


def _set(act: Act) -> int:
    return act.counts.get(AssignmentOutcome.SET, 0)


def _actions(state: AssignmentState) -> list[str]:
    """One that is taken back may be taken back again: what was kept may be free by now."""
    return [ASSIGN, UNDO] if state is AssignmentState.ASSIGNING else [UNDO]


async def _seen(runtime: Runtime, edge: GoalsEdge, assignment: GoalAssignmentId) -> AssignmentRow:
    await runtime.wait(goal_assignments.PROJECTION.name, edge.consistency)
    async with runtime.reading.connect() as connection:
        row = await goal_assignments.find(connection, assignment)
    if row is None:
        raise not_found("assignment", assignment)
    ASSIGNMENTS.require(edge.action, edge.caller, _relations(edge, row), of=f"assignment {assignment}")
    return row


async def _permitted(runtime: Runtime, edge: GoalsEdge, assignment: GoalAssignmentId) -> None:
    """Let the caller through to what the route declares. Of those who may with any, nobody asks who began it."""
    if Relation.ANY not in ASSIGNMENTS.through(edge.action, edge.caller):
        await _seen(runtime, edge, assignment)


def _relations(edge: GoalsEdge, row: AssignmentRow) -> set[Relation]:
    return {Relation.SELF} if row.begun_by == edge.caller.person else set()


def _view(
    edge: GoalsEdge, row: AssignmentRow, results: Mapping[str, int], hidden: Collection[GoalId]
) -> AssignmentView:
    return AssignmentView(
        id=row.assignment,
        version=row.version,
        state=row.state,
        templates=row.templates,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        parent=None if row.parent in hidden else row.parent,
        parent_hidden=int(row.parent in hidden),
        population=row.population,
        people=row.people,
        results=results,
        begun_by=row.begun_by,
        begun_at=row.begun_at,
        allowed_actions=ASSIGNMENTS.allowed_actions(_actions(row.state), edge.caller, _relations(edge, row)),
    )


def _result(row: ResultRow, hidden: Collection[GoalId]) -> ResultView:
    return ResultView(
        person=row.person,
        template=row.template,
        outcome=row.outcome,
        goal=None if row.goal in hidden else row.goal,
        goal_hidden=int(row.goal in hidden),
        rule=row.rule,
        message=row.message,
    )

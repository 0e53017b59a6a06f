"""Goal template: a goal that is kept in the library, to be given to many."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.goals.domain.goal_wording import Words
from services.goals.domain.metric import MetricBody, metric_of
from shared.eventsourcing.decider import Command, Decider, Rejected, RequestBody
from shared.schemas.goal_templates import GoalTemplateCreated, GoalTemplateRetired, GoalTemplateRewritten, TemplatedGoal
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.values import Known, LongText, ReasonCode, ShortText


@dataclass(frozen=True, slots=True)
class NotCreated: ...


@dataclass(frozen=True, slots=True)
class Current:
    """In the library: whoever it is given to gets a goal that says this."""

    name: str
    goal: TemplatedGoal


@dataclass(frozen=True, slots=True)
class Retired: ...


GoalTemplate = NotCreated | Current | Retired
GoalTemplateEvent = GoalTemplateCreated | GoalTemplateRewritten | GoalTemplateRetired


class TemplateBody(RequestBody):
    """`name` is what the library calls it; the rest is what each goal says that is set from it."""

    name: ShortText
    title: ShortText
    description: LongText | None = None
    metric: MetricBody | None = None
    values: Words = ()
    competencies: Words = ()
    tags: Words = ()
    visibility: Known[GoalVisibility] | None = None


class CreateTemplate(TemplateBody, Command): ...


class RewriteTemplate(TemplateBody, Command): ...


class RetireTemplateBody(RequestBody):
    reason: ReasonCode


class RetireTemplate(RetireTemplateBody, Command): ...


TemplateCommand = CreateTemplate | RewriteTemplate | RetireTemplate


def evolve(template: GoalTemplate, event: GoalTemplateEvent) -> GoalTemplate:
    match event:
        case GoalTemplateCreated() | GoalTemplateRewritten():
            return Current(event.name, event.goal)
        case GoalTemplateRetired():
            return Retired()
        case _:  # pyright: ignore[reportUnnecessaryComparison] - a later version's event is no reason to fail
            return template


def decide(template: GoalTemplate, command: TemplateCommand) -> Sequence[GoalTemplateEvent]:
    match command:
        case CreateTemplate():
            return create(template, command)
        case RewriteTemplate():
            return rewrite(template, command)
        case RetireTemplate():
            return retire(template, command)


def create(template: GoalTemplate, command: CreateTemplate) -> Sequence[GoalTemplateEvent]:
    if not isinstance(template, NotCreated):
        raise Rejected("goal-template-is-already-created")
    return [GoalTemplateCreated(name=command.name, goal=_said(command))]


def rewrite(template: GoalTemplate, command: RewriteTemplate) -> Sequence[GoalTemplateEvent]:
    current, said = current_or_rejected(template), _said(command)
    if (current.name, current.goal) == (command.name, said):
        return []
    return [GoalTemplateRewritten(name=command.name, goal=said)]


def retire(template: GoalTemplate, command: RetireTemplate) -> Sequence[GoalTemplateEvent]:
    if isinstance(template, Retired):
        return []
    current_or_rejected(template)
    return [GoalTemplateRetired(reason=command.reason)]


def current_or_rejected(template: GoalTemplate) -> Current:
    """The template, which must be in the library.

    Raises:
        Rejected: it was never created, or it is retired.
    """
    if not isinstance(template, Current):
        raise Rejected("goal-template-is-not-current", state=type(template).__name__)
    return template


def _said(body: TemplateBody) -> TemplatedGoal:
    """Raises Rejected: the metric cannot be measured, by the rule of its kind."""
    return TemplatedGoal(
        title=body.title,
        description=body.description,
        metric=None if body.metric is None else metric_of(body.metric),
        values=body.values,
        competencies=body.competencies,
        tags=body.tags,
        visibility=body.visibility,
    )


TEMPLATE: Final[Decider[GoalTemplate]] = Decider(
    category="goaltemplate", initial=NotCreated(), decide=decide, evolve=evolve
)

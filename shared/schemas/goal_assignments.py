"""The published language of the goals service: goals given to many from templates, as one act, and taken back."""

from datetime import date
from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.event import Event
from shared.schemas.goal_templates import TemplatedGoal
from shared.schemas.identifiers import GoalId, GoalTemplateId, PersonId
from shared.schemas.units import Ordinal, People
from shared.schemas.values import OpenEnum, ShortText


class AssignmentOutcome(OpenEnum):
    """What became of one person and one template: a goal is set, a rule refused it, or the person has it already."""

    SET = "set"
    REFUSED = "refused"
    SKIPPED = "skipped"


class WithdrawalOutcome(OpenEnum):
    """What became of a goal that was to be taken back: it is cancelled, or kept, because something rests on it."""

    WITHDRAWN = "withdrawn"
    KEPT = "kept"


class Population(BaseModel):
    """Whom goals are given to: everybody employed of whom all holds that is said here.

    `reports_of` is a manager: their direct reports, or everybody below them in the `whole_line`. `countries` are
    ISO 3166-1 alpha-2. Of the `people` that are named each has a result, employed or not.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    teams: tuple[ShortText, ...] = Field(default=(), description="Who is in one of these; empty: whatever team.")
    countries: tuple[ShortText, ...] = Field(
        default=(), description="Who works in one of these, as ISO 3166-1 alpha-2; empty: whatever country."
    )
    reports_of: PersonId | None = Field(default=None, description="Who reports to this manager; null: to whomever.")
    whole_line: bool = Field(default=False, description="Everybody below that manager, not the direct reports alone.")
    people: tuple[PersonId, ...] = Field(default=(), description="Who is named here; empty: whoever.")


class GivenTemplate(BaseModel):
    """A template as it was when the act began; what it says later does not count."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    template: GoalTemplateId = Field(description="The template.")
    version: Ordinal = Field(description="The version of it that is given.")
    goal: TemplatedGoal = Field(description="What each goal says that is set from it.")


class AssignedGoal(BaseModel):
    """One person's result. `goal` is the one that was set, or that the person has; `rule` is what refused it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    person: PersonId = Field(description="Whose result it is.")
    template: GoalTemplateId = Field(description="The template that was to be given.")
    outcome: AssignmentOutcome = Field(description="What became of it.")
    goal: GoalId | None = Field(
        default=None, description="The goal that was set, or that the person has; null: refused."
    )
    rule: ShortText | None = Field(default=None, description="The slug of the rule that refused it; null: none did.")
    message: str | None = Field(default=None, description="The rule with what it saw; null: none refused it.")


class WithdrawnGoal(BaseModel):
    """One goal's result. `rule` is what keeps it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    goal: GoalId = Field(description="The goal that was to be taken back.")
    outcome: WithdrawalOutcome = Field(description="What became of it.")
    rule: ShortText | None = Field(default=None, description="The slug of the rule that keeps it; null: none does.")
    message: str | None = Field(default=None, description="The rule with what it saw; null: none keeps it.")


class GoalAssignmentBegun(Event):
    """Goals are given to a population, of `people` persons at that moment."""

    event_type: ClassVar[str] = "trellis.goals.GoalAssignmentBegun.v1"

    templates: tuple[GivenTemplate, ...] = Field(description="What each person gets a goal from.")
    starts_on: date = Field(description="First day of the goals.")
    ends_on: date = Field(description="Last day of the goals.")
    parent: GoalId | None = Field(description="The goal that they hang below; null: none.")
    population: Population = Field(description="Who gets them.")
    people: People = Field(description="How many that were when the act began.")


class GoalsAssigned(Event):
    """Some more persons have their results, stored together with their goals."""

    event_type: ClassVar[str] = "trellis.goals.GoalsAssigned.v1"

    results: tuple[AssignedGoal, ...] = Field(description="One for each of these persons and each template.")


class GoalAssignmentFinished(Event):
    """Everybody of the population has a result."""

    event_type: ClassVar[str] = "trellis.goals.GoalAssignmentFinished.v1"


class GoalAssignmentUndone(Event):
    """The act is taken back: it gives no more goals, and withdraws those that nothing rests on. `reason` is a code."""

    event_type: ClassVar[str] = "trellis.goals.GoalAssignmentUndone.v1"

    reason: ShortText = Field(description="Why, as a code such as `wrong-department`; it speaks of no person.")


class AssignedGoalsWithdrawn(Event):
    """Some more goals of an act that is taken back have their results, stored together with their cancelling."""

    event_type: ClassVar[str] = "trellis.goals.AssignedGoalsWithdrawn.v1"

    results: tuple[WithdrawnGoal, ...] = Field(description="One for each of these goals.")


EVENTS: Final[tuple[type[Event], ...]] = (
    GoalAssignmentBegun,
    GoalsAssigned,
    GoalAssignmentFinished,
    GoalAssignmentUndone,
    AssignedGoalsWithdrawn,
)

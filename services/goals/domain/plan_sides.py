"""The two sides of a goal plan: who it is for, and the other, without whom nothing is agreed."""

from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.goals.domain.policy import Option, UnderPolicy
from shared.eventsourcing.decider import Command, Rejected
from shared.schemas.goal_levels import GoalLevel
from shared.schemas.identifiers import PersonId
from shared.schemas.values import Known, OpenEnum


class Side(OpenEnum):
    """Who it is for, or the other."""

    OWNER = "owner"
    OTHER = "other"


class Agreeing(OpenEnum):
    """Who the other is: the manager alone, any manager in the reporting line, or HR."""

    MANAGER = "manager"
    LINE = "line"
    HR = "hr"


PLAN_AGREEMENT: Final[Option[Agreeing]] = Option(
    "plan-agreement", Known[Agreeing], default=Agreeing.MANAGER, means="who agrees with the owner of a goal plan"
)


class Standing(BaseModel):
    """What the one who asks is to the plan's owner now, as the handler read it.

    `manager`: the nearest above the owner who has not left; `line`: one further up; `has_manager`: the owner has one.
    """

    model_config = ConfigDict(frozen=True)

    manager: bool = False
    line: bool = False
    hr: bool = False
    has_manager: bool = True

    def is_the(self, other: Agreeing) -> bool:
        match other:
            case Agreeing.HR:
                return self.hr
            case Agreeing.LINE:
                return self.manager or self.line
            case _:
                return self.manager


class PlanScope(BaseModel):
    """Whose plan it is, at which level, for which period."""

    model_config = ConfigDict(frozen=True)

    owner: PersonId
    level: GoalLevel
    starts_on: date
    ends_on: date


class OnASide(UnderPolicy, Command):
    """A command that one of the two sides gives."""

    standing: Standing


def side_of(command: OnASide, scope: PlanScope) -> Side:
    """On which side the one who asks stands.

    The organization's goals are agreed with HR, and so are the goals of whoever has no manager.

    Raises:
        Rejected: on neither.
    """
    if command.by == scope.owner:
        return Side.OWNER
    other = _other(command, scope)
    if not command.standing.is_the(other):
        raise Rejected("plan-is-agreed-by-the-owner-and-the-other", owner=scope.owner, other=other, by=command.by)
    return Side.OTHER


def refuse_own_side(command: OnASide, scope: PlanScope, *, proposed_by: PersonId) -> None:
    """Nobody answers their own proposal, nor does anybody else of the same side.

    Raises:
        Rejected: somebody does, or is on neither side.
    """
    if command.by == proposed_by:
        raise Rejected("goal-plan-must-be-agreed-by-the-other", proposed_by=proposed_by, by=command.by)
    if side_of(command, scope) is side_of_proposer(proposed_by, scope):
        raise Rejected("goal-plan-needs-its-owner", owner=scope.owner, proposed_by=proposed_by, by=command.by)


def side_of_proposer(proposed_by: PersonId, scope: PlanScope) -> Side:
    """Only the two sides propose, and one of them is the owner alone."""
    return Side.OWNER if proposed_by == scope.owner else Side.OTHER


def _other(command: OnASide, scope: PlanScope) -> Agreeing:
    if scope.level is GoalLevel.ORGANIZATION or not command.standing.has_manager:
        return Agreeing.HR
    return command.policy[PLAN_AGREEMENT]

"""Goal setting: a goal comes into being, at a level, with an owner and dates."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from services.goals.domain.goal_contributions import Contributing, OtherGoals, refuse_wrong_contributions
from services.goals.domain.goal_dates import refuse_end_before_start
from services.goals.domain.goal_measure import refuse_measure_that_does_not_fit
from services.goals.domain.goal_people import People, without_the_owner
from services.goals.domain.goal_states import Goal, GoalEvent, NotSet
from services.goals.domain.goal_wording import Words, written, written_or_none
from services.goals.domain.metric import MetricBody, metric_of
from services.goals.domain.objective import refuse_other_measures
from services.goals.domain.parent import Placed, Share, refuse_mixed_weights, refuse_wrong_parent
from services.goals.domain.policy import UnderPolicy
from shared.eventsourcing.decider import Command, Rejected, RequestBody
from shared.schemas.goal_metrics import MeasuredBy
from shared.schemas.goal_objectives import Commitment
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.goals import GoalLevel, GoalSet
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.values import Known, LongText, ShortText


class SetGoalBody(RequestBody):
    """Without a weight it counts as much as its siblings; without `measured_by`: by its metric if it has one.

    An objective is measured by its key results, which are the goals below it.
    """

    level: Known[GoalLevel]
    owner: PersonId
    team: ShortText | None = None
    title: ShortText
    metric: MetricBody | None = None
    starts_on: date
    ends_on: date
    parent: GoalId | None = None
    weight: Share | None = None
    measured_by: Known[MeasuredBy] | None = None
    description: LongText | None = None
    values: Words = ()
    competencies: Words = ()
    tags: Words = ()
    contributors: People = ()
    contributes_to: OtherGoals = ()
    visibility: Known[GoalVisibility] | None = None
    objective: Known[Commitment] | None = None


class SetGoal(SetGoalBody, Placed, Contributing, UnderPolicy, Command):
    """`goal` is the new goal's id; `carried_from` is the goal of an earlier period that goes on in it.

    `employed`: the owner is there, for all that is known.
    """

    employed: bool
    carried_from: GoalId | None = None


def set_goal(goal: Goal, command: SetGoal) -> Sequence[GoalEvent]:
    if not isinstance(goal, NotSet):
        raise Rejected("goal-is-already-set", goal=command.goal)
    if (command.level is GoalLevel.TEAM) != (command.team is not None):
        raise Rejected("team-goal-must-name-its-team", level=command.level, team=command.team)
    if not command.employed:
        raise Rejected("goal-owner-must-be-employed", owner=command.owner)
    refuse_end_before_start(command.starts_on, command.ends_on)
    refuse_wrong_parent(command, command.parent, command.starts_on, command.ends_on)
    _refuse_wrong_measure(command)
    refuse_mixed_weights(command, by_hand=command.weight is not None)
    refuse_wrong_contributions(command, command.contributes_to, command.parent)
    return [
        GoalSet(
            level=command.level,
            owner=command.owner,
            team=command.team,
            title=written(command.level, command.owner, command.title),
            metric=metric_of(command.metric) if command.metric else None,
            starts_on=command.starts_on,
            ends_on=command.ends_on,
            parent=command.parent,
            weight=Decimal(1) if command.weight is None else command.weight,
            weight_by_hand=command.weight is not None,
            measured_by=command.measured_by,
            description=written_or_none(command.level, command.owner, command.description),
            values=command.values,
            competencies=command.competencies,
            tags=command.tags,
            contributors=without_the_owner(command.contributors, command.owner),
            contributes_to=command.contributes_to,
            visibility=command.visibility,
            carried_from=command.carried_from,
            objective=command.objective,
        )
    ]


def _refuse_wrong_measure(command: SetGoal) -> None:
    refuse_other_measures(command)
    if command.measured_by is not None:
        refuse_measure_that_does_not_fit(command.measured_by, has_metric=command.metric is not None)

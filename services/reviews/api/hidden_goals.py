"""Frozen goals that their owner chose to show to the manager alone: managers further up are told how many they are."""

from collections.abc import Collection
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.reviews.api.permissions import Standing
from services.reviews.projections.review_sheet import ReviewSheet
from shared.people import reporting_line
from shared.runtime.authorization import Relation
from shared.runtime.caller import Caller, Role
from shared.schemas.goal_evidence import GoalEvidence
from shared.schemas.goal_visibility import GoalVisibility
from shared.schemas.identifiers import GoalId
from shared.schemas.reviews import ItemRating

_SEEN_FURTHER_UP: Final = (None, GoalVisibility.EVERYONE, GoalVisibility.TEAM_AND_LINE)


async def hidden_goals(
    connection: AsyncConnection, caller: Caller, sheet: ReviewSheet, standing: Standing, relations: Collection[Relation]
) -> set[GoalId]:
    """Those that the caller may not see: as the goals service has it, and the manager of record assesses by all."""
    closed = {goal.goal for goal in _goals_of(sheet) if goal.visibility not in _SEEN_FURTHER_UP}
    if not closed or Role.HR in caller.roles or {Relation.SELF, Relation.PARTICIPANT} & set(relations):
        return set()
    found = await reporting_line.relations(connection, caller=caller.person, person=standing.person)
    return set() if reporting_line.Relation.MANAGER in found else closed


def _goals_of(sheet: ReviewSheet) -> list[GoalEvidence]:
    given = sheet.manager_assessment
    return [*sheet.frozen_goals, *(given.evidence.goals if given else ())]


def goals_without(goals: Collection[GoalEvidence], hidden: Collection[GoalId]) -> tuple[GoalEvidence, ...]:
    return tuple(goal for goal in goals if goal.goal not in hidden)


def ratings_without(ratings: Collection[ItemRating], hidden: Collection[GoalId]) -> tuple[ItemRating, ...]:
    named = {str(goal) for goal in hidden}
    return tuple(rating for rating in ratings if rating.item not in named)

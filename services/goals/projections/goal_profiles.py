"""Goal profiles: what a goal is about, what it stands for, what it is tied to, and what was said of it last."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, Column, MetaData, RowMapping, SmallInteger, Table, Text, Uuid, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.projection import Projection
from shared.eventsourcing.recorded import Recorded
from shared.schemas.event import Event
from shared.schemas.goal_changes import GoalClassified, GoalDescribed, GoalLocked, GoalUnlocked
from shared.schemas.goal_objectives import Commitment, ObjectiveGraded
from shared.schemas.goal_ties import GoalCarriedOver, GoalContributionAdded, GoalContributionRemoved, GoalHandedOver
from shared.schemas.goals import (
    TOPIC,
    GoalAchieved,
    GoalCancelled,
    GoalMissed,
    GoalProgressRecorded,
    GoalReopened,
    GoalSet,
)
from shared.schemas.identifiers import GoalId
from shared.schemas.personal_text import PersonalText

Identity = TypeVar("Identity", bound=UUID)

PROFILES: Final = Table(
    "goal_profiles",
    MetaData(),
    Column("goal", Uuid, primary_key=True),
    Column("description", Text),
    Column("sealed_description", Text, comment="of a person's goal, as in the event"),
    Column("values", ARRAY(Text), nullable=False),
    Column("competencies", ARRAY(Text), nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("contributes_to", ARRAY(Uuid), nullable=False),
    Column("carried_from", Uuid),
    Column("carried_to", Uuid),
    Column("agreements", ARRAY(Uuid), nullable=False, comment="the agreed plans that hold it"),
    Column("objective", Text, comment="committed or aspirational; null: it is none"),
    Column("grade", Text, comment="of the objective, as in the event"),
    Column("confidence", SmallInteger),
    Column("note", Text, comment="the last one, as in the event"),
    Column("reason", Text, comment="why it was cancelled or reopened"),
    Column("comment", Text, comment="of who closed or reopened it, as in the event"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A goal as people speak of it; `confidence` is from 0 to 10."""

    goal: GoalId
    description: PersonalText | str | None = None
    values: Sequence[str] = ()
    competencies: Sequence[str] = ()
    tags: Sequence[str] = ()
    contributes_to: Sequence[GoalId] = ()
    carried_from: GoalId | None = None
    carried_to: GoalId | None = None
    agreements: Sequence[UUID] = ()
    objective: Commitment | None = None
    grade: ObjectiveGraded | None = None
    confidence: int | None = None
    note: PersonalText | None = None
    reason: str | None = None
    comment: PersonalText | None = None


async def apply(connection: AsyncConnection, events: Sequence[Recorded]) -> None:
    """A goal's row is fed by its own stream alone, which is in one partition."""
    goals = {GoalId(recorded.stream_id) for recorded in events if recorded.envelope.category == "goal"}
    known = {row.goal: row for row in await _rows(connection, sorted(goals))}
    changed: dict[GoalId, Profile] = {}
    for recorded in events:
        goal = GoalId(recorded.stream_id)
        before = changed.get(goal, known.get(goal))
        after = profile_after(before, goal, recorded.event)
        if after is not None and after != before:
            changed[goal] = after
    await _write(connection, [changed[goal] for goal in sorted(changed)])


def profile_after(profile: Profile | None, goal: GoalId, event: Event) -> Profile | None:
    """The goal's profile after an event of its stream; None where there is no goal."""
    if isinstance(event, GoalSet):
        return Profile(
            goal=goal,
            description=event.description,
            values=event.values,
            competencies=event.competencies,
            tags=event.tags,
            contributes_to=event.contributes_to,
            carried_from=event.carried_from,
            objective=event.objective,
        )
    return None if profile is None else replace(profile, **_said(event), **_tied(profile, event), **_graded(event))


def _said(event: Event) -> dict[str, Any]:
    match event:
        case GoalDescribed() | GoalHandedOver():
            return {"description": event.description}
        case GoalClassified():
            return {"values": event.values, "competencies": event.competencies, "tags": event.tags}
        case GoalProgressRecorded():
            said = {"note": event.note, "confidence": event.confidence}
            return {name: value for name, value in said.items() if value is not None}
        case GoalAchieved() | GoalMissed():
            return {"comment": event.comment, "reason": None}
        case GoalCancelled() | GoalReopened():
            return {"comment": event.comment, "reason": event.reason}
        case _:
            return {}


def _graded(event: Event) -> dict[str, Any]:
    match event:
        case ObjectiveGraded():
            return {"grade": event}
        case GoalReopened():
            return {"grade": None}
        case _:
            return {}


def _tied(profile: Profile, event: Event) -> dict[str, Any]:
    match event:
        case GoalContributionAdded():
            return {"contributes_to": [*_without(profile.contributes_to, event.to), event.to]}
        case GoalContributionRemoved():
            return {"contributes_to": _without(profile.contributes_to, event.to)}
        case GoalCarriedOver():
            return {"carried_to": event.to}
        case GoalLocked():
            return {"agreements": [*_without(profile.agreements, event.agreement), event.agreement]}
        case GoalUnlocked():
            return {"agreements": _without(profile.agreements, event.agreement)}
        case _:
            return {}


def _without(known: Sequence[Identity], one: UUID) -> list[Identity]:
    return [identity for identity in known if identity != one]


async def find(connection: AsyncConnection, goal: GoalId) -> Profile | None:
    found = await _rows(connection, [goal])
    return found[0] if found else None


async def _rows(connection: AsyncConnection, goals: Sequence[GoalId]) -> list[Profile]:
    query = select(PROFILES).where(PROFILES.c.goal.in_(goals))
    return [_profile(row) for row in (await connection.execute(query)).mappings()]


def _profile(columns: RowMapping) -> Profile:
    values: dict[str, Any] = dict(columns)
    sealed = values.pop("sealed_description")
    said = {"note": values["note"], "comment": values["comment"], **({"description": sealed} if sealed else {})}
    opened: dict[str, Any] = {
        name: PersonalText.model_validate_json(text) for name, text in said.items() if text is not None
    }
    objective, grade = values["objective"], values["grade"]
    values |= {"objective": objective and Commitment(objective)}
    values |= {"grade": grade and ObjectiveGraded.model_validate_json(grade)}
    return Profile(**values | opened)


async def _write(connection: AsyncConnection, profiles: Sequence[Profile]) -> None:
    if not profiles:
        return
    statement = insert(PROFILES)
    new = {column.name: statement.excluded[column.name] for column in PROFILES.columns if column.name != "goal"}
    rows = [_columns(profile) for profile in profiles]
    await connection.execute(statement.on_conflict_do_update(index_elements=[PROFILES.c.goal], set_=new), rows)


def _columns(profile: Profile) -> dict[str, Any]:
    said = profile.description
    sealed = said if isinstance(said, PersonalText) else None
    return {
        **{field.name: getattr(profile, field.name) for field in fields(profile)},
        "description": None if sealed else said,
        "sealed_description": sealed and sealed.model_dump_json(),
        "objective": profile.objective and profile.objective.value,
        "grade": profile.grade and profile.grade.model_dump_json(),
        "note": profile.note and profile.note.model_dump_json(),
        "comment": profile.comment and profile.comment.model_dump_json(),
    }


PROJECTION: Final = Projection(name="goal_profiles", version=3, topics=(TOPIC,), tables=(PROFILES,), apply=apply)

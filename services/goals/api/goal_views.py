"""Goals as clients see them: personal texts opened, percentages with two places, and how they are doing today."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from services.goals.api.edge import GoalsEdge
from services.goals.api.hidden_goals import hidden_among
from services.goals.domain.health import HEALTH_GAPS, HealthGaps, expected
from services.goals.projections.goal_health import health_on, holds
from services.goals.projections.goal_rows import GoalRow, GoalState
from shared.runtime.caller import Caller
from shared.runtime.service import Runtime
from shared.schemas.goal_health import Health
from shared.schemas.goal_metrics import Metric
from shared.schemas.identifiers import GoalId, PersonId
from shared.schemas.personal_text import PersonalText
from shared.schemas.values import DecimalString

_HUNDREDTH: Final = Decimal("0.01")


class SaidHealthView(BaseModel):
    """What a person said of a goal's health, and why."""

    health: Health
    reason: str = Field(description="`erased` where the person it speaks of was erased.")
    said_at: datetime
    said_by: PersonId | None


class GoalView(BaseModel):
    """A goal as it stands; `progress` is in percent, null where nothing was measured yet."""

    id: GoalId
    version: int
    state: GoalState
    level: str
    owner: PersonId
    team: str | None
    title: str = Field(description="`erased` where the person it speaks of was erased.")
    metric: Metric | None
    measured_by: str = Field(description="The one source of its progress: metric, children or manual.")
    starts_on: date
    ends_on: date
    parent: GoalId | None = Field(description="Null: it is under none, or under one that the caller does not see.")
    parent_hidden: int = Field(description="1 where it is under a goal that the caller does not see.")
    weight: DecimalString = Field(description="What it counts in its parent's roll-up, relative to its siblings.")
    weight_by_hand: bool = Field(description="False: it counts as much as its siblings.")
    value: DecimalString | None = Field(description="The last value recorded, in the metric's unit.")
    progress: DecimalString | None = Field(description="From its one source: see `measured_by`.")
    own_progress: DecimalString | None = Field(description="From its own measurements alone.")
    raw_progress: DecimalString | None = Field(description="The same, not capped within 0 and 100.")
    regressed: bool = Field(description="Worse than where it started.")
    measured_at: datetime | None
    closed_on: date | None
    health: Health | None = Field(description="Null where it is closed, or was not measured.")
    said_health: SaidHealthView | None = Field(description="What a person said of it, until progress is recorded.")
    expected_progress: DecimalString = Field(description="Percent of its days that had passed before today.")
    expired: bool = Field(description="Its last day has passed, and nobody has closed it yet.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """The day by the company's calendar, and how far behind a goal may be."""

    day: date
    gaps: HealthGaps


def today(runtime: Runtime, edge: GoalsEdge) -> Today:
    """The day of a request, under the policy in force."""
    day = edge.now.astimezone(ZoneInfo(runtime.settings.company_zone)).date()
    return Today(day=day, gaps=edge.policy[HEALTH_GAPS])


async def views(runtime: Runtime, caller: Caller, rows: Sequence[GoalRow], on: Today) -> list[GoalView]:
    """The rows, which the caller may see, as clients see them, their personal texts opened all at once."""
    above = {row.parent for row in rows if row.parent is not None} - {row.goal for row in rows}
    hidden = await hidden_among(runtime, caller, above)
    texts = [text for row in rows for text in _texts(row) if isinstance(text, PersonalText)]
    opened = dict(zip((text.bound_to for text in texts), await runtime.vault.open(texts), strict=True))
    return [_view(row, opened, on, hidden) for row in rows]


def _texts(row: GoalRow) -> list[PersonalText | str]:
    return [row.title] if row.said_health is None else [row.title, row.said_health.reason]


def _read(text: PersonalText | str, opened: Mapping[str, str]) -> str:
    return opened[text.bound_to] if isinstance(text, PersonalText) else text


def _said(row: GoalRow, opened: Mapping[str, str]) -> SaidHealthView | None:
    said = row.said_health
    if said is None or not holds(row):
        return None
    reason = _read(said.reason, opened)
    return SaidHealthView(health=said.health, reason=reason, said_at=said.said_at, said_by=said.said_by)


def _view(row: GoalRow, opened: Mapping[str, str], on: Today, hidden: Collection[GoalId]) -> GoalView:
    return GoalView(
        id=row.goal,
        version=row.version,
        state=row.state,
        level=row.level,
        owner=row.owner,
        team=row.team,
        title=_read(row.title, opened),
        metric=row.metric,
        measured_by=row.measured_by,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        parent=None if row.parent in hidden else row.parent,
        parent_hidden=int(row.parent in hidden),
        weight=row.weight,
        weight_by_hand=row.weight_by_hand,
        value=row.value,
        progress=_two_places(row.progress),
        own_progress=_two_places(row.own_progress),
        raw_progress=_two_places(row.raw_progress),
        regressed=row.regressed,
        measured_at=row.measured_at,
        closed_on=row.closed_on,
        health=health_on(row, on.day, on.gaps),
        said_health=_said(row, opened),
        expected_progress=_two_places(expected(row.starts_on, row.ends_on, on.day)) or Decimal(0),
        expired=row.expired,
    )


def _two_places(percent: Decimal | None) -> Decimal | None:
    return None if percent is None else percent.quantize(_HUNDREDTH, rounding=ROUND_HALF_UP)

"""The moment that a query asks about: `as_of` in business time, `as_known_at` in the time of recording."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from services.goals.api.edge import GoalsEdge
from services.goals.api.goal_views import Today
from services.goals.domain.health import HEALTH_GAPS
from services.goals.domain.policy import DEFAULT, Policy
from services.goals.projections import goal_policies
from services.goals.projections.goal_stretches import FOREVER
from services.goals.projections.past_goals import Moment
from shared.runtime.problems import FieldError, invalid, shown
from shared.runtime.service import Runtime

_INSTANT: Final = timedelta(microseconds=1)
_MEANT: Final = "must be a moment with its offset from UTC, such as 2026-03-31T18:00:00Z, or a day, such as 2026-03-31"
_AS_OF: Final = (
    "As it was then: an RFC 3339 moment, or a day (its end, in the company's zone). What was measured counts from the "
    "moment that it speaks of on. Its health is by the policy that was in force then. Who may see it is as today."
)
_AS_KNOWN_AT: Final = "As it was known then, without what was recorded later. Alone: the last that was known then."


@dataclass(frozen=True, slots=True)
class MomentAsked:
    """As the client wrote it."""

    as_of: str | None
    as_known_at: str | None

    @property
    def fields(self) -> dict[str, str]:
        """The parameters that were given."""
        given = {"as_of": self.as_of, "as_known_at": self.as_known_at}
        return {name: said for name, said in given.items() if said is not None}


def _moment_asked(
    as_of: Annotated[str | None, Query(description=_AS_OF, max_length=40)] = None,
    as_known_at: Annotated[str | None, Query(description=_AS_KNOWN_AT, max_length=40)] = None,
) -> MomentAsked:
    return MomentAsked(as_of, as_known_at)


AskedMoment = Annotated[MomentAsked, Depends(_moment_asked)]
"""A route's parameter: the moment that the client asks about."""


def moment_of(runtime: Runtime, asked: MomentAsked) -> Moment | None:
    """The moment; None is the present.

    Raises:
        Problem: 422, a parameter is neither a moment nor a day.
    """
    if not asked.fields:
        return None
    zone = ZoneInfo(runtime.settings.company_zone)
    return Moment(at=_read("as_of", asked.as_of, zone), known=_read("as_known_at", asked.as_known_at, zone))


async def on_day_of(runtime: Runtime, edge: GoalsEdge, moment: Moment) -> Today:
    """The day by which health is computed, that of the moment, and the policy that was in force then."""
    zone, at = ZoneInfo(runtime.settings.company_zone), moment.at or moment.known or FOREVER
    day = min(edge.now.astimezone(zone).date(), at.astimezone(zone).date())
    return Today(day=day, gaps=(await _policy_then(runtime, edge, moment))[HEALTH_GAPS])


async def _policy_then(runtime: Runtime, edge: GoalsEdge, moment: Moment) -> Policy:
    """Nobody adopts a policy in retrospect: it is known from when it was adopted."""
    await runtime.wait(goal_policies.PROJECTION.name, edge.consistency)
    async with runtime.reading.connect() as connection:
        row = await goal_policies.in_force_at(connection, min(moment.at or FOREVER, moment.known or FOREVER))
    return DEFAULT if row is None else Policy(row.version, row.options)


def _read(field: str, said: str | None, zone: ZoneInfo) -> datetime | None:
    if said is None:
        return None
    try:
        return _instant(said, zone)
    except (ValueError, OverflowError) as error:
        raise invalid([FieldError(field=field, value=shown(said), message=_MEANT)]) from error


def _instant(said: str, zone: ZoneInfo) -> datetime:
    """A day means its end."""
    if len(said) == len("2026-03-31"):
        next_day = date.fromisoformat(said) + timedelta(days=1)
        return datetime.combine(next_day, time(), zone).astimezone(UTC) - _INSTANT
    moment = datetime.fromisoformat(said)
    if moment.tzinfo is None:
        raise ValueError(said)
    return min(moment.astimezone(UTC), FOREVER - _INSTANT)

"""Health: what was to be expected by now against what is, by thresholds that a company chooses."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.goals.domain.policy import Option
from shared.schemas.goal_health import Health
from shared.schemas.values import DecimalString

_PLACES: Final = Decimal(1).scaleb(-12)
_DIGITS: Final = 60

_Points = Annotated[DecimalString, Field(ge=0, le=100, decimal_places=2)]


class HealthGaps(BaseModel):
    """How many percentage points behind what is expected a goal is at risk, and off track, if it is beyond them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_risk: _Points = Decimal(10)
    off_track: _Points = Decimal(25)

    @model_validator(mode="after")
    def _refuse_reversed(self) -> Self:
        if self.at_risk > self.off_track:
            raise ValueError("at_risk must not exceed off_track")
        return self


HEALTH_GAPS: Final[Option[HealthGaps]] = Option(
    "health-gaps",
    HealthGaps,
    default=HealthGaps(),
    means="how many percentage points behind the time that has passed a goal is at risk, and off track",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A goal as its health sees it. `said` is what a person set and what has not lapsed; `progress` is in percent."""

    is_open: bool
    starts_on: date
    ends_on: date
    progress: Decimal | None
    said: Health | None = None


def expected(starts_on: date, ends_on: date, today: date) -> Decimal:
    """Percent of the goal's days, both ends included, that had passed before `today`; to 12 places, half up."""
    passed, total = _days(starts_on, ends_on, today)
    with localcontext(prec=_DIGITS):
        return (Decimal(passed) / Decimal(total) * 100).quantize(_PLACES, rounding=ROUND_HALF_UP)


def health_of(goal: Standing, today: date, gaps: HealthGaps) -> Health | None:
    """How the goal is doing on that day; None: it is closed, or it was not measured.

    After its last day it is expired, whatever was said. Exactly as far behind as a threshold is not beyond it.
    """
    if not goal.is_open:
        return None
    if goal.ends_on < today:
        return Health.EXPIRED
    if goal.said is not None or goal.progress is None:
        return goal.said
    passed, total = _days(goal.starts_on, goal.ends_on, today)
    behind = passed * 100 - goal.progress * total
    if behind > gaps.off_track * total:
        return Health.OFF_TRACK
    return Health.AT_RISK if behind > gaps.at_risk * total else Health.ON_TRACK


def _days(starts_on: date, ends_on: date, today: date) -> tuple[int, int]:
    total = max((ends_on - starts_on).days + 1, 1)
    return min(max((today - starts_on).days, 0), total), total

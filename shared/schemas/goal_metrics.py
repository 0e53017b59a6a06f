"""Metrics, as the goals service's events carry them: what a goal is measured in, and what its progress comes from."""

from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.event import Event
from shared.schemas.values import DecimalString, OpenEnum, ShortText


def _is_none(value: object) -> bool:
    return value is None


class MetricKind(OpenEnum):
    """What a goal is measured in."""

    NUMBER = "number"
    PERCENT = "percent"
    CURRENCY = "currency"
    YES_NO = "yes-no"
    MILESTONES = "milestones"
    ZONES = "zones"
    KEEP = "keep"


class MeasuredBy(OpenEnum):
    """The one source of a goal's progress: its own metric, the goals below it, or a percentage that a person says."""

    METRIC = "metric"
    CHILDREN = "children"
    MANUAL = "manual"


class KeepPeriod(OpenEnum):
    """How long a bound is kept to count once; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Zones(BaseModel):
    """Four values that rise or fall: at `fail` 0 %, at `commit` 30 %, at `target` 70 %, at `stretch` 100 %."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    fail: DecimalString
    commit: DecimalString
    target: DecimalString
    stretch: DecimalString


class Keep(BaseModel):
    """Bounds to stay within, period after period: at least, at most, or both.

    A measurement belongs to the period that its day lies in, as its own offset from UTC shows it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    least: DecimalString | None
    most: DecimalString | None
    period: KeepPeriod


class Metric(BaseModel):
    """What is measured: from `start` to `target`, rising or falling. `unit` is free, or an ISO 4217 currency.

    Zones and bounds to keep have parts of their own, and neither start nor target.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: MetricKind
    start: DecimalString | None
    target: DecimalString | None
    unit: ShortText | None = None
    zones: Zones | None = Field(default=None, exclude_if=_is_none, description="Left out of any other kind.")
    keep: Keep | None = Field(default=None, exclude_if=_is_none, description="Left out of any other kind.")


class GoalMeasureChosen(Event):
    """From now on the goal's progress comes from another source, and from that one alone."""

    event_type: ClassVar[str] = "trellis.goals.GoalMeasureChosen.v1"

    measured_by: MeasuredBy
    previous: MeasuredBy


EVENTS: Final[tuple[type[Event], ...]] = (GoalMeasureChosen,)

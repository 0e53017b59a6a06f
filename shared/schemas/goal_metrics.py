"""Metrics, as the goals service's events carry them: what a goal is measured in, and what its progress comes from."""

from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.schemas.event import Event
from shared.schemas.units import InMetricUnit
from shared.schemas.values import OpenEnum, ShortText


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

    fail: InMetricUnit = Field(description="The value that is 0 percent.")
    commit: InMetricUnit = Field(description="The value that is 30 percent: what was committed to.")
    target: InMetricUnit = Field(description="The value that is 70 percent: what is aimed at.")
    stretch: InMetricUnit = Field(description="The value that is 100 percent.")


class Keep(BaseModel):
    """Bounds to stay within, period after period: at least, at most, or both.

    A measurement belongs to the period that its day lies in, as its own offset from UTC shows it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    least: InMetricUnit | None = Field(description="The lower bound, itself allowed; null: none.", examples=["95"])
    most: InMetricUnit | None = Field(description="The upper bound, itself allowed; null: none.", examples=["99.5"])
    period: KeepPeriod = Field(description="How long the bounds are kept to count once.", examples=["month"])


class Metric(BaseModel):
    """What is measured: from `start` to `target`, rising or falling. `unit` is free, or an ISO 4217 currency.

    Zones and bounds to keep have parts of their own, and neither start nor target.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: MetricKind = Field(description="What sort of figure it is.")
    start: InMetricUnit | None = Field(description="The value that is 0 percent; null where the kind has no start.")
    target: InMetricUnit | None = Field(
        description="The value that is 100 percent; below the start where less is better; null where the kind has none."
    )
    unit: ShortText | None = Field(
        default=None, description="What is counted, in free words, or an ISO 4217 currency; null: nothing to add."
    )
    zones: Zones | None = Field(
        default=None,
        exclude_if=_is_none,
        description="Left out of any other kind.",
        examples=[{"fail": "0", "commit": "40", "target": "70", "stretch": "100"}],
    )
    keep: Keep | None = Field(
        default=None,
        exclude_if=_is_none,
        description="Left out of any other kind.",
        examples=[{"least": "95", "most": None, "period": "month"}],
    )


class GoalMeasureChosen(Event):
    """From now on the goal's progress comes from another source, and from that one alone."""

    event_type: ClassVar[str] = "trellis.goals.GoalMeasureChosen.v1"

    measured_by: MeasuredBy = Field(description="What the progress comes from from now on.")
    previous: MeasuredBy = Field(description="What it came from before.")


EVENTS: Final[tuple[type[Event], ...]] = (GoalMeasureChosen,)

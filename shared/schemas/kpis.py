"""The published language of the goals service: KPIs, what was measured of them, and goals that are bound to one."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.schemas.event import Event
from shared.schemas.identifiers import KpiId, PersonId
from shared.schemas.units import Days, Factor, InKpiUnit
from shared.schemas.values import OpenEnum, ShortText

KpiCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", max_length=80)]
"""What people and sources call a KPI, such as `support.tickets-within-24h`; it never changes nor is given again."""
MeasurementId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]+$", max_length=100)]
"""What a source calls one measurement: 1 to 100 visible ASCII characters, unique in the company."""


class KpiKind(OpenEnum):
    """What one measurement holds: a number, or the two counts of a ratio."""

    NUMBER = "number"
    RATIO = "ratio"


class KpiDirection(OpenEnum):
    """Which way is better."""

    RISING = "rising"
    FALLING = "falling"


class KpiAggregation(OpenEnum):
    """How the measurements of a window become one value.

    `ratio-of-sums` is the sum of numerators over the sum of denominators: a day of 200 tickets counts more than one of
    2. `last` is that of the latest time.
    """

    SUM = "sum"
    MEAN = "mean"
    LAST = "last"
    MIN = "min"
    MAX = "max"
    RATIO_OF_SUMS = "ratio-of-sums"


class KpiWindow(OpenEnum):
    """Which measurements move a goal: all of the goal's period, or those of the calendar period of the latest one."""

    GOAL_PERIOD = "goal-period"
    LATEST_DAY = "latest-day"
    LATEST_WEEK = "latest-week"
    LATEST_MONTH = "latest-month"
    LATEST_QUARTER = "latest-quarter"


class KpiThresholds(BaseModel):
    """On track up to `on_track`, at risk up to `at_risk`, off track beyond; both in the KPI's unit."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    on_track: InKpiUnit = Field(description="The last value that is on track.")
    at_risk: InKpiUnit = Field(description="The last value that is at risk; beyond it the KPI is off track.")


class KpiDefined(Event):
    """A KPI exists. `per` is what a ratio is multiplied by: 100 for percent; `source` is where its figures come from.

    The name speaks of no person.
    """

    event_type: ClassVar[str] = "trellis.goals.KpiDefined.v1"

    code: str = Field(description="What people and systems call the KPI; it never changes nor is given again.")
    name: ShortText = Field(description="What it is called on screens; it speaks of no person.")
    kind: KpiKind = Field(description="Whether a measurement is a number, or the two counts of a ratio.")
    unit: ShortText | None = Field(
        description="What it is in, such as `tickets` or an ISO 4217 currency; null: nothing to add."
    )
    per: Factor = Field(
        default=Decimal(1), description="What a ratio is multiplied by: 100 for percent; 1 of a number."
    )
    direction: KpiDirection = Field(description="Whether more or less is better.")
    aggregation: KpiAggregation = Field(description="How the measurements of a window become one value.")
    target: InKpiUnit | None = Field(description="The value to reach; null: none was set.")
    thresholds: KpiThresholds | None = Field(description="Where at risk and off track begin; null: not said.")
    owner: PersonId = Field(description="Who answers for it.")
    source: ShortText = Field(description="Where its figures come from.")


class KpiTargetRevised(Event):
    """The KPI has another target or other thresholds; goals that are bound to it keep the target that was agreed."""

    event_type: ClassVar[str] = "trellis.goals.KpiTargetRevised.v1"

    target: InKpiUnit | None = Field(description="The new value to reach; null: none any more.")
    thresholds: KpiThresholds | None = Field(
        description="Where at risk and off track begin from now on; null: not said."
    )
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class KpiRenamed(Event):
    """The KPI is called otherwise; its code stays."""

    event_type: ClassVar[str] = "trellis.goals.KpiRenamed.v1"

    name: ShortText = Field(description="What it is called from now on; it speaks of no person.")


class KpiHandedOver(Event):
    """Another person answers for the KPI."""

    event_type: ClassVar[str] = "trellis.goals.KpiHandedOver.v1"

    owner: PersonId = Field(description="Who answers for the KPI from now on.")
    previous_owner: PersonId = Field(description="Who did before.")


class KpiSourceChanged(Event):
    """Its figures come from elsewhere from now on."""

    event_type: ClassVar[str] = "trellis.goals.KpiSourceChanged.v1"

    source: ShortText = Field(description="Where its figures come from from now on.")
    previous_source: ShortText = Field(description="Where they came from before.")


class KpiRetired(Event):
    """Nothing is measured of the KPI any more; what was measured stays."""

    event_type: ClassVar[str] = "trellis.goals.KpiRetired.v1"

    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class KpiMeasured(Event):
    """A measurement, in the stream of its KPI and month. `measured_on` is its day in the company's zone.

    `value` is in the KPI's unit; of a ratio it is numerator / denominator * per, to 12 places, and null where the
    denominator is 0. `late_days` is how many days after its time it arrived.
    """

    event_type: ClassVar[str] = "trellis.goals.KpiMeasured.v1"

    kpi: KpiId = Field(description="The KPI that was measured.")
    measurement: str = Field(description="The source's own name of the measurement.")
    measured_at: AwareDatetime = Field(description="The moment that the figure speaks of.")
    measured_on: date = Field(description="The day of that moment in the company's zone.")
    value: InKpiUnit | None = Field(
        description="The figure; of a ratio numerator / denominator * per; null where the denominator is 0."
    )
    numerator: InKpiUnit | None = Field(default=None, description="Of a ratio: what was counted; null of a number.")
    denominator: InKpiUnit | None = Field(
        default=None, description="Of a ratio: what it was counted among; null of a number."
    )
    source: ShortText = Field(description="The system that measured it.")
    late_days: Days = Field(default=0, description="How long after its day it arrived.")


class KpiMeasurementCorrected(Event):
    """A measurement that takes the place of another one, `corrects`; both stay visible, and this one counts."""

    event_type: ClassVar[str] = "trellis.goals.KpiMeasurementCorrected.v1"

    kpi: KpiId = Field(description="The KPI that was measured.")
    measurement: str = Field(description="The source's own name of the measurement.")
    corrects: str = Field(description="The measurement whose place it takes.")
    measured_at: AwareDatetime = Field(description="The moment that the figure speaks of.")
    measured_on: date = Field(description="The day of that moment in the company's zone.")
    value: InKpiUnit | None = Field(
        description="The figure; of a ratio numerator / denominator * per; null where the denominator is 0."
    )
    numerator: InKpiUnit | None = Field(default=None, description="Of a ratio: what was counted; null of a number.")
    denominator: InKpiUnit | None = Field(
        default=None, description="Of a ratio: what it was counted among; null of a number."
    )
    source: ShortText = Field(description="The system that measured it.")
    late_days: Days = Field(default=0, description="How long after its day it arrived.")
    reason: ShortText | None = Field(default=None, description="Why it was corrected, as a code; null: not said.")


class GoalBoundToKpi(Event):
    """From now on the KPI moves the goal; its metric keeps the target that was agreed."""

    event_type: ClassVar[str] = "trellis.goals.GoalBoundToKpi.v1"

    kpi: KpiId = Field(description="The KPI that moves the goal from now on.")
    aggregation: KpiAggregation = Field(description="How the measurements of the window become the goal's value.")
    window: KpiWindow = Field(description="Which measurements count.")


class GoalUnboundFromKpi(Event):
    """The goal moves by hand again, from the value it has."""

    event_type: ClassVar[str] = "trellis.goals.GoalUnboundFromKpi.v1"

    kpi: KpiId = Field(description="The KPI that moves the goal no more.")
    reason: ShortText = Field(description="Why, as a code such as `priorities-changed`; it speaks of no person.")


class KpiValueRefusedByGoal(Event):
    """The KPI has a value that the goal's metric has no place for; `rule` says why. The goal stays where it was."""

    event_type: ClassVar[str] = "trellis.goals.KpiValueRefusedByGoal.v1"

    kpi: KpiId = Field(description="The KPI that has the value.")
    value: InKpiUnit = Field(description="The value that the goal's metric has no place for.")
    rule: ShortText = Field(description="The broken rule's slug.")


EVENTS: Final[tuple[type[Event], ...]] = (
    KpiDefined,
    KpiTargetRevised,
    KpiRenamed,
    KpiHandedOver,
    KpiSourceChanged,
    KpiRetired,
    KpiMeasured,
    KpiMeasurementCorrected,
    GoalBoundToKpi,
    GoalUnboundFromKpi,
    KpiValueRefusedByGoal,
)

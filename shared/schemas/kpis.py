"""The published language of the goals service: KPIs, what was measured of them, and goals that are bound to one."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.schemas.event import Event
from shared.schemas.identifiers import KpiId, PersonId
from shared.schemas.values import DecimalString, OpenEnum, ShortText

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

    on_track: DecimalString
    at_risk: DecimalString


class KpiDefined(Event):
    """A KPI exists. `per` is what a ratio is multiplied by: 100 for percent; `source` is where its figures come from.

    The name speaks of no person.
    """

    event_type: ClassVar[str] = "trellis.goals.KpiDefined.v1"

    code: str
    name: ShortText
    kind: KpiKind
    unit: ShortText | None
    per: DecimalString = Decimal(1)
    direction: KpiDirection
    aggregation: KpiAggregation
    target: DecimalString | None
    thresholds: KpiThresholds | None
    owner: PersonId
    source: ShortText


class KpiTargetRevised(Event):
    """The KPI has another target or other thresholds; goals that are bound to it keep the target that was agreed."""

    event_type: ClassVar[str] = "trellis.goals.KpiTargetRevised.v1"

    target: DecimalString | None
    thresholds: KpiThresholds | None
    reason: ShortText


class KpiRenamed(Event):
    """The KPI is called otherwise; its code stays."""

    event_type: ClassVar[str] = "trellis.goals.KpiRenamed.v1"

    name: ShortText


class KpiHandedOver(Event):
    """Another person answers for the KPI."""

    event_type: ClassVar[str] = "trellis.goals.KpiHandedOver.v1"

    owner: PersonId
    previous_owner: PersonId


class KpiSourceChanged(Event):
    """Its figures come from elsewhere from now on."""

    event_type: ClassVar[str] = "trellis.goals.KpiSourceChanged.v1"

    source: ShortText
    previous_source: ShortText


class KpiRetired(Event):
    """Nothing is measured of the KPI any more; what was measured stays."""

    event_type: ClassVar[str] = "trellis.goals.KpiRetired.v1"

    reason: ShortText


class KpiMeasured(Event):
    """A measurement, in the stream of its KPI and month. `measured_on` is its day in the company's zone.

    `value` is in the KPI's unit; of a ratio it is numerator / denominator * per, to 12 places, and null where the
    denominator is 0. `late_days` is how many days after its time it arrived.
    """

    event_type: ClassVar[str] = "trellis.goals.KpiMeasured.v1"

    kpi: KpiId
    measurement: str
    measured_at: AwareDatetime
    measured_on: date
    value: DecimalString | None
    numerator: DecimalString | None = None
    denominator: DecimalString | None = None
    source: ShortText
    late_days: int = 0


class KpiMeasurementCorrected(Event):
    """A measurement that takes the place of another one, `corrects`; both stay visible, and this one counts."""

    event_type: ClassVar[str] = "trellis.goals.KpiMeasurementCorrected.v1"

    kpi: KpiId
    measurement: str
    corrects: str
    measured_at: AwareDatetime
    measured_on: date
    value: DecimalString | None
    numerator: DecimalString | None = None
    denominator: DecimalString | None = None
    source: ShortText
    late_days: int = 0
    reason: ShortText | None = None


class GoalBoundToKpi(Event):
    """From now on the KPI moves the goal; its metric keeps the target that was agreed."""

    event_type: ClassVar[str] = "trellis.goals.GoalBoundToKpi.v1"

    kpi: KpiId
    aggregation: KpiAggregation
    window: KpiWindow


class GoalUnboundFromKpi(Event):
    """The goal moves by hand again, from the value it has."""

    event_type: ClassVar[str] = "trellis.goals.GoalUnboundFromKpi.v1"

    kpi: KpiId
    reason: ShortText


class KpiValueRefusedByGoal(Event):
    """The KPI has a value that the goal's metric has no place for; `rule` says why. The goal stays where it was."""

    event_type: ClassVar[str] = "trellis.goals.KpiValueRefusedByGoal.v1"

    kpi: KpiId
    value: DecimalString
    rule: ShortText


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

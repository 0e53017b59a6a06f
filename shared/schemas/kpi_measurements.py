"""What a company's systems publish on `kpi.measurements`: figures of KPIs, one record each.

A foreign feed: its records carry `ce_id`, `ce_type`, `ce_source`, `ce_subject` and `ce_time`, and no chain. `ce_type`
is the event's type, the value its JSON; the key is the KPI's code, which keeps a KPI's records in their order. Whoever
reads it deduplicates by `measurement_id`: a record may come as often as it likes, and the same id with another body is
a dead letter. To say something else of the same moment, send a new id that `corrects` the old one.
"""

from typing import ClassVar, Final

from pydantic import AwareDatetime, Field

from shared.schemas.event import Event, EventTypes
from shared.schemas.kpis import KpiCode, MeasurementId
from shared.schemas.units import InKpiUnit
from shared.schemas.values import ReasonCode, ShortText

TOPIC: Final = "kpi.measurements"


class MeasurementReported(Event):
    """A figure of the KPI with this code. Either `value`, or of a ratio `numerator` and `denominator`, as strings."""

    event_type: ClassVar[str] = "trellis.kpi.MeasurementReported.v1"

    measurement_id: MeasurementId = Field(
        description="The source's own name of the measurement, unique in the company."
    )
    kpi: KpiCode = Field(description="The KPI's code.")
    measured_at: AwareDatetime = Field(description="The moment that the figure speaks of.")
    value: InKpiUnit | None = Field(
        default=None, description="The figure; null where numerator and denominator are sent."
    )
    numerator: InKpiUnit | None = Field(
        default=None, description="Of a ratio: what is counted; null where the value is sent."
    )
    denominator: InKpiUnit | None = Field(
        default=None, description="Of a ratio: what it is counted among; null where the value is sent."
    )
    source: ShortText = Field(description="The system that measured it.")
    corrects: MeasurementId | None = Field(
        default=None, description="The earlier measurement whose place this one takes; null: none."
    )
    reason: ReasonCode | None = Field(default=None, description="Why it was corrected, as a code; null: not said.")


EVENTS: Final = (MeasurementReported,)
TYPES: Final = EventTypes.of(EVENTS)

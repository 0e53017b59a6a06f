"""What a company's systems publish on `kpi.measurements`: figures of KPIs, one record each.

A foreign feed: its records carry `ce_id`, `ce_type`, `ce_source`, `ce_subject` and `ce_time`, and no chain. `ce_type`
is the event's type, the value its JSON; the key is the KPI's code, which keeps a KPI's records in their order. Whoever
reads it deduplicates by `measurement_id`: a record may come as often as it likes, and the same id with another body is
a dead letter. To say something else of the same moment, send a new id that `corrects` the old one.
"""

from typing import ClassVar, Final

from pydantic import AwareDatetime

from shared.schemas.event import Event, EventTypes
from shared.schemas.kpis import KpiCode, MeasurementId
from shared.schemas.values import DecimalString, ReasonCode, ShortText

TOPIC: Final = "kpi.measurements"


class MeasurementReported(Event):
    """A figure of the KPI with this code. Either `value`, or of a ratio `numerator` and `denominator`, as strings."""

    event_type: ClassVar[str] = "trellis.kpi.MeasurementReported.v1"

    measurement_id: MeasurementId
    kpi: KpiCode
    measured_at: AwareDatetime
    value: DecimalString | None = None
    numerator: DecimalString | None = None
    denominator: DecimalString | None = None
    source: ShortText
    corrects: MeasurementId | None = None
    reason: ReasonCode | None = None


EVENTS: Final = (MeasurementReported,)
TYPES: Final = EventTypes.of(EVENTS)

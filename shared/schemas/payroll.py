"""What payroll publishes on `payroll.events`: its answers to payment instructions.

A foreign feed: its records carry `ce_id`, `ce_type`, `ce_source`, `ce_subject` and `ce_time`, and no chain. Whoever
reads it deduplicates by payment, version and answer; `ce_id` is the same each time an answer is published.
"""

from datetime import date
from typing import ClassVar, Final

from shared.schemas.event import Event, EventTypes
from shared.schemas.identifiers import PaymentId
from shared.schemas.values import ShortText

TOPIC: Final = "payroll.events"


class InstructionAccepted(Event):
    event_type: ClassVar[str] = "trellis.payroll.InstructionAccepted.v1"

    payment_id: PaymentId
    version: int


class InstructionRejected(Event):
    """`code` names the reason, such as `unknown-pay-group`; a corrected instruction comes as a new version."""

    event_type: ClassVar[str] = "trellis.payroll.InstructionRejected.v1"

    payment_id: PaymentId
    version: int
    code: ShortText


class InstructionPaid(Event):
    event_type: ClassVar[str] = "trellis.payroll.InstructionPaid.v1"

    payment_id: PaymentId
    version: int
    pay_date: date
    run_reference: ShortText


EVENTS: Final = (InstructionAccepted, InstructionRejected, InstructionPaid)
TYPES: Final = EventTypes.of(EVENTS)

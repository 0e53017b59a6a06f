"""What payroll publishes on `payroll.events`: its answers to payment instructions.

A foreign feed: its records carry `ce_id`, `ce_type`, `ce_source`, `ce_subject` and `ce_time`, and no chain. Whoever
reads it deduplicates by payment, version and answer; `ce_id` is the same each time an answer is published.
"""

import operator
from datetime import date
from typing import ClassVar, Final

from pydantic import Field

from shared.schemas.event import Event, EventTypes
from shared.schemas.identifiers import PaymentId
from shared.schemas.money import Money
from shared.schemas.units import Ordinal
from shared.schemas.values import ShortText

TOPIC: Final = "payroll.events"


class InstructionAccepted(Event):
    """Payroll will pay this version as instructed."""

    event_type: ClassVar[str] = "trellis.payroll.InstructionAccepted.v1"

    payment_id: PaymentId = Field(description="The payment that will be made.")
    version: Ordinal = Field(description="The version of the instruction that is answered.")
    amount: Money | None = Field(
        default=None, exclude_if=operator.not_, description="What will be paid, by payroll's own books, if it says so."
    )


class InstructionRejected(Event):
    """`code` names the reason, such as `unknown-pay-group`; a corrected instruction comes as a new version."""

    event_type: ClassVar[str] = "trellis.payroll.InstructionRejected.v1"

    payment_id: PaymentId = Field(description="The payment that will not be made as instructed.")
    version: Ordinal = Field(description="The version of the instruction that is answered.")
    code: ShortText = Field(
        description="The broken rule, such as `unknown-pay-group`; a corrected instruction comes as a new version."
    )


class InstructionPaid(Event):
    """The money is on its way; nothing of this payment changes any more."""

    event_type: ClassVar[str] = "trellis.payroll.InstructionPaid.v1"

    payment_id: PaymentId = Field(description="The payment that was made.")
    version: Ordinal = Field(description="The version of the instruction that was paid.")
    amount: Money | None = Field(
        default=None, exclude_if=operator.not_, description="What was paid, by payroll's own books, if it says so."
    )
    pay_date: date = Field(description="The day on which the money was paid out.")
    run_reference: ShortText = Field(description="Payroll's own name of the run that paid it.")


EVENTS: Final = (InstructionAccepted, InstructionRejected, InstructionPaid)
TYPES: Final = EventTypes.of(EVENTS)

"""The published language of the people feed: compacted records, keyed by person id, the latest revision counts.

These topics are a foreign feed: they carry no partition chain. `people.events` holds names and addresses and
`people.compensation` holds pay; both are internal topics, and only rewards reads the second.
"""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Final

from pydantic import Field

from shared.schemas.event import Event, EventTypes
from shared.schemas.identifiers import PersonId
from shared.schemas.money import Money
from shared.schemas.values import DecimalString, OpenEnum, ShortText

TOPIC: Final = "people.events"
COMPENSATION_TOPIC: Final = "people.compensation"


class EmploymentStatus(OpenEnum):
    """Whether the person works here; the dates say since when and until when."""

    ACTIVE = "active"
    LEFT = "left"


class SalaryPeriod(OpenEnum):
    """What a base salary is paid for."""

    MONTH = "month"
    YEAR = "year"


class PersonRecord(Event):
    """What the HR system of record knows of a person now.

    `revision` grows by one with every change; `country` is ISO 3166-1 alpha-2; `left_on` is the last day of
    employment; `fte` is 1 for full time.
    """

    event_type: ClassVar[str] = "trellis.people.PersonRecord.v1"

    person: PersonId
    revision: int = Field(ge=1)
    employee_number: ShortText
    given_name: ShortText | None
    family_name: ShortText
    email: ShortText | None
    manager: PersonId | None
    team: ShortText | None
    legal_entity: ShortText
    pay_group: ShortText
    country: ShortText
    job_title: ShortText | None
    hired_on: date
    left_on: date | None
    fte: DecimalString = Decimal(1)
    status: EmploymentStatus

    @property
    def name(self) -> str:
        """The name as people say it."""
        return f"{self.given_name} {self.family_name}" if self.given_name else self.family_name


class CompensationRecord(Event):
    """A person's base salary and the range of the job, all three for the same period."""

    event_type: ClassVar[str] = "trellis.people.CompensationRecord.v1"

    person: PersonId
    revision: int = Field(ge=1)
    base_salary: Money
    per: SalaryPeriod
    range_minimum: Money
    range_maximum: Money


EVENTS: Final[tuple[type[Event], ...]] = (PersonRecord, CompensationRecord)
TYPES: Final = EventTypes.of((PersonRecord,))
COMPENSATION_TYPES: Final = EventTypes.of((CompensationRecord,))

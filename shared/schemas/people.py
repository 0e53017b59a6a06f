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
from shared.schemas.units import Ordinal, Ratio
from shared.schemas.values import OpenEnum, ShortText

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

    person: PersonId = Field(description="The person's id, opaque and for ever.")
    revision: Ordinal = Field(ge=1, description="One more with every change: the highest counts.")
    employee_number: ShortText = Field(description="What the company calls the person.")
    given_name: ShortText | None = Field(description="First name; null: not known.")
    family_name: ShortText = Field(description="Last name, or the only one.")
    email: ShortText | None = Field(description="Address at work; null: none.")
    manager: PersonId | None = Field(description="Who they report to; null: nobody.")
    team: ShortText | None = Field(description="The team they belong to; null: none.")
    legal_entity: ShortText = Field(description="The company that employs them.")
    pay_group: ShortText = Field(description="The pay group that payroll pays them in.")
    country: ShortText = Field(description="Where they are employed, ISO 3166-1 alpha-2.")
    job_title: ShortText | None = Field(description="What they do; null: not known.")
    hired_on: date = Field(description="The first day of employment.")
    left_on: date | None = Field(description="The last day of employment; null: not known yet.")
    fte: Ratio = Field(default=Decimal(1), description="Share of full time: 1 is all of it.")
    status: EmploymentStatus = Field(description="Whether they work here.")

    @property
    def name(self) -> str:
        """The name as people say it."""
        return f"{self.given_name} {self.family_name}" if self.given_name else self.family_name


class CompensationRecord(Event):
    """A person's base salary and the range of the job, all three for the same period."""

    event_type: ClassVar[str] = "trellis.people.CompensationRecord.v1"

    person: PersonId = Field(description="Whose pay it is.")
    revision: Ordinal = Field(ge=1, description="One more with every change: the highest counts.")
    base_salary: Money = Field(description="The base salary for one period.")
    per: SalaryPeriod = Field(description="The period that all three amounts are for.")
    range_minimum: Money = Field(description="The least that the job is paid.")
    range_maximum: Money = Field(description="The most that the job is paid.")


EVENTS: Final[tuple[type[Event], ...]] = (PersonRecord, CompensationRecord)
TYPES: Final = EventTypes.of((PersonRecord,))
COMPENSATION_TYPES: Final = EventTypes.of((CompensationRecord,))

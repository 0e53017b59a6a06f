"""Everybody whom the people feed tells of: the latest record of each, and the employee numbers that are taken."""

from dataclasses import dataclass, field
from typing import TypeAlias

from shared.schemas.identifiers import PersonId
from shared.schemas.people import CompensationRecord, PersonRecord

Record: TypeAlias = PersonRecord | CompensationRecord


@dataclass(slots=True)
class Roster:
    """The latest revision counts, in whatever order the records come."""

    people: dict[PersonId, PersonRecord] = field(default_factory=dict[PersonId, PersonRecord])
    compensation: dict[PersonId, CompensationRecord] = field(default_factory=dict[PersonId, CompensationRecord])

    def take(self, record: Record) -> None:
        """Keep the record unless a later revision is known."""
        match record:
            case PersonRecord():
                known = self.people.get(record.person)
                if known is None or record.revision > known.revision:
                    self.people[record.person] = record
            case CompensationRecord():
                paid = self.compensation.get(record.person)
                if paid is None or record.revision > paid.revision:
                    self.compensation[record.person] = record

    def numbers(self) -> dict[str, PersonId]:
        """Who has which employee number; of two with the same, the one who was there first."""
        return {self.people[person].employee_number: person for person in sorted(self.people, reverse=True)}

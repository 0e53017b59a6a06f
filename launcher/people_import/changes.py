"""What an import changes: an id for who is new, the next revision for who is different, nothing for who is the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final
from uuid import UUID

from launcher.people_import.employee import Employee
from launcher.people_import.roster import Record, Roster
from shared.schemas.identifiers import PersonId
from shared.schemas.people import CompensationRecord, PersonRecord

_FACTS: Final = tuple(
    f.name for f in fields(Employee) if f.name in PersonRecord.model_fields and f.name != "manager"
)  # the manager is a number there and an id here


@dataclass(slots=True)
class Changes:
    """The records to publish, and how many people are new, changed (facts or pay) or as they were."""

    records: list[Record] = field(default_factory=list[Record])
    new: int = 0
    changed: int = 0
    unchanged: int = 0


def changes(employees: Sequence[Employee], roster: Roster, *, mint: Callable[[], UUID]) -> Changes:
    """Compare the export with who is known; `mint` makes the ids of people who are seen for the first time."""
    known = roster.numbers()
    numbers = {**known, **_minted((e.employee_number for e in employees if e.employee_number not in known), mint)}
    found = Changes()
    for employee in employees:
        person = numbers[employee.employee_number]
        records = [*_person(employee, person, numbers, roster), *_compensation(employee, person, roster)]
        found.records += records
        found.new += person not in roster.people
        found.changed += person in roster.people and bool(records)
        found.unchanged += not records
    return found


def _minted(numbers: Iterable[str], mint: Callable[[], UUID]) -> dict[str, PersonId]:
    return {number: PersonId(mint()) for number in numbers}


def _person(
    employee: Employee, person: PersonId, numbers: Mapping[str, PersonId], roster: Roster
) -> Iterable[PersonRecord]:
    before = roster.people.get(person)
    facts: dict[str, Any] = {name: getattr(employee, name) for name in _FACTS}
    manager = None if employee.manager is None else numbers[employee.manager]
    revision = 0 if before is None else before.revision
    record = PersonRecord(person=person, revision=revision + 1, manager=manager, **facts)
    return [] if before is not None and _same(record, before) else [record]


def _compensation(employee: Employee, person: PersonId, roster: Roster) -> Iterable[CompensationRecord]:
    """An export without pay data says nothing about pay."""
    if employee.compensation is None:
        return []
    before = roster.compensation.get(person)
    revision = 0 if before is None else before.revision
    pay = employee.compensation
    record = CompensationRecord(
        person=person,
        revision=revision + 1,
        base_salary=pay.base_salary,
        per=pay.per,
        range_minimum=pay.range_minimum,
        range_maximum=pay.range_maximum,
    )
    return [] if before is not None and _same(record, before) else [record]


def _same(record: Record, before: Record) -> bool:
    return dict(record) | {"revision": None} == dict(before) | {"revision": None}

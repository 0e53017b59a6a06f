"""The HR sample that ships: every row goes through, and the line, the entities and the pay are what the file says."""

from decimal import Decimal
from pathlib import Path

import pytest

import launcher.company
from launcher.people_import.importing import Imported, compare
from launcher.people_import.mapping import beside, load
from launcher.people_import.reading import read
from launcher.people_import.roster import Roster
from shared.schemas.people import CompensationRecord, PersonRecord
from tests.unit.launcher.people_import.exports import TODAY, Silence

SAMPLE = Path(launcher.company.__file__).with_name("hr_employees.csv")


@pytest.fixture(scope="module")
def sample() -> Imported:
    shipped = beside(SAMPLE)
    assert shipped is not None
    mapping = load(shipped)
    return compare(read(SAMPLE, mapping), mapping, Roster(), today=TODAY, progress=Silence())


@pytest.fixture(scope="module")
def people(sample: Imported) -> dict[str, PersonRecord]:
    return {record.employee_number: record for record in sample.changes.records if isinstance(record, PersonRecord)}


def test_all_107_go_through_with_their_pay(sample: Imported) -> None:
    assert (sample.checked.rows, sample.checked.problems, sample.changes.new) == (107, [], 107)
    assert len(sample.changes.records) == 2 * 107


def test_the_president_alone_has_no_manager(people: dict[str, PersonRecord]) -> None:
    assert [number for number, person in people.items() if person.manager is None] == ["100"]
    assert people["103"].manager == people["102"].person


def test_who_has_no_department_is_employed_by_the_head_office(people: dict[str, PersonRecord]) -> None:
    assert [number for number, person in people.items() if person.team is None] == ["178"]
    assert (people["178"].country, people["178"].legal_entity, people["178"].pay_group) == ("US", "US01", "US-MONTHLY")


def test_dates_are_read_day_first(people: dict[str, PersonRecord]) -> None:
    assert str(people["103"].hired_on) == "2016-01-03"


def test_pay_is_monthly_in_dollars_within_the_range_of_the_job(sample: Imported) -> None:
    pay = [record for record in sample.changes.records if isinstance(record, CompensationRecord)]
    assert {(record.per.value, record.base_salary.currency) for record in pay} == {("month", "USD")}
    assert sum(record.base_salary.amount for record in pay) == Decimal("691416.00")

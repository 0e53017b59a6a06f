"""The reporting line of an import: nobody reports to nobody, and no cycle goes through."""

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from launcher.people_import.employee import Employee
from launcher.people_import.reporting_line import Managers, ReportingLine
from shared.schemas.people import EmploymentStatus


def reporting(number: str, manager: str | None, row: int = 2) -> Employee:
    return Employee(
        row=row,
        employee_number=number,
        given_name=None,
        family_name="Quist",
        email=None,
        manager=manager,
        team=None,
        legal_entity="US01",
        pay_group="US-MONTHLY",
        country="US",
        job_title=None,
        hired_on=date(2020, 1, 1),
        left_on=None,
        fte=Decimal(1),
        status=EmploymentStatus.ACTIVE,
        compensation=None,
    )


def checked(
    managers: Managers, *, known: Managers | None = None, refused: dict[str, int] | None = None
) -> tuple[set[str], dict[str, str]]:
    """Who goes through, and why the others do not."""
    employees = [reporting(number, manager, row) for row, (number, manager) in enumerate(managers.items(), 2)]
    line = ReportingLine(employees, known=known or {}, refused=refused or {})
    line.check()
    return set(line.accepted), {number: reason for number, (_, reason) in line.reasons.items()}


def test_a_whole_company_goes_through_in_any_order() -> None:
    accepted, reasons = checked({"3": "2", "2": "1", "1": None})
    assert accepted == {"1", "2", "3"}
    assert reasons == {}


def test_a_manager_who_is_known_from_before_need_not_be_in_the_file() -> None:
    assert checked({"3": "2"}, known={"2": None}) == ({"3"}, {})


def test_an_unknown_manager_is_refused_and_so_is_everybody_below() -> None:
    accepted, reasons = checked({"1": None, "2": "99", "3": "2", "4": "3"})
    assert accepted == {"1"}
    assert reasons == {
        "2": "is nobody, neither in the file nor before",
        "3": "was refused (row 3)",
        "4": "was refused (row 4)",
    }


def test_who_reports_to_a_refused_row_is_refused_with_it() -> None:
    assert checked({"3": "2"}, refused={"2": 7}) == (set(), {"3": "was refused (row 7)"})


def test_who_reports_to_a_refused_row_of_somebody_known_goes_through() -> None:
    assert checked({"3": "2"}, known={"2": None}, refused={"2": 7}) == ({"3"}, {})


def test_everybody_on_a_cycle_is_refused_and_the_cycle_is_shown() -> None:
    accepted, reasons = checked({"1": None, "2": "4", "3": "2", "4": "3", "5": "4"})
    assert accepted == {"1"}
    assert reasons["3"].startswith("closes a cycle in the reporting line: ")
    assert set(reasons["3"].removeprefix("closes a cycle in the reporting line: ").split(" -> ")) == {"2", "3", "4"}
    assert reasons["5"] == "was refused (row 5)"


def test_a_row_that_closes_a_cycle_with_people_known_from_before_is_refused() -> None:
    accepted, reasons = checked({"1": "3"}, known={"1": None, "2": "1", "3": "2"})
    assert accepted == set()
    assert list(reasons) == ["1"]


def test_turning_the_line_around_in_one_file_is_no_cycle() -> None:
    accepted, _ = checked({"1": "2", "2": None}, known={"1": None, "2": "1"})
    assert accepted == {"1", "2"}


def test_a_refusal_that_leaves_an_earlier_record_standing_may_close_a_cycle() -> None:
    """The row of 2 would have freed it from 1; refused, its earlier record stands, and 1 must not report to it."""
    accepted, reasons = checked({"1": "2", "2": "99"}, known={"1": None, "2": "1"})
    assert accepted == set()
    assert reasons["2"] == "is nobody, neither in the file nor before"
    assert reasons["1"] == "closes a cycle in the reporting line: 1 -> 2 -> 1"


def test_a_cycle_known_from_before_is_no_fault_of_the_file() -> None:
    assert checked({"3": "1"}, known={"1": "2", "2": "1"}) == ({"3"}, {})


people = st.sampled_from([str(number) for number in range(8)])
managers = st.dictionaries(people, st.none() | people | st.just("99"), max_size=8)


@given(file=managers, known=managers)
def test_what_goes_through_has_managers_and_no_cycle(file: Managers, known: Managers) -> None:
    accepted, reasons = checked(file, known=known)
    assert accepted | reasons.keys() == file.keys()
    assert not accepted & reasons.keys()
    after = {**known, **{number: file[number] for number in accepted}}
    for number in accepted:
        assert file[number] is None or file[number] in after
        above: list[str] = []
        current = after.get(number)
        while current is not None and current not in above:
            above.append(current)
            current = after.get(current)
        assert number not in above


@given(parents=st.lists(st.integers(0, 30), max_size=30))
def test_nobody_is_refused_for_nothing(parents: list[int]) -> None:
    company: dict[str, str | None] = {"0": None}
    company |= {str(number): str(min(parent, number - 1)) for number, parent in enumerate(parents, 1)}
    assert checked(company) == (set(company), {})


def test_a_line_of_a_hundred_thousand_is_checked_at_once() -> None:
    deep: dict[str, str | None] = {str(number): str(number + 1) for number in range(100_000)}
    accepted, reasons = checked(deep)
    assert accepted == set()
    assert len(reasons) == len(deep)

"""A made-up company: the same for the same seed, a tree, and people as they are found in companies."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launcher.people_generation.company import DAY, company
from launcher.people_generation.months import company_later
from launcher.people_generation.tree import LARGEST_TEAM
from launcher.people_import.employee import Compensation, Employee
from shared.schemas.people import EmploymentStatus

LARGE = 5_000


def test_the_same_seed_gives_the_same_people_and_another_one_others() -> None:
    assert company_later(300, 7, months=5) == company_later(300, 7, months=5)
    assert company(300, 7) != company(300, 8)


@given(size=st.integers(1, 400), seed=st.integers(0, 1_000))
def test_so_many_are_employed_as_were_asked_for(size: int, seed: int) -> None:
    assert len(employed(company(size, seed))) == size


@given(size=st.integers(1, 400), seed=st.integers(0, 1_000), months=st.integers(0, 30))
def test_everybody_reports_up_to_the_one_head(size: int, seed: int, months: int) -> None:
    people = company_later(size, seed, months=months)
    above = {one.employee_number: one.manager for one in people}
    assert [one.employee_number for one in people if one.manager is None] == ["100000"]
    assert all(depth(number, above) <= len(people) for number in above)


@given(size=st.integers(2, 400), seed=st.integers(0, 1_000), months=st.integers(0, 30))
def test_nobody_here_reports_to_somebody_who_left(size: int, seed: int, months: int) -> None:
    people = company_later(size, seed, months=months)
    left = {one.employee_number for one in people if one.left_on is not None}
    assert not [one for one in people if one.left_on is None and one.manager in left]


@pytest.fixture(scope="module")
def large() -> list[Employee]:
    return company(LARGE, 1)


def test_a_manager_leads_a_handful_and_the_line_is_as_deep_as_that_takes(large: list[Employee]) -> None:
    spans = sorted(Counter(one.manager for one in employed(large) if one.manager).values())
    above = {one.employee_number: one.manager for one in large}
    assert (spans[0], spans[-1]) == (4, LARGEST_TEAM)
    assert 5 <= spans[len(spans) // 2] <= 8
    assert 4 <= max(depth(number, above) for number in above) <= 8
    assert 0.1 <= len(spans) / LARGE <= 0.2, "one in eight or so leads others"


def test_a_twelfth_had_left_within_the_year(large: list[Employee]) -> None:
    left = [one for one in large if one.left_on is not None]
    assert len(left) == 400
    assert {one.status for one in left} == {EmploymentStatus.LEFT}
    assert all(one.hired_on < one.left_on < DAY for one in left if one.left_on)
    assert min(one.left_on for one in left if one.left_on) >= DAY - timedelta(days=365)


def test_they_work_in_several_countries_and_are_paid_in_several_currencies(large: list[Employee]) -> None:
    countries = Counter(one.country for one in large)
    assert len(countries) >= 6
    assert countries.most_common(1)[0][1] < 0.8 * len(large)
    assert {"USD", "EUR", "JPY"} <= {one.compensation.base_salary.currency for one in large if one.compensation}


def test_salaries_lie_in_their_range_and_managers_mostly_earn_more(large: list[Employee]) -> None:
    for one in large:
        assert one.compensation is not None
        assert (
            one.compensation.range_minimum.amount
            <= one.compensation.base_salary.amount
            <= one.compensation.range_maximum.amount
        )
    paid = {one.employee_number: one.compensation for one in large}
    pairs = [(paid[one.employee_number], paid[one.manager or ""]) for one in employed(large) if one.manager]
    same = [(ours, theirs) for ours, theirs in pairs if ours and theirs and currency(ours) == currency(theirs)]
    assert sum(ours.base_salary.amount < theirs.base_salary.amount for ours, theirs in same) > 0.9 * len(same)


def test_months_later_some_left_joined_moved_and_were_paid_more() -> None:
    before = {one.employee_number: one for one in company(LARGE, 1)}
    later = {one.employee_number: one for one in company_later(LARGE, 1, months=6)}
    assert len(employed(later.values())) == LARGE
    left = [number for number in before if before[number].left_on is None and later[number].left_on is not None]
    joined = later.keys() - before.keys()
    stayed = [number for number in before if later[number].left_on is None]
    moved = [number for number in stayed if before[number].team != later[number].team]
    paid_more = [number for number in stayed if salary(before[number]) < salary(later[number])]
    assert 0.02 * LARGE < len(left) < 0.06 * LARGE
    assert len(joined) >= len(left)
    assert 0.01 * LARGE < len(moved) < 0.1 * LARGE
    assert len(paid_more) > 0.05 * LARGE


def employed(people: Iterable[Employee]) -> list[Employee]:
    return [one for one in people if one.left_on is None]


def depth(number: str, above: dict[str, str | None]) -> int:
    """How many are above; more than there are people: they stand in a circle."""
    found, current = 0, above[number]
    while current is not None and found <= len(above):
        found, current = found + 1, above[current]
    return found


def salary(one: Employee) -> Decimal:
    return one.compensation.base_salary.amount if one.compensation else Decimal(0)


def currency(pay: Compensation) -> str:
    return pay.base_salary.currency

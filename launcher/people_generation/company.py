"""A made-up company on one day: everybody employed, and who left in the year before."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from launcher.people_generation import work
from launcher.people_generation.country import HOME, Country, country, office
from launcher.people_generation.names import full_name
from launcher.people_generation.pay import compensation
from launcher.people_generation.tree import Position, positions
from launcher.people_import.employee import Employee
from shared.schemas.people import EmploymentStatus

FOUNDED: Final = date(1996, 5, 1)
DAY: Final = date(2026, 1, 1)
"""The day that a company is made up for: not today's, for the same seed gives the same people for ever."""
FIRST_NUMBER: Final = 100_000
LEAVERS_A_YEAR: Final = 0.08
"""Of those employed."""
_YEARS_HERE: Final = 5.5
_DAYS_A_YEAR: Final = 365
_SHORTER: Final = ((Decimal(1), 0.87), (Decimal("0.8"), 0.08), (Decimal("0.5"), 0.05))
_BRANCH_ABROAD, _TEAM_ABROAD, _EXPERT_ABROAD = 0.35, 0.2, 0.04


@dataclass(frozen=True, slots=True)
class _Unit:
    """What somebody's reports share: country and department."""

    country: Country
    department: str


def company(size: int, seed: int) -> list[Employee]:
    """Everybody employed on `DAY` (`size` people, the head first, each behind their manager), then who had left.

    `Employee.row` is the line of an export that lists them in this order below one line of headings.
    """
    random = Random(seed)  # noqa: S311 - made-up people are no secret
    line = positions(size, random)
    heights, units, employees = _heights(line), list[_Unit](), list[Employee]()
    for number, position in enumerate(line):
        units.append(_unit(position, units, random, leads=heights[number] > 0))
        employees.append(_employed(number, position, units[-1], random, height=heights[number]))
    for _ in range(round(size * LEAVERS_A_YEAR)):
        employees.append(_left(employees[random.randrange(size)], len(employees), random))
    return employees


def joined(number: int, manager: Employee, colleague: Employee, random: Random, *, on: date) -> Employee:
    """Somebody new under a manager, in the team of a colleague."""
    department = team_department(colleague)
    title, grade = work.of_expert(department, random)
    where = office(country(manager.country), random, moves=_EXPERT_ABROAD)
    new = _somebody(number, where, random)
    return replace(
        new,
        manager=manager.employee_number,
        team=colleague.team,
        job_title=title,
        hired_on=on,
        compensation=compensation(grade, where, random),
    )


def team_department(employee: Employee) -> str:
    """The department that a team belongs to."""
    return (employee.team or "").rstrip("0123456789").strip()


def _heights(line: Sequence[Position]) -> list[int]:
    """How many levels of people are below each."""
    heights = [0] * len(line)
    for number in range(len(line) - 1, 0, -1):
        above = line[number].manager or 0
        heights[above] = max(heights[above], heights[number] + 1)
    return heights


def _unit(position: Position, units: Sequence[_Unit], random: Random, *, leads: bool) -> _Unit:
    if position.manager is None:
        return _Unit(HOME, work.HEAD)
    above = units[position.manager]
    if position.level > 1:
        return _Unit(office(above.country, random, moves=_TEAM_ABROAD if leads else _EXPERT_ABROAD), above.department)
    department = work.DEPARTMENTS[position.branch % len(work.DEPARTMENTS)] if leads else work.HEAD
    return _Unit(office(above.country, random, moves=_BRANCH_ABROAD if leads else _EXPERT_ABROAD), department)


def _employed(number: int, position: Position, unit: _Unit, random: Random, *, height: int) -> Employee:
    if position.manager is None:
        title, grade = work.of_head()
    elif height:
        title, grade = work.of_manager(unit.department, height)
    else:
        title, grade = work.of_expert(unit.department, random)
    return replace(
        _somebody(number, unit.country, random),
        manager=None if position.manager is None else str(FIRST_NUMBER + position.manager),
        team=unit.department if position.level <= 1 else f"{unit.department} {position.manager}",
        job_title=title,
        compensation=compensation(grade, unit.country, random),
    )


def _somebody(number: int, where: Country, random: Random) -> Employee:
    given, family = full_name(random)
    weights = [share for _, share in _SHORTER]
    return Employee(
        row=number + 2,
        employee_number=str(FIRST_NUMBER + number),
        given_name=given,
        family_name=family,
        email=f"person{FIRST_NUMBER + number}@company.example",
        manager=None,
        team=None,
        legal_entity=where.legal_entity,
        pay_group=where.pay_group,
        country=where.code,
        job_title=None,
        hired_on=_hired(random, before=DAY),
        left_on=None,
        fte=random.choices([fte for fte, _ in _SHORTER], weights=weights)[0],
        status=EmploymentStatus.ACTIVE,
        compensation=None,
    )


def _hired(random: Random, *, before: date) -> date:
    """Half of the people have been here for less than four years."""
    days = int(random.expovariate(1 / (_YEARS_HERE * _DAYS_A_YEAR))) + 1
    return max(FOUNDED, before - timedelta(days=days))


def _left(colleague: Employee, number: int, random: Random) -> Employee:
    """Somebody who did much the same as a colleague, and left within the year."""
    last_day = DAY - timedelta(days=random.randint(1, _DAYS_A_YEAR))
    manager = colleague.manager or colleague.employee_number
    who = joined(number, replace(colleague, employee_number=manager), colleague, random, on=DAY)
    return replace(who, hired_on=_hired(random, before=last_day), left_on=last_day, status=EmploymentStatus.LEFT)

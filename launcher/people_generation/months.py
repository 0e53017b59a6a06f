"""What months do to a company: people leave and are succeeded, join, move to other teams, and are paid more."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Final

from launcher.people_generation.company import DAY, LEAVERS_A_YEAR, company, joined
from launcher.people_generation.country import country
from launcher.people_generation.pay import raised
from launcher.people_import.employee import Employee
from shared.schemas.people import EmploymentStatus

_LEAVE: Final = LEAVERS_A_YEAR / 12
_MOVE: Final = 0.006
"""Of those employed, each month."""
_RAISED: Final = 0.03
_RAISES_PERCENT: Final = (2, 3, 4, 6)
_DAYS_A_MONTH: Final = 30


def company_later(size: int, seed: int, *, months: int) -> list[Employee]:
    """The company of this seed, so many months (of 30 days) after its day: the same people, and those who joined."""
    changing = _Changing(company(size, seed), Random(f"{seed} later"))  # noqa: S311 - made-up people are no secret
    for month in range(months):
        changing.month_from(DAY + timedelta(days=month * _DAYS_A_MONTH))
    return list(changing.by_number.values())


class _Changing:
    """Everybody by employee number, and who works here, in the order of their coming."""

    def __init__(self, employees: list[Employee], random: Random) -> None:
        self.by_number: dict[str, Employee] = {}
        self._reports: defaultdict[str | None, dict[str, None]] = defaultdict(dict)
        for one in employees:
            self._keep(one)
        self._head = employees[0].employee_number
        self._here = [one.employee_number for one in employees if one.left_on is None]
        self._random = random

    def month_from(self, first: date) -> None:
        """People leave, as many join; others move to another manager or are paid more."""
        people = len(self._here)
        for number in self._drawn(round(people * _LEAVE)):
            day = first + timedelta(days=self._random.randrange(_DAYS_A_MONTH))
            self._leave(number, day)
            self._join(day)
        managers = [manager for manager, reports in self._reports.items() if manager is not None and reports]
        for number in self._drawn(round(people * _MOVE)):
            self._move(number, managers)
        for number in self._drawn(round(people * _RAISED)):
            self._raise(number)

    def _drawn(self, count: int) -> list[str]:
        """Some of those who work here; never the head."""
        others = [number for number in self._here if number != self._head]
        return self._random.sample(others, min(count, len(others)))

    def _leave(self, number: str, day: date) -> None:
        """A manager is succeeded by the report who has been here longest."""
        leaver = self.by_number[number]
        self._here.remove(number)
        self._keep(replace(leaver, left_on=day, status=EmploymentStatus.LEFT))
        reports = [self.by_number[report] for report in self._reports[number]]
        reports.sort(key=lambda one: (one.hired_on, one.employee_number))
        for place, report in enumerate(reports):
            if place:
                self._keep(replace(report, manager=reports[0].employee_number))
            else:
                self._keep(replace(report, manager=leaver.manager, team=leaver.team, job_title=leaver.job_title))

    def _join(self, day: date) -> None:
        colleague = self.by_number[self._random.choice(self._here)]
        manager = self.by_number[colleague.manager or colleague.employee_number]
        new = joined(len(self.by_number), manager, colleague, self._random, on=day)
        self._here.append(new.employee_number)
        self._keep(new)

    def _move(self, number: str, managers: list[str]) -> None:
        """To any other manager, into the team of their reports. Who leads a team stays, lest a cycle arise."""
        manager = self._random.choice(managers)
        colleague = next(iter(self._reports[manager]), None)
        if colleague is not None and not self._reports[number]:
            self._keep(replace(self.by_number[number], manager=manager, team=self.by_number[colleague].team))

    def _raise(self, number: str) -> None:
        one = self.by_number[number]
        if one.compensation is not None:
            more = raised(one.compensation, country(one.country), percent=self._random.choice(_RAISES_PERCENT))
            self._keep(replace(one, compensation=more))

    def _keep(self, employee: Employee) -> None:
        number = employee.employee_number
        if (before := self.by_number.get(number)) is not None:
            self._reports[before.manager].pop(number, None)
        if employee.left_on is None:
            self._reports[employee.manager][number] = None
        self.by_number[number] = employee

"""Checks the reporting line that would hold if every accepted row went through.

A manager may be in the file or known from before. A row whose manager's row was refused is refused with it, unless
the manager is known from before: then it reports to that person, whose earlier record stands. All rows on a cycle are
refused.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping

from launcher.people_import.employee import Employee

Managers = Mapping[str, str | None]


class ReportingLine:
    """Takes rows out of `accepted` until every manager is somebody and the line has no cycle.

    `known` are the managers of the people known from before, `refused` the rows of employee numbers refused so far.
    """

    def __init__(self, accepted: Iterable[Employee], *, known: Managers, refused: Mapping[str, int]) -> None:
        self.accepted = {employee.employee_number: employee for employee in accepted}
        self.reasons: dict[str, tuple[Employee, str]] = {}
        self._known = known
        self._refused = dict(refused)
        self._reports: defaultdict[str, list[str]] = defaultdict(list)
        for employee in self.accepted.values():
            if employee.manager is not None:
                self._reports[employee.manager].append(employee.employee_number)

    def check(self) -> None:
        """Refusing a row leaves its earlier record standing, which may close another cycle: until nothing changes."""
        self._refuse_orphans([n for n, employee in self.accepted.items() if not self._has_manager(employee)])
        while cycles := self._cycles():
            for cycle in cycles:
                shown = " -> ".join([*cycle[:10], *(["..."] if len(cycle) > 10 else []), cycle[0]])  # noqa: PLR2004
                members = [number for number in cycle if number in self.accepted]
                for number in members:
                    self._refuse(number, f"closes a cycle in the reporting line: {shown}")
                self._refuse_orphans([report for number in members for report in self._orphaned_by(number)])

    def _has_manager(self, employee: Employee) -> bool:
        return employee.manager is None or employee.manager in self.accepted or employee.manager in self._known

    def _orphaned_by(self, number: str) -> list[str]:
        return [] if number in self._known else [report for report in self._reports[number] if report in self.accepted]

    def _refuse_orphans(self, numbers: Iterable[str]) -> None:
        waiting = deque(numbers)
        while waiting:
            number = waiting.popleft()
            if number in self.accepted:
                row = self._refused.get(self.accepted[number].manager or "")
                reason = "is nobody, neither in the file nor before" if row is None else f"was refused (row {row})"
                self._refuse(number, reason)
                waiting.extend(self._orphaned_by(number))

    def _refuse(self, number: str, reason: str) -> None:
        employee = self.accepted.pop(number)
        self._refused[number] = employee.row
        self.reasons[number] = (employee, reason)

    def _manager(self, number: str) -> str | None:
        employee = self.accepted.get(number)
        return self._known.get(number) if employee is None else employee.manager

    def _cycles(self) -> list[list[str]]:
        """The cycles that hold at least one accepted row; each walk upwards ends where an earlier one passed."""
        walk_of: dict[str, int] = {}
        cycles: list[list[str]] = []
        for walk, start in enumerate(self.accepted):
            path: list[str] = []
            current: str | None = start
            while current is not None and current not in walk_of:
                walk_of[current] = walk
                path.append(current)
                current = self._manager(current)
            if current is not None and walk_of[current] == walk:
                cycles.append(path[path.index(current) :])
        return [cycle for cycle in cycles if any(number in self.accepted for number in cycle)]

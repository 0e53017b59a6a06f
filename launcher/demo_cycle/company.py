"""The company as the last import left it: who works where, under whom, and who acts for HR."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from launcher.failure import LaunchFailed
from launcher.people_import.last_import import kept
from shared.schemas.identifiers import PersonId
from shared.schemas.people import EmploymentStatus, PersonRecord


@dataclass(frozen=True)
class Company:
    """The active people of the last accepted import, in the order of their employee numbers."""

    people: Sequence[PersonRecord]

    @classmethod
    def imported(cls, folder: Path) -> "Company":
        """Read from the state folder.

        Raises:
            LaunchFailed: nobody was imported yet.
        """
        everybody = kept(folder).people.values()
        active = [p for p in everybody if p.status is EmploymentStatus.ACTIVE]
        if not active:
            raise LaunchFailed("There is nobody yet. Import people first: `trellis people import FILE`.")
        return cls(sorted(active, key=lambda p: p.employee_number))

    @cached_property
    def by_id(self) -> dict[PersonId, PersonRecord]:
        return {p.person: p for p in self.people}

    @cached_property
    def head(self) -> PersonRecord:
        """Who has no manager and most people below."""
        heads = [p for p in self.people if p.manager is None]
        if not heads:
            raise LaunchFailed("Nobody is without a manager: the demo needs a head of the company.")
        return max(heads, key=lambda p: len(self.reports[p.person]))

    @cached_property
    def reports(self) -> dict[PersonId, list[PersonRecord]]:
        """Direct reports by manager."""
        found: dict[PersonId, list[PersonRecord]] = defaultdict(list)
        for p in self.people:
            if p.manager in self.by_id and p.manager is not None:
                found[p.manager].append(p)
        return found

    def depth(self, person: PersonRecord) -> int:
        """How many people are above."""
        above = self.by_id.get(person.manager) if person.manager else None
        return 0 if above is None else 1 + self.depth(above)

    @cached_property
    def leaders(self) -> dict[str, PersonRecord]:
        """Of each team the one who is highest up."""
        found: dict[str, PersonRecord] = {}
        for p in self.people:
            if p.team and (p.team not in found or self.depth(p) < self.depth(found[p.team])):
                found[p.team] = p
        return dict(sorted(found.items()))

    @cached_property
    def hr(self) -> PersonRecord:
        """Who acts for HR: the leader of the team that is called so, else the head."""
        return next((p for team, p in self.leaders.items() if team.lower().startswith("human")), self.head)

    @cached_property
    def deputy(self) -> PersonRecord:
        """Who acts for HR where HR would decide about itself: somebody under the head, not HR."""
        return next((p for p in self.reports[self.head.person] if p.person != self.hr.person), self.head)

    def hr_for(self, *about: PersonId | None) -> PersonRecord:
        """Who of HR may decide about these people: nobody about themselves."""
        for candidate in (self.hr, self.deputy, self.head):
            if candidate.person not in about:
                return candidate
        raise LaunchFailed("The company is too small: nobody is left to decide.")

    def manager_of(self, person: PersonRecord) -> PersonRecord | None:
        return self.by_id.get(person.manager) if person.manager else None

"""The demo sees every reward, although nobody is shown what is being decided about themselves."""

from datetime import date
from pathlib import Path
from typing import Any

from rich.progress import Progress

from launcher.demo_cycle.client import Actor, Client
from launcher.demo_cycle.company import Company
from launcher.demo_cycle.journal import Journal
from launcher.demo_cycle.rewards import rewards_of
from launcher.demo_cycle.stage import Stage
from shared.eventsourcing.identifiers import uuid7
from shared.schemas.identifiers import PersonId
from shared.schemas.people import EmploymentStatus, PersonRecord


def person(number: str, *, team: str, manager: PersonRecord | None = None) -> PersonRecord:
    return PersonRecord(
        person=PersonId(uuid7()),
        revision=1,
        employee_number=number,
        given_name=None,
        family_name=number,
        email=None,
        manager=manager.person if manager else None,
        team=team,
        legal_entity="Main",
        pay_group="monthly",
        country="US",
        job_title=None,
        hired_on=date(2020, 1, 1),
        left_on=None,
        status=EmploymentStatus.ACTIVE,
    )


class DiscreetClient(Client):
    """Answers a list of rewards as the service does: all of them but the asker's own, which are not decided yet."""

    def __init__(self, folder: Path, company: Company) -> None:
        super().__init__(folder, {}, Journal(None))
        self._company = company

    async def everything(self, who: Actor, path: str, **parameters: Any) -> list[dict[str, Any]]:
        assert (path, parameters) == ("/rewards/v1/rewards", {"cycle": "2026"})
        return [
            {"id": p.employee_number, "person": str(p.person)} for p in self._company.people if p.person != who.person
        ]


async def test_the_reward_of_who_acts_for_hr_is_among_them(tmp_path: Path) -> None:
    head = person("1", team="Board")
    hr = person("2", team="Human Resources", manager=head)
    company = Company([head, hr, person("3", team="Sales", manager=head)])
    client = DiscreetClient(tmp_path, company)
    stage = Stage(client, company, ("2026-01-01", "2026-12-31"), 1, Progress())
    found = await rewards_of(stage, "2026")
    assert sorted(reward["id"] for reward in found) == ["1", "2", "3"]
    await client.close()

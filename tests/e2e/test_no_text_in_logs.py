"""What people are called and what they write is in no file that an installation logs to."""

import asyncio
import csv
from pathlib import Path
from typing import Any, Final

import pytest

from launcher.demo_cycle.company import Company
from launcher.processes import SERVICES
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId
from tests.e2e.installation import Installation
from tests.e2e.stored import query
from tests.integration.eventsourcing.running import until

pytestmark = pytest.mark.e2e
SAMPLE: Final = Path("launcher/company/hr_employees.csv")
MAPPING: Final = SAMPLE.with_suffix(".toml")
MARKED: Final = {"FIRST_NAME": "Mkfirst", "LAST_NAME": "Mklast", "EMAIL": "MKEMAIL"}
WRITTEN: Final = ("mktitleofagoal", "mkpraiseofaperson", "mknoteofacheckin")


@pytest.fixture
def renamed(tmp_path: Path) -> Path:
    """The sample, with other names and another address for its second person."""
    rows = list(csv.DictReader(SAMPLE.read_text().splitlines()))
    rows[1] |= MARKED
    file = tmp_path / "export.csv"
    with file.open("w", newline="") as opened:
        writer = csv.DictWriter(opened, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return file


async def test_no_log_file_holds_a_name_or_what_somebody_wrote(installation: Installation, renamed: Path) -> None:
    before = await _revisions(installation)
    said = await installation.trellis.run_well("people", "import", str(renamed), "--mapping", str(MAPPING))
    assert "1 changed" in " ".join(said.split())
    try:
        await _told(installation, {service: revisions + 1 for service, revisions in before.items()})
        await _written(installation)
    finally:
        await installation.trellis.run_well("people", "import", str(SAMPLE))
    await _told(installation, {service: revisions + 2 for service, revisions in before.items()})
    logs = {file: file.read_bytes().lower() for file in (installation.folder / "logs").rglob("*") if file.is_file()}
    assert {f"{service}-{role}.log" for service in SERVICES for role in ("api", "worker")} <= {f.name for f in logs}
    marks = [mark.lower().encode() for mark in (*MARKED.values(), *WRITTEN)]
    assert [(file.name, mark) for file, text in logs.items() for mark in marks if mark in text] == []


async def _revisions(installation: Installation) -> dict[str, int]:
    """Of all people together, as each service was told them."""
    server = installation.addresses.postgres
    found = {service: await query(server, service, "select sum(revision) from people") for service in SERVICES}
    return {service: rows[0][0] for service, rows in found.items()}


async def _told(installation: Installation, wanted: dict[str, int]) -> None:
    async def told() -> bool:
        return await _revisions(installation) == wanted

    await until(told, seconds=60, what="every service knows what was imported")


async def _written(installation: Installation) -> None:
    """A goal, praise and a check-in of the marked person, each read back."""
    company = Company.imported(installation.folder)  # as it is just now
    person, head = next(p for p in company.people if p.family_name == MARKED["LAST_NAME"]), company.head
    title, praise, notes = WRITTEN
    goal = {
        "level": "person",
        "owner": str(person.person),
        "title": title,
        "metric": {"kind": "number", "start": "0", "target": "10", "unit": "calls"},
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
    }
    about = {"receiver": str(person.person), "kind": "praise", "visibility": "receiver-and-manager", "text": praise}
    held = {"person": str(person.person), "held_on": "2026-03-31", "notes": notes}
    for service, path, body in (("goals", "/goals", goal), ("feedback", "/feedback", about)):
        await _sent_and_read(installation, service, path, body, head.person)
    await _sent_and_read(installation, "feedback", "/check-ins", held, head.person)


async def _sent_and_read(
    installation: Installation, service: str, path: str, body: dict[str, Any], by: PersonId
) -> None:
    async with installation.client(service, by, Role.MANAGER) as client:
        sent = await client.post(path, json=body, headers=(key := {"Idempotency-Key": str(uuid7())}))
        while sent.status_code == 503:  # a loaded machine may turn a client away
            await asyncio.sleep(float(sent.headers["Retry-After"]))
            sent = await client.post(path, json=body, headers=key)
        assert sent.status_code == 201, sent.text
        token = {"Consistency-Token": sent.headers["Consistency-Token"]}
        shown = await client.get(f"{path}/{sent.json()['id']}", headers=token)
        assert any(mark in shown.text for mark in WRITTEN), shown.text

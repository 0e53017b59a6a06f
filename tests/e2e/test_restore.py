"""The drill: backups of the databases, restored into an empty deployment with an empty Kafka, bring everything back."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from launcher import postgres
from launcher.postgres import PostgresServer
from launcher.processes import SERVICES
from shared.runtime.caller import Role
from tests.e2e.conftest import kafka_of_an_installation
from tests.e2e.installation import Installation, installed
from tests.e2e.soundness import examine

pytestmark = pytest.mark.e2e

SAMPLE = Path("launcher/company/hr_employees.csv")
DATABASES = [name for service in SERVICES for name in (service, f"{service}_keys")]
KEPT_BESIDE = ("master.key", "people", "payroll", "issuer", "journal.jsonl")
"""What is no database: the master key, the ids that the import gave people, payroll's own books."""
PRAISE = {"kind": "praise", "visibility": "receiver-and-manager", "text": "You kept the whole floor calm."}


@pytest.fixture(scope="module")
async def backup(server_folder: Path) -> AsyncIterator[Path]:
    """What is kept of an installation that went through a whole cycle, and of which nothing else is left."""
    folder, kept = server_folder / "doomed", server_folder / "backup"
    async with installed(folder, kafka=kafka_of_an_installation()) as doomed:
        await doomed.trellis.run_well("people", "import", str(SAMPLE))
        await doomed.trellis.run_well("demo", "--journal", str(doomed.journal), within=600)
        await doomed.trellis.run_well("log", "verify")
        kept.mkdir()
        for database in DATABASES:
            _server_program(
                "pg_dump", "--format=custom", f"--file={kept / database}", doomed.addresses.postgres.dsn(database)
            )
    for name in KEPT_BESIDE:
        (shutil.copytree if (folder / name).is_dir() else shutil.copy)(folder / name, kept / name)
    shutil.rmtree(folder)
    yield kept
    shutil.rmtree(kept)


@pytest.fixture(scope="module")
async def restored(backup: Path, server_folder: Path) -> AsyncIterator[Installation]:
    """An empty deployment, given the backup before anything of ours runs; its Kafka has never held a record."""
    folder = server_folder / "restored"
    folder.mkdir(mode=0o700)
    for name in KEPT_BESIDE:
        (shutil.copytree if (backup / name).is_dir() else shutil.copy)(backup / name, folder / name)
    server = postgres.start(folder / "postgres")
    _restore(server, backup)
    server.stop()
    async with installed(folder, kafka=kafka_of_an_installation()) as running:
        yield running


async def test_everything_is_published_again_and_every_log_is_clean(restored: Installation) -> None:
    found = await examine(restored, within=300)
    assert not found.faults, "\n".join(found.faults)
    print(found)
    assert found.payments > 0
    said = await restored.trellis.run_well("log", "verify")
    assert said.count("no difference: what Kafka holds is what the store holds") == len(SERVICES)
    await restored.trellis.run_well("reconcile")


async def test_the_keys_open_what_was_written_before_and_people_are_who_they_were(restored: Installation) -> None:
    head = restored.company.head
    report = restored.company.reports[head.person][0]
    async with restored.client("feedback", report.person) as client:
        told = (await client.get("/feedback", params={"person": str(report.person)})).json()["items"]
    assert told, "the demo gave everybody feedback"
    assert all(item["text"] not in {None, "erased"} for item in told)
    async with restored.client("goals", head.person, Role.MANAGER) as client:
        assert (await client.get("/plans", params={"owner": str(report.person)})).json()["items"]


async def test_it_goes_on_where_it_was(restored: Installation) -> None:
    head = restored.company.head
    report = restored.company.reports[head.person][0]
    async with restored.client("feedback", head.person, Role.MANAGER) as client:
        given = await client.post("/feedback", json={**PRAISE, "receiver": str(report.person)})
        assert given.status_code == 201, given.text
    await restored.trellis.run_well("log", "verify", "feedback")


def _restore(server: PostgresServer, backup: Path) -> None:
    for database in DATABASES:
        _server_program("createdb", f"--maintenance-db={server.dsn()}", database)
        _server_program(
            "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={server.dsn(database)}", str(backup / database)
        )


def _server_program(name: str, *arguments: str) -> None:
    done = subprocess.run([postgres.binaries() / name, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

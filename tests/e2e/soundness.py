"""Whether an installation is sound: nothing lost, nothing doubled, nothing left behind, from the stores to payroll."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from launcher.postgres import PostgresServer
from launcher.processes import SERVICES
from tests.e2e.acknowledged import Audit, audit_of, journal_of
from tests.e2e.installation import Installation
from tests.e2e.paid import books_of, every_instruction_is_paid_once
from tests.e2e.published import follow, kafka_holds, records_of
from tests.e2e.refolded import read_models_equal_a_fold
from tests.e2e.stored import EventLog, event_log, query, streams_are_whole

_STORED = "select coalesce(max(position), 0) as stored, (select position from log) as published from events"
_CHAIN = "select partition, position from chain"
_READERS = "select reader, topic, partition, position, stopped from checkpoints"
_PARKED = "select reader, stream, cause from dead_letters"


@dataclass(frozen=True, slots=True)
class Soundness:
    """What was compared."""

    audits: Mapping[str, Audit]
    events: int
    repeated: int
    payments: int
    rows: int

    def __str__(self) -> str:
        audits = self.audits.values()
        return (
            f"{sum(a.commands for a in audits)} commands acknowledged, {sum(len(a.lost) for a in audits)} lost, "
            f"{sum(len(a.doubled) for a in audits)} doubled, longest wait {max(a.longest_seconds for a in audits)} s; "
            f"{self.events} events stored and published once, {self.repeated} records sent again; "
            f"{self.payments} payments, each paid once; "
            f"{self.rows} rows of read models as a fold of the stores gives them"
        )


async def stored_positions(installation: Installation) -> dict[str, int]:
    """How far each store is written now."""
    server = installation.addresses.postgres
    return {service: (await query(server, service, _STORED))[0]["stored"] for service in SERVICES}


async def prove_sound(installation: Installation, *, since: Mapping[str, int] | None = None) -> Soundness:
    """Compare everything, once all is still; commands besides the demos' are only known of up to `since`."""
    await _still(installation)
    around = installation.addresses
    logs = {service: await event_log(around.postgres, service) for service in SERVICES}
    repeated = 0
    for service, log in logs.items():
        streams_are_whole(log)
        followed = follow(await records_of(around.broker.bootstrap, f"{service}.events"))
        kafka_holds(log, followed)
        repeated += followed.repeated
        assert await query(around.postgres, service, _PARKED) == []
    return Soundness(
        audits=await _audits(installation, logs, since or {}),
        events=sum(len(log.events) for log in logs.values()),
        repeated=repeated,
        payments=every_instruction_is_paid_once(logs["rewards"], books_of(installation.folder)),
        rows=await read_models_equal_a_fold(around.postgres, logs),
    )


async def _audits(
    installation: Installation, logs: Mapping[str, EventLog], since: Mapping[str, int]
) -> dict[str, Audit]:
    journal, server = journal_of(installation.journal), installation.addresses.postgres
    audits = {service: await audit_of(server, log, journal, since.get(service, 0)) for service, log in logs.items()}
    for found in audits.values():
        assert found.lost == [], f"{found.service} lost {len(found.lost)} of {found.commands}: {found.lost[:5]}"
        assert found.doubled == [], f"{found.service} did {len(found.doubled)} twice: {found.doubled[:5]}"
    return audits


async def _still(installation: Installation, *, within: float = 60) -> None:
    """Returns when all that is stored is published and read, twice in a row."""
    server = installation.addresses.postgres
    behind, before = await _behind(server)
    try:
        async with asyncio.timeout(within):
            while True:
                await asyncio.sleep(0.3)
                behind, now = await _behind(server)
                if not behind and now == before:
                    return
                before = now
    except TimeoutError as error:
        raise AssertionError(f"after {within:.0f} s there is still something behind: {behind[:10]}") from error


async def _behind(server: PostgresServer) -> tuple[list[str], dict[str, int]]:
    """What is not published or not read, and how far each store is written."""
    stored: dict[str, int] = {}
    behind: list[str] = []
    for service in SERVICES:
        log = (await query(server, service, _STORED))[0]
        stored[service] = log["stored"]
        if log["published"] != log["stored"]:
            behind.append(f"relay of {service}: {log['published']} of {log['stored']}")
    chains = {
        (f"{service}.events", row["partition"]): row["position"]
        for service in SERVICES
        for row in await query(server, service, _CHAIN)
    }
    for service in SERVICES:
        for row in await query(server, service, _READERS):
            end = chains[row["topic"], row["partition"]]
            if row["stopped"] or max(0, row["position"]) < end:
                behind.append(f"{service}: {dict(row)}, of {end}")
    return behind, stored

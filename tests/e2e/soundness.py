"""Whether an installation is sound: nothing lost, nothing doubled, nothing left behind, from the stores to payroll."""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from launcher.postgres import PostgresServer
from launcher.processes import SERVICES
from shared.schemas.rewards import PaymentInstructionIssued, RewardGranted
from tests.e2e.acknowledged import Audit, audit_of, journal_of
from tests.e2e.installation import Installation
from tests.e2e.paid import books_of, every_instruction_is_paid_once
from tests.e2e.published import follow, kafka_holds, missing, records_of
from tests.e2e.reacted import every_answer_is_recorded_once, every_review_is_considered_once
from tests.e2e.refolded import read_models_equal_a_fold
from tests.e2e.stored import EventLog, StoredEvent, event_log, query, streams_are_whole

_STORED = "select coalesce(max(position), 0) as stored, (select position from log) as published from events"
_CHAIN = "select partition, position from chain"
_UNPAID = """select count(*) filter (where type = $1) - count(*) filter (where type = $2) as unpaid from events"""
_READERS = "select reader, topic, partition, position, stopped from checkpoints"
_LONGEST_FAULT: Final = 800
_PARKED = "select reader, stream, cause from dead_letters"


@dataclass(frozen=True, slots=True)
class Soundness:
    """What was compared; `faults` says what did not come out, nothing where all is well.

    `unpublished`: stored events that Kafka does not hold as the chain requires, by service.
    """

    audits: Mapping[str, Audit]
    events: int
    repeated: int
    payments: int
    reviews: int
    rows: int
    faults: Sequence[str]
    unpublished: Mapping[str, Sequence[StoredEvent]]

    def __str__(self) -> str:
        audits = self.audits.values()
        return (
            f"{sum(a.commands for a in audits)} commands acknowledged, {sum(len(a.lost) for a in audits)} lost, "
            f"{sum(len(a.doubled) for a in audits)} doubled, longest wait {max(a.longest_seconds for a in audits)} s; "
            f"{sum(a.refused for a in audits)} refused, {sum(len(a.left_behind) for a in audits)} of them left "
            f"something; {sum(a.unknown for a in audits)} unknown, {sum(len(a.torn) for a in audits)} of them torn; "
            f"{self.events} events stored and published once, {self.repeated} records sent again; "
            f"{self.reviews} completed reviews, each considered once; {self.payments} payments, each paid once; "
            f"{self.rows} rows of read models as a fold of the stores gives them"
        )


async def stored_positions(installation: Installation) -> dict[str, int]:
    """How far each store is written now."""
    server = installation.addresses.postgres
    return {service: (await query(server, service, _STORED))[0]["stored"] for service in SERVICES}


async def prove_sound(installation: Installation, *, since: Mapping[str, int] | None = None) -> Soundness:
    """Compare everything, once all is still; commands besides the demos' are only known of up to `since`."""
    found = await examine(installation, since=since)
    assert not found.faults, "\n".join(found.faults)
    return found


async def examine(
    installation: Installation, *, since: Mapping[str, int] | None = None, within: float = 60
) -> Soundness:
    """The same, but whatever is wrong is said in the answer. `within`: seconds in which all must have become still."""
    faults = Faults()
    with faults.noted():
        await _still(installation, within=within)
    around = installation.addresses
    logs = {service: await event_log(around.postgres, service) for service in SERVICES}
    repeated, unpublished = 0, dict[str, Sequence[StoredEvent]]()
    for service, log in logs.items():
        with faults.noted():
            streams_are_whole(log)
        with faults.noted():
            followed = follow(await records_of(around.broker.bootstrap, f"{service}.events"))
            unpublished[service] = missing(log, followed)
            repeated += followed.repeated
            kafka_holds(log, followed)
        with faults.noted():
            assert (parked := await query(around.postgres, service, _PARKED)) == [], f"{service} parked {parked[:3]}"
    payments, reviews, rows = [0], [0], [0]
    with faults.noted():
        reviews[0] = every_review_is_considered_once(logs["reviews"], logs["rewards"])
    with faults.noted():
        every_answer_is_recorded_once(logs["rewards"])
    with faults.noted():
        payments[0] = every_instruction_is_paid_once(logs["rewards"], books_of(installation.folder))
    with faults.noted():
        rows[0] = await read_models_equal_a_fold(around.postgres, logs)
    with faults.noted():
        reconciled = await installation.trellis.run("reconcile")
        assert reconciled.code == 0, f"the reconciliation differs: {reconciled.output}"
    audits = await _audits(installation, logs, since or {}, faults)
    return Soundness(
        audits=audits,
        events=sum(len(log.events) for log in logs.values()),
        repeated=repeated,
        payments=payments[0],
        reviews=reviews[0],
        rows=rows[0],
        faults=faults.found,
        unpublished=unpublished,
    )


@dataclass(slots=True)
class Faults:
    """What the checks said that failed."""

    found: list[str] = field(default_factory=list[str])

    @contextmanager
    def noted(self) -> Generator[None]:
        """A check that fails does not keep the next one from being made."""
        try:
            yield
        except AssertionError as failed:
            self.found.append(str(failed)[:_LONGEST_FAULT])


async def _audits(
    installation: Installation, logs: Mapping[str, EventLog], since: Mapping[str, int], faults: Faults
) -> dict[str, Audit]:
    journal, server = journal_of(installation.journal), installation.addresses.postgres
    audits = {service: await audit_of(server, log, journal, since.get(service, 0)) for service, log in logs.items()}
    for found in audits.values():
        with faults.noted():
            assert not found.lost, f"{found.service} lost {len(found.lost)} of {found.commands}: {found.lost[:5]}"
        with faults.noted():
            assert not found.doubled, f"{found.service} did {len(found.doubled)} twice: {found.doubled[:5]}"
        with faults.noted():
            assert not found.left_behind, f"{found.service} refused and did it: {found.left_behind[:5]}"
        with faults.noted():
            assert not found.torn, f"{found.service} did a part of {len(found.torn)}: {found.torn[:5]}"
    return audits


async def _still(installation: Installation, *, within: float) -> None:
    """Returns when all that is stored is published and read, and all payments are granted, twice in a row."""
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
    unpaid = (await query(server, "rewards", _UNPAID, PaymentInstructionIssued.event_type, RewardGranted.event_type))[0]
    if unpaid["unpaid"]:
        behind.append(f"payments that are not granted yet: {unpaid['unpaid']}")
    return behind, stored

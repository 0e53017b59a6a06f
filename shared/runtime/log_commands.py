"""What an operator runs beside a service: `python -m services.<service> verify | refill [--json] [--topic TOPIC]`."""

import asyncio
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from shared.eventsourcing.database import create_engine
from shared.eventsourcing.errors import WrongPartitionCount
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.refill import RefillRefused, refill
from shared.eventsourcing.topic_scan import KafkaSilent
from shared.eventsourcing.verification import Progress, StoreSilent, Verification, verify
from shared.eventsourcing.verified_partition import Difference, VerifiedPartition
from shared.runtime.service import Service, kafka_of
from shared.runtime.settings import Settings

COMMANDS: Final = ("verify", "refill")
CANNOT: Final = (StoreSilent, KafkaSilent, WrongPartitionCount, RefillRefused)
"""What keeps a log from being verified or refilled, each with a message for the operator."""
_SHOWN: Final = 12


class LogAddress:
    """Where a service's log is: its database, its topic, and who publishes there."""

    def __init__(self, service: str, *, database_url: str, kafka: Kafka, topic: str | None = None) -> None:
        self.service = service
        self.topic = topic or f"{service}.events"
        self._database_url = database_url
        self._kafka = kafka

    async def verify(self, progress: Progress, *, publish_seconds: float = 10) -> Verification:
        """Compare store and topic. Raises what `verification.verify` raises."""
        engine = create_engine(self._database_url, pool_size=2, application_name="trellis-verify")
        try:
            return await verify(
                engine,
                self._kafka,
                topic=self.topic,
                source=f"/trellis/{self.service}",
                progress=progress,
                publish_seconds=publish_seconds,
            )
        finally:
            await engine.dispose()

    async def refill(self, progress: Progress) -> str:
        """Have the relay publish again what is missing; what was begun, in words. Raises one of `CANNOT`."""
        verification = await self.verify(progress)
        engine = create_engine(self._database_url, pool_size=2, application_name="trellis-refill")
        try:
            begun = await refill(engine, verification)
        finally:
            await engine.dispose()
        partitions = ", ".join(str(partition) for partition in begun.partitions)
        return (
            f"{self.service}: the relay publishes partitions {partitions} of {self.topic} again from the first event, "
            f"up to position {begun.horizon}. `verify` says when it is done."
        )


def as_json(verification: Verification) -> Mapping[str, Any]:
    """Everything that was found, for machines."""
    return {
        "topic": verification.topic,
        "sound": verification.sound,
        "complete": verification.complete,
        "log_id": str(verification.log_id),
        "horizon": verification.horizon,
        "events": verification.events,
        "streams": verification.streams,
        "unpublished": verification.unpublished,
        "relay_state": verification.relay_state,
        "differences": [asdict(difference) for difference in verification.differences],
        "partitions": [_partition(partition) for partition in verification.partitions],
    }


def _partition(found: VerifiedPartition) -> Mapping[str, Any]:
    counts = ("partition", "stored", "published", "duplicates", "healed", "marks", "superseded", "foreign")
    return {
        **{name: getattr(found, name) for name in counts},
        "stored_sha256": found.stored_checksum,
        "published_sha256": found.published_checksum,
        "events_sha256": found.proof.whole.checksum,
        "days": {
            day.isoformat(): {"events": digest.events, "sha256": digest.checksum}
            for day, digest in sorted(found.proof.days.items())
        },
    }


def in_words(verification: Verification) -> list[str]:
    """What was found, line by line: each partition, then the verdict with the first difference."""
    size = f"{verification.events} events in {verification.streams} streams"
    lines = [
        f"{verification.topic}: {size}, up to position {verification.horizon} of log {verification.log_id}",
        "  partition   stored published duplicates healed marks  SHA-256",
    ]
    for p in verification.partitions:
        counts = f"{p.stored:8} {p.published:9} {p.duplicates:10} {p.healed:6} {p.marks:5}"
        lines.append(f"  {p.partition:9} {counts}  {_checksums(p)}")
    notes = {
        "records of older logs, passed over": sum(p.superseded for p in verification.partitions),
        "records that are no envelope, passed over": sum(p.foreign for p in verification.partitions),
    }
    lines += [f"  {count} {what}" for what, count in notes.items() if count]
    if verification.relay_state == "forked":
        lines.append("  the relay publishes nothing: the log has forked; see `trellis log status`")
    if verification.complete:
        return [*lines, "  no difference: what Kafka holds is what the store holds"]
    if verification.sound:
        behind = f"{verification.unpublished} events behind it are stored and not published"
        return [*lines, f"  no difference up to there, but {behind}: see `trellis log status`"]
    first, *others = verification.differences
    return [*lines, f"  FIRST DIFFERENCE: {_difference(first)}", *(f"  also: {_difference(d)}" for d in others)]


def _checksums(p: VerifiedPartition) -> str:
    stored, published = p.stored_checksum[:_SHOWN], p.published_checksum[:_SHOWN]
    return stored if stored == published else f"{stored}, in Kafka {published}"


def _difference(difference: Difference) -> str:
    place = f"partition {difference.partition}, " if difference.partition is not None else ""
    offset = f"offset {difference.offset}, " if difference.offset is not None else ""
    stream = f", stream {difference.stream}" if difference.stream else ""
    return f"{difference.kind}: {place}{offset}position {difference.position}{stream}: {difference.what}"


def run(service: Service, settings: Settings, command: str, arguments: list[str]) -> int:
    """The exit code: 0; 1 for a difference, for events that are not published, for what cannot be; 2 for arguments."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what is wrong is said once, below
    topic = arguments[arguments.index("--topic") + 1] if "--topic" in arguments[:-1] else None
    known = {"--json", "--topic", topic}
    if any(argument not in known for argument in arguments) or arguments[-1:] == ["--topic"]:
        sys.stderr.write(f"usage: python -m services.{service.name} {command} [--json] [--topic TOPIC]\n")
        return 2
    log = LogAddress(service.name, database_url=settings.database_url, kafka=kafka_of(settings), topic=topic)
    try:
        if command == "refill":
            sys.stdout.write(asyncio.run(log.refill(_on_terminal)) + "\n")
            return 0
        found = asyncio.run(log.verify(_on_terminal))
    except CANNOT as error:
        sys.stderr.write(f"{service.name}: {error}\n")
        return 1
    text = json.dumps(as_json(found), indent=2) if "--json" in arguments else "\n".join(in_words(found))
    sys.stdout.write(text + "\n")
    return 0 if found.complete else 1


def _on_terminal(position: int, horizon: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{position} of {horizon}" + ("\n" if position == horizon else ""))

"""Golden records: what went over the wire of each version of an event, key and headers too, kept for ever."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from shared.schemas.contract import GOLDENS, goldens_of
from shared.schemas.envelope import Envelope, Headers, to_headers
from shared.schemas.identifiers import PersonId
from shared.schemas.topics import TOPICS, Topic

RECORDS: Final = GOLDENS.parent / "records"
_AT: Final = datetime(2026, 3, 31, 16, tzinfo=UTC)
_STREAM: Final = UUID("0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c")


@dataclass(frozen=True, slots=True)
class WireRecord:
    """A record as Kafka holds it; all of it is text in the contract, and is kept as such."""

    topic: str
    key: bytes
    headers: Headers
    value: bytes

    @classmethod
    def read(cls, file: Path) -> "WireRecord":
        kept = json.loads(file.read_text(encoding="utf-8"))
        headers = [(name, value.encode()) for name, value in kept["headers"]]
        return cls(kept["topic"], kept["key"].encode(), headers, kept["value"].encode())

    def text(self) -> str:
        """The file's text."""
        headers = [[name, value.decode()] for name, value in self.headers]
        kept = {"topic": self.topic, "key": self.key.decode(), "headers": headers, "value": self.value.decode()}
        return json.dumps(kept, indent=1, ensure_ascii=False) + "\n"


def write_records(folder: Path = RECORDS) -> list[str]:
    """Keep a record of each version that has golden bytes and no record yet; those that are there never change."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [
        (topic, event_type)
        for topic in TOPICS
        for event_type in sorted({*topic.types.models, *topic.types.upcasters})
        if goldens_of(event_type) and not (folder / f"{event_type}.json").exists()
    ]
    for topic, event_type in missing:
        (folder / f"{event_type}.json").write_text(_record(topic, event_type).text(), encoding="utf-8")
    return [event_type for _, event_type in missing]


def _record(topic: Topic, event_type: str) -> WireRecord:
    """As the relay writes it today, with every header that there may be; of a feed, as its writer does."""
    value = goldens_of(event_type)[0].read_bytes()
    headers = to_headers(_envelope(topic.name, event_type))
    if not topic.chained:
        of_a_feed = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "content-type")
        headers = [(name, content) for name, content in headers if name in of_a_feed]
    return WireRecord(topic.name, dict(headers)["ce_subject"], headers, value)


def _envelope(topic: str, event_type: str) -> Envelope:
    return Envelope(
        id=UUID("0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"),
        source=f"/trellis/{topic.split('.', maxsplit=1)[0]}",
        type=event_type,
        subject=f"golden-{_STREAM}",
        time=_AT,
        sequence=3,
        log_id=UUID("0199a1b2-0000-7000-8000-00000000000a"),
        position=1042,
        previous_position=1031,
        recorded_at=_AT.replace(microsecond=120_000),
        actor=PersonId(UUID("0199a1b2-0000-7000-8000-000000000103")),
        correlation_id=UUID("0199a1b2-0000-7000-8000-00000000000b"),
        causation_id=UUID("0199a1b2-0000-7000-8000-00000000000d"),
        command_id=UUID("0199a1b2-0000-7000-8000-00000000000c"),
        policy_version="3",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )

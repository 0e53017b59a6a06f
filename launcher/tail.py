"""`trellis tail`: the events as they come, one a line."""

import asyncio
import json
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final, TypeAlias

import typer
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.text import Text

from launcher.addresses import running_broker_of
from launcher.failure import LaunchFailed
from launcher.processes import SERVICES
from launcher.state import DEFAULT_FOLDER, Folder
from launcher.target import Target, folder_of
from shared.eventsourcing.kafka import Kafka, close, partitions_of
from shared.schemas.envelope import LogMark, MalformedEnvelope, from_headers
from shared.schemas.feed import feed_type

app = typer.Typer(add_completion=False)
EVENTS: Final = (*(f"{service}.events" for service in SERVICES), "payroll.events", "kpi.measurements")
"""What is shown unless topics are named: not the people feed, which holds names and pay."""
_ASKED_EVERY_MS: Final = 200
Record: TypeAlias = ConsumerRecord[bytes, bytes]
Topics = Annotated[list[str] | None, typer.Argument(metavar="[TOPIC]...", help="Unset: all but people.*.")]
FromBeginning = Annotated[bool, typer.Option("--from-beginning", help="Everything that was ever published, first.")]


@app.command()
def tail(
    topics: Topics = None,
    *,
    from_beginning: FromBeginning = False,
    target: Target = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """Show events as they come, one a line, until Ctrl-C. Order holds within a partition (the number before the @)."""
    kafka = Kafka(bootstrap=running_broker_of(folder_of(folder, target)).bootstrap)
    with suppress(KeyboardInterrupt):
        asyncio.run(_show(kafka, topics or EVENTS, from_beginning=from_beginning))


async def _show(kafka: Kafka, topics: Sequence[str], *, from_beginning: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    what = "Events of" if from_beginning else "From now on, events of"
    Console(highlight=False, soft_wrap=True, stderr=True).print(f"{what} {', '.join(topics)}. Ctrl-C ends it.")
    async for record in records(kafka, topics, from_beginning=from_beginning, until=_ctrl_c()):
        shown = line(record)
        if shown is not None:
            console.print(shown)


def _ctrl_c() -> asyncio.Event:
    """Set by the first Ctrl-C: a client that is cancelled while it asks may miss it. The second interrupts."""
    loop, pressed = asyncio.get_running_loop(), asyncio.Event()

    def press() -> None:
        pressed.set()
        loop.remove_signal_handler(signal.SIGINT)

    loop.add_signal_handler(signal.SIGINT, press)
    return pressed


async def records(
    kafka: Kafka, topics: Sequence[str], *, from_beginning: bool, until: asyncio.Event
) -> AsyncGenerator[Record]:
    """Every record of the topics from now on, or from the beginning, `until` that is set.

    Raises:
        LaunchFailed: no broker answers, or a topic is not there.
    """
    consumer = kafka.consumer()
    try:
        await consumer.start()
        partitions = [partition for topic in topics for partition in await _partitions(consumer, topic)]
        consumer.assign(partitions)
        await (consumer.seek_to_beginning if from_beginning else consumer.seek_to_end)(*partitions)
        while not until.is_set():
            for batch in (await consumer.getmany(timeout_ms=_ASKED_EVERY_MS)).values():
                for record in batch:
                    yield record
    except (KafkaError, OSError) as error:
        raise LaunchFailed(f"The broker at {kafka.bootstrap} does not answer: {error!r}.") from error
    finally:
        await close(consumer)


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    partitions = await partitions_of(consumer, topic)
    if not partitions:
        there = ", ".join(sorted(name for name in await consumer.topics() if not name.startswith("__")))
        raise LaunchFailed(f"The topic {topic} is not there. There are: {there or 'none'}.")
    return partitions


def line(record: Record) -> Text | None:
    """The record in one line; None for a log mark, which is the relay's own."""
    place = f"{record.topic} {record.partition}@{record.offset}"
    try:
        envelope = from_headers(record.headers)
    except MalformedEnvelope as error:
        return _without_envelope(record, place, str(error))
    if isinstance(envelope, LogMark):
        return None
    return _event(place, at=envelope.time, event_type=envelope.type, subject=envelope.subject, record=record)


def _without_envelope(record: Record, place: str, reason: str) -> Text:
    """Records of a feed have a type, but no place in a log; anything else is no event."""
    at = datetime.fromtimestamp(record.timestamp / 1000).astimezone()
    try:
        event_type = feed_type(record.headers)
    except MalformedEnvelope:
        return Text.assemble(_time(at), " ", (place, "dim"), " ", (f"no event ({reason}): {_raw(record)}", "red"))
    subject = (dict(record.headers).get("ce_subject") or b"").decode(errors="replace")
    return _event(place, at=at, event_type=event_type, subject=subject, record=record)


def _event(place: str, *, at: datetime, event_type: str, subject: str, record: Record) -> Text:
    name = event_type.removeprefix("trellis.").partition(".")[2] or event_type
    return Text.assemble(
        _time(at),
        " ",
        (place, "dim"),
        " ",
        (_safe(name), "bold cyan"),
        " ",
        _safe(subject),
        " ",
        (_data(record), "dim"),
    )


def _time(at: datetime) -> Text:
    try:
        return Text(f"{at.astimezone():%m-%d %H:%M:%S.%f}"[:-3], "green")
    except (OverflowError, ValueError):
        return Text(str(at), "green")


def _data(record: Record) -> str:
    try:
        return _safe(json.dumps(_readable(json.loads(record.value or b"null")), ensure_ascii=False))
    except ValueError:
        return _raw(record)


def _readable(value: Any) -> Any:
    """The same with a sealed text as one word."""
    match value:
        case {"ciphertext": _, "person": person}:
            return f"<sealed text about {person}>"
        case dict():
            return {name: _readable(part) for name, part in value.items()}
        case list():
            return [_readable(part) for part in value]
        case _:
            return value


def _raw(record: Record) -> str:
    value = record.value
    return "no value" if value is None else f"{len(value)} bytes {_safe(value[:60].decode(errors='replace'))!r}"


def _safe(text: str) -> str:
    """Without what a terminal would obey instead of showing it."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)

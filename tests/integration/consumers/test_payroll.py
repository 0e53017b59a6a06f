"""The reference payroll on a real broker: duplicates, kills, emptied topics; every instruction paid exactly once."""

import asyncio
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from consumers.payroll.books import Books
from consumers.payroll.payroll import GROUP, Payroll, Stalled
from consumers.payroll.reading import Reading
from consumers.payroll.settings import Settings
from consumers.payroll.topics import partitions_of, stop
from launcher.brokers.broker import Broker
from launcher.process import free_port
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from shared.schemas.payroll import InstructionAccepted, InstructionPaid, InstructionRejected
from tests.conftest import NewTopic
from tests.servers.topics import create_empty, delete
from tests.unit.consumers.payroll.instructions import Chain, Published, instructions, payment

pytestmark = pytest.mark.kafka

ACCEPTED, REJECTED, PAID = (event.event_type for event in (InstructionAccepted, InstructionRejected, InstructionPaid))
_CHILD = """
import asyncio, sys
from pathlib import Path
from consumers.payroll.payroll import GROUP, Payroll, Stalled
from consumers.payroll.settings import Settings
bootstrap, database, idempotence, instructions, answers = sys.argv[1:]
settings = Settings(bootstrap=bootstrap, database=Path(database), idempotence=idempotence == "True",
                    fixed_assignment=True, pay_run_seconds=0.05)
asyncio.run(Payroll(settings, instructions=instructions, answers=answers).run())
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A payroll with a file and topics of its own, and what the test does around it."""

    broker: Broker
    file: Path
    instructions: str
    answers: str

    @property
    def settings(self) -> Settings:
        return Settings(
            bootstrap=self.broker.bootstrap,
            database=self.file,
            idempotence=self.broker.idempotent_producer,
            fixed_assignment=True,
            pay_groups=frozenset({"US-MONTHLY"}),
            pay_run_seconds=0.05,
        )

    @asynccontextmanager
    async def payroll(self, *, hole_seconds: float = 0.5) -> AsyncGenerator[Payroll]:
        running = Payroll(
            self.settings, instructions=self.instructions, answers=self.answers, hole_seconds=hole_seconds
        )
        task = asyncio.create_task(running.run())
        try:
            yield running
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def publish(self, records: Iterable[Published]) -> None:
        """What the relay would send, to its partition, again if asked again."""
        producer = AIOKafkaProducer(bootstrap_servers=self.broker.bootstrap, acks="all")
        await producer.start()
        try:
            for record in records:
                await producer.send_and_wait(
                    self.instructions, record.value, key=record.key, partition=record.partition, headers=record.headers
                )
        finally:
            await producer.stop()

    async def answered(self) -> list[Any]:
        """Every record of the answers' topic, as it is now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.broker.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = await partitions_of(consumer, self.answers)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            records: list[Any] = []
            async with asyncio.timeout(20):
                while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                    records += [r for batch in (await consumer.getmany(timeout_ms=100)).values() for r in batch]
            return records
        finally:
            await stop(consumer)

    async def empty(self, topic: str, *, partitions: int) -> None:
        """What a broker that keeps its records in memory does when it is started again."""
        await create_empty(self.broker.bootstrap, [Topic(topic, partitions)])

    def payments_made(self) -> int:
        with sqlite3.connect(self.file) as books:
            return books.execute("select count(*) from payments_made").fetchone()[0]


@pytest.fixture
async def desk(kafka: Broker, new_topic: NewTopic, tmp_path: Path) -> Desk:
    return Desk(kafka, tmp_path / "payroll.sqlite", await new_topic(partitions=1), await new_topic(partitions=2))


async def until(condition: Callable[[], bool], seconds: float = 40) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is in a file and on a broker
            await asyncio.sleep(0.02)


def figures_are(running: Payroll, *, instructions: int, paid: int) -> Callable[[], bool]:
    """All is received, paid and answered."""

    def reached() -> bool:
        figures = running.books.figures()
        return (figures.instructions, figures.paid, figures.unpublished) == (instructions, paid, 0)

    return reached


def kinds(records: Sequence[Any]) -> Counter[tuple[str, str]]:
    """How often each payment was answered what."""
    return Counter((record.key.decode(), dict(record.headers)["ce_type"].decode()) for record in records)


def once_each(numbers: Iterable[int]) -> Counter[tuple[str, str]]:
    return Counter((str(payment(number)), kind) for number in numbers for kind in (ACCEPTED, PAID))


def distinct(records: Sequence[Any]) -> dict[bytes, tuple[Any, ...]]:
    """By ce_id; the same id twice with other bytes fails."""
    found: dict[bytes, tuple[Any, ...]] = {}
    for record in records:
        content = (record.key, record.value, tuple(record.headers))
        assert found.setdefault(dict(record.headers)["ce_id"], content) == content
    return found


async def test_instructions_are_accepted_and_paid(desk: Desk) -> None:
    await desk.publish(instructions(Chain(), 20))
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=20, paid=20))
    assert kinds(await desk.answered()) == once_each(range(20))


async def test_duplicates_are_paid_and_answered_once(desk: Desk) -> None:
    records = list(instructions(Chain(), 10))
    await desk.publish([*records[:6], *records[2:8], *records])
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=10, paid=10))
    assert kinds(await desk.answered()) == once_each(range(10))


async def test_a_rejected_instruction_is_corrected_and_paid_and_an_older_version_is_refused(desk: Desk) -> None:
    chain = Chain()
    await desk.publish([chain.instruction(1, pay_group="XX"), chain.instruction(1, version=3)])
    await desk.publish([chain.instruction(1, version=2)])
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=3, paid=1))
    answers = kinds(await desk.answered())
    assert answers == Counter(
        {(str(payment(1)), REJECTED): 2, (str(payment(1)), ACCEPTED): 1, (str(payment(1)), PAID): 1}
    )


async def test_killed_between_recording_and_publishing_the_answer_is_still_given(desk: Desk) -> None:
    records = list(instructions(Chain(), 5))
    await desk.publish(records)
    books = Books(desk.file)
    Reading(books, desk.instructions).take(0, records)
    books.close()
    assert await desk.answered() == []
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=5, paid=5))
    assert kinds(await desk.answered()) == once_each(range(5))


async def test_killed_between_publishing_and_noting_it_the_answer_is_the_same_bytes_again(desk: Desk) -> None:
    await desk.publish(instructions(Chain(), 5))
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=5, paid=5))
    books = Books(desk.file)
    with books.transaction():
        books.publish_again()
    books.close()
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=5, paid=5))
    answers = await desk.answered()
    assert len(answers) == 20
    assert len(distinct(answers)) == 10


async def test_a_hole_that_is_filled_later_heals(desk: Desk) -> None:
    first, second, third = instructions(Chain(), 3)
    await desk.publish([first, third])
    async with desk.payroll(hole_seconds=60) as running:
        await until(lambda: 0 in running.reading.holes)
        assert running.books.figures().instructions == 1
        await desk.publish([second, third])
        await until(figures_are(running, instructions=3, paid=3))
    assert kinds(await desk.answered()) == once_each(range(3))


async def test_a_hole_that_stays_stops_the_partition_loudly(desk: Desk) -> None:
    first, _, third = instructions(Chain(), 3)
    await desk.publish([first, third])
    async with desk.payroll(hole_seconds=0.3) as running:
        await until(lambda: 0 in running.reading.stopped)
        ready, details = running.state()
    assert (ready, details["instructions"]) == (False, 1)
    assert details["stopped"] == {"0": "records after position 1 are missing from the topic"}


async def test_an_instructions_topic_that_was_emptied_and_filled_again_is_read_from_its_beginning(desk: Desk) -> None:
    chain = Chain()
    records = list(instructions(chain, 10))
    await desk.publish(records)
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=10, paid=10))
    await desk.empty(desk.instructions, partitions=1)
    await desk.publish([*records[:3]])
    async with desk.payroll() as running:
        await desk.publish([*records[3:], chain.instruction(10)])
        await until(figures_are(running, instructions=11, paid=11))
    assert kinds(await desk.answered()) == once_each(range(11))


async def test_an_answers_topic_that_was_emptied_gets_every_recorded_answer_again(desk: Desk) -> None:
    await desk.publish(instructions(Chain(), 10))
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=10, paid=10))
    before = distinct(await desk.answered())
    await desk.empty(desk.answers, partitions=2)
    async with desk.payroll() as running:
        async with asyncio.timeout(40):
            while len(after := distinct(await desk.answered())) < 20:  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(0.1)
        assert running.books.figures().paid == 10
    assert after == before


@pytest.mark.apache
async def test_a_consumer_group_shares_the_partitions_out(desk: Desk) -> None:
    await desk.publish(instructions(Chain(), 10))
    settings = Settings(bootstrap=desk.broker.bootstrap, database=desk.file, idempotence=True, pay_run_seconds=0.05)
    running = Payroll(settings, instructions=desk.instructions, answers=desk.answers)
    task = asyncio.create_task(running.run())
    await until(figures_are(running, instructions=10, paid=10))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert kinds(await desk.answered()) == once_each(range(10))


async def test_killed_at_random_moments_nothing_is_lost_and_nothing_is_paid_twice(desk: Desk) -> None:
    seed, count = 20260115, 400
    random = Random(seed)
    publishing = asyncio.create_task(desk.publish(instructions(Chain(), count)))
    for _ in range(6):
        process = await start(desk)
        await asyncio.sleep(random.uniform(0.5, 1.6))
        process.send_signal(signal.SIGKILL)
        await process.wait()
    await publishing
    async with desk.payroll() as running:
        await until(figures_are(running, instructions=count, paid=count))
    answers = await desk.answered()
    assert desk.payments_made() == count, f"seed {seed}"
    assert len(distinct(answers)) == 2 * count
    assert set(kinds(answers)) == set(once_each(range(count)))


async def start(desk: Desk) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _CHILD,
        desk.broker.bootstrap,
        str(desk.file),
        str(desk.broker.idempotent_producer),
        desk.instructions,
        desk.answers,
    )


async def _ended(payroll: Payroll, *, within: float) -> BaseException | None:
    """What payroll ended with by itself in that time; None: it went on."""
    task = asyncio.create_task(payroll.run())
    done, _ = await asyncio.wait([task], timeout=within)
    if done:
        return task.exception()
    task.cancel()
    await asyncio.wait([task])
    return None


@pytest.mark.apache
async def test_a_consumer_that_gets_nothing_to_read_ends_payroll_for_another_to_start(desk: Desk) -> None:
    """As where it fell out of its group: here another member of the group holds every partition."""
    first = "a-member"  # a group of several gives the only partition to the id that sorts first
    other = AIOKafkaConsumer(
        desk.instructions, bootstrap_servers=desk.broker.bootstrap, group_id=GROUP, client_id=first
    )
    await other.start()
    try:
        settings = replace(desk.settings, fixed_assignment=False)
        payroll = Payroll(settings, instructions=desk.instructions, answers=desk.answers, stall_seconds=4)
        ended = await _ended(payroll, within=60)
    finally:
        await stop(other)
    assert isinstance(ended, ExceptionGroup)
    assert ended.subgroup(Stalled) is not None


async def test_payroll_waits_for_a_broker_that_is_down_and_for_instructions_that_do_not_come(desk: Desk) -> None:
    nobody = replace(desk.settings, bootstrap=f"127.0.0.1:{free_port()}")
    assert await _ended(Payroll(nobody, stall_seconds=9), within=14) is None  # it pauses for up to 5 s between tries
    idle = Payroll(desk.settings, instructions=desk.instructions, answers=desk.answers, stall_seconds=4)
    assert await _ended(idle, within=8) is None


@asynccontextmanager
async def in_a_group(desk: Desk) -> AsyncGenerator[Payroll]:
    """Payroll as it runs on Apache Kafka."""
    settings = replace(desk.settings, fixed_assignment=False)
    payroll = Payroll(settings, instructions=desk.instructions, answers=desk.answers, stall_seconds=60)
    task = asyncio.create_task(payroll.run())
    try:
        yield payroll
        assert not task.done(), "no watchdog had to help"
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.mark.apache
async def test_instructions_whose_topic_is_created_after_payroll_was_started_are_read_at_once(desk: Desk) -> None:
    await delete(desk.broker.bootstrap, [desk.instructions])
    async with in_a_group(desk) as running:
        await until(lambda: "TopicMissing" in (running.last_error or ""))
        ready, said = running.state()
        assert not ready
        assert f"topic {desk.instructions} does not exist" in said["last_error"]
        await create_topics(desk.broker.bootstrap, [Topic(desk.instructions, 1)])
        created = time.monotonic()
        await until(lambda: running.state()[0], seconds=15)
        await desk.publish(instructions(Chain(), 10))
        await until(figures_are(running, instructions=10, paid=10), seconds=15)
        print(f"ready and all paid {time.monotonic() - created:.1f} s after the topic was created")


@pytest.mark.apache
async def test_instructions_whose_topic_is_deleted_and_created_again_under_a_payroll_are_read_on(
    desk: Desk,
) -> None:
    async with in_a_group(desk) as running:
        await until(lambda: running.state()[0])
        await delete(desk.broker.bootstrap, [desk.instructions])
        await until(lambda: not running.state()[0])
        await create_topics(desk.broker.bootstrap, [Topic(desk.instructions, 1)])
        created = time.monotonic()
        await desk.publish(instructions(Chain(), 10))
        await until(figures_are(running, instructions=10, paid=10), seconds=30)
        print(f"all paid {time.monotonic() - created:.1f} s after the topic was created again")

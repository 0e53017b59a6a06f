"""The feed of measurements on a real broker: each recorded once, what cannot be is a dead letter alone."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from launcher.brokers.broker import Broker
from services.goals.reactions.record_kpi_measurements import kpi_feed
from shared.eventsourcing.feed import FeedReader
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.repair import FailsAgain, Repair
from shared.runtime.clock import now
from shared.schemas.event import encode
from shared.schemas.feed import feed_headers
from shared.schemas.identifiers import SYSTEM
from shared.schemas.kpi_measurements import MeasurementReported
from tests.conftest import NewTopic
from tests.integration.eventsourcing.running import kafka_of, until
from tests.integration.services.goals.conftest import Company
from tests.integration.services.goals.test_kpis_over_http import CODE, defined, kpi_of, series

pytestmark = pytest.mark.kafka


def reported(name: str, value: str = "1", **said: Any) -> MeasurementReported:
    measured: dict[str, Any] = {
        "measurement_id": name,
        "kpi": CODE,
        "measured_at": datetime(2026, 3, 30, 12, tzinfo=UTC),
        "value": Decimal(value),
        "source": "sensor",
    }
    return MeasurementReported(**{**measured, **said})


async def publish(broker: Broker, topic: str, records: Sequence[MeasurementReported | bytes]) -> None:
    producer = kafka_of(broker).producer()
    await producer.start()
    for record in records:
        value = record if isinstance(record, bytes) else encode(record).encode()
        headers = feed_headers(
            reported("any"),
            identity=derived(value),
            source="/sensors",
            subject=CODE,
            time=datetime.now(UTC),  # noqa: TID251
        )
        await producer.send(topic, value, key=CODE.encode(), headers=headers)
    await producer.stop()


@asynccontextmanager
async def reading(company: Company, broker: Broker, topic: str) -> AsyncGenerator[FeedReader]:
    runtime = company.service.runtime
    feed = replace(kpi_feed(runtime.handler, UTC, now), topic=topic)
    reader = FeedReader(runtime.engine, kafka_of(broker), feed)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def dead_letters(company: Company) -> list[tuple[int, str]]:
    async with company.service.runtime.engine.connect() as connection:
        rows = await connection.exec_driver_sql('select id, message from dead_letters order by "offset"')
        return [(row.id, row.message) for row in rows]


async def a_count(company: Company) -> str:
    sums = {"kind": "number", "unit": None, "per": "1", "aggregation": "sum", "target": None, "thresholds": None}
    return await defined(company, **sums)


async def test_what_systems_publish_is_recorded_once_however_often_it_comes(
    company: Company, kafka: Broker, new_topic: NewTopic
) -> None:
    kpi, topic = await a_count(company), await new_topic()
    await publish(kafka, topic, [reported(f"m-{n}", f"{n}.5") for n in range(1, 51)] * 2)
    for _ in range(2):  # from the beginning at every start
        async with reading(company, kafka, topic) as reader:

            async def read(reader: FeedReader = reader) -> bool:
                return reader.records == 100

            await until(read, what="a hundred records")
    course = await series(company, kpi)
    assert (course["value"], course["measurements"]) == ("1300", 50)
    assert await dead_letters(company) == []


async def test_what_cannot_be_recorded_is_a_dead_letter_alone_and_can_be_tried_again(
    company: Company, kafka: Broker, new_topic: NewTopic
) -> None:
    kpi, topic = await a_count(company), await new_topic(partitions=1)
    records = [
        reported("m-1", "1"),
        reported("m-1", "2"),
        b"not json",
        reported("m-2", kpi="nobody.knows-it"),
        reported("m-3", measured_at=datetime(2999, 1, 1, tzinfo=UTC)),
        reported("m-4", value="4"),
    ]
    await publish(kafka, topic, records)
    async with reading(company, kafka, topic) as reader:

        async def parked() -> bool:
            return len(await dead_letters(company)) == 4 and reader.records == len(records)

        await until(parked, what="four dead letters")
        told = [message.split(" ")[0] for _, message in await dead_letters(company)]
        ahead = "measurement-must-not-lie-in-the-future"
        assert told == ["measurement-id-is-taken", "data:", "kpi-must-be-defined", ahead]
        assert (await series(company, kpi))["value"] == "5"

        unknown = (await dead_letters(company))[2][0]
        repair = Repair(company.service.runtime.engine, [], [reader.feed])
        with pytest.raises(FailsAgain, match="kpi-must-be-defined"):
            await repair.retry(unknown, actor=SYSTEM)
        assert (await company.hugo.post("/kpis", json=kpi_of(code="nobody.knows-it") | NUMBER)).status_code == 201
        assert (await repair.retry(unknown, actor=SYSTEM)).applied == 1
    assert len(await dead_letters(company)) == 3


NUMBER = {"kind": "number", "per": "1", "aggregation": "sum"}

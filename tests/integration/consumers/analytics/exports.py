"""An export into a folder, by the command and in this process, and what its files hold."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from consumers.analytics.export import Export, export
from consumers.analytics.folder import opened
from consumers.analytics.manifest import load
from launcher.brokers.broker import Broker
from tests.integration.eventsourcing.records import FakeRecord
from tests.integration.eventsourcing.running import kafka_of


async def exported(kafka: Broker, folder: Path, topic: str, *, anew: bool = False, events_a_commit: int = 10) -> Export:
    """One run, in commits so small that there are many."""
    with opened(folder, anew=anew) as open_folder:
        return await export(kafka.bootstrap, open_folder, topics=[topic], events_a_commit=events_a_commit)


async def command(*arguments: str, bootstrap: str, **settings: str) -> asyncio.subprocess.Process:
    """`python -m consumers.analytics ARGUMENTS`, begun."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "consumers.analytics", *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "ANALYTICS_KAFKA_BOOTSTRAP": bootstrap, **settings},
    )


def commits(folder: Path) -> int:
    """How often the folder was committed to."""
    return load(folder).commit if (folder / "manifest.json").exists() else 0


def rows(folder: Path) -> list[dict[str, Any]]:
    """What the files that the manifest names hold, by partition and position."""
    files = load(folder).files
    if not files:
        return []
    tables = [pq.ParquetFile(folder / file.path).read() for file in files]
    return pa.concat_tables(tables).sort_by([("partition", "ascending"), ("position", "ascending")]).to_pylist()


async def send(kafka: Broker, topic: str, records: Sequence[FakeRecord]) -> None:
    """Publish the records as they are, each in its partition."""
    producer = kafka_of(kafka).producer()
    await producer.start()
    try:
        for record in records:
            await producer.send_and_wait(
                topic, record.value, partition=record.partition, headers=list(record.headers), key=b"key"
            )
    finally:
        await producer.stop()

"""Streams that wait for a fact are tried again, now and then."""

import asyncio
import contextlib
from typing import Final

import structlog

from shared.eventsourcing import dead_letters
from shared.eventsourcing.described import described
from shared.eventsourcing.reader import Reader

_RETRY_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


async def retry_waiting(reader: Reader) -> None:
    """Until cancelled; each stream for itself."""
    while True:
        await asyncio.sleep(_RETRY_SECONDS)
        with contextlib.suppress(Exception):  # a database that is down; the watch says so
            for stream, topic, partition in await dead_letters.waiting(reader.engine, reader.name):
                try:
                    await reader.retry(stream, topic, partition)
                except Exception as error:  # noqa: BLE001 - the next stream may go through
                    where = {"reader": reader.name, "stream": stream}
                    log.warning("subscription.retry_failed", **where, error=described(error))

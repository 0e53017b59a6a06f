"""What a worker says of itself: its service's log, its readers and timers, and what its parts last did."""

import asyncio
import contextlib
from dataclasses import asdict
from typing import Any

from aiokafka.errors import KafkaError

from shared.eventsourcing.administration import log_status, reader_status
from shared.eventsourcing.timers import FailedTimer, failed_timers, timer_status
from shared.runtime.worker import Worker


async def status(worker: Worker) -> dict[str, Any]:
    """The service's log and readers, as `trellis status` shows them."""
    engine, service = worker.runtime.engine, worker.runtime.service
    published = await log_status(engine)
    ends = await _ends(worker)
    readers = [await reader_status(engine, s.reader.name) for s in worker.subscriptions]
    return {
        "service": service.name,
        "ready": not worker.not_ready(),
        "waiting_for": worker.not_ready(),
        "log_id": str(published.log_id),
        "store_position": published.stored,
        "relay_position": published.published,
        "relay_state": published.state,
        "last_error": "; ".join(worker.stalled()) or published.error or worker.last_error(),
        "stalled": worker.stalled(),
        "timers": await _timers(worker),
        "parts": {part.name: part.told() for part in worker.watched},
        "projections": [
            {
                "name": reader.name,
                "topic": checkpoint.topic,
                "partition": checkpoint.partition,
                "position": checkpoint.position,
                "next_offset": checkpoint.next_offset,
                "stopped": checkpoint.stopped,
                "lag": max(0, ends.get((checkpoint.topic, checkpoint.partition), 0) - max(0, checkpoint.next_offset)),
                "parked": reader.parked,
            }
            for reader in readers
            for checkpoint in reader.checkpoints
        ],
    }


async def _timers(worker: Worker) -> dict[str, Any] | None:
    """What this worker fired since its start, and how the service's timers stand."""
    if worker.timers is None:
        return None
    engine = worker.runtime.engine
    standing = await timer_status(engine, worker.runtime.clock())
    failed = await failed_timers(engine, limit=20) if standing.failing else []
    return {**asdict(standing), "counts": asdict(worker.timers.counts), "failed": [_failed(timer) for timer in failed]}


def _failed(timer: FailedTimer) -> dict[str, Any]:
    return {
        "name": timer.name,
        "stream": timer.stream,
        "due_at": timer.due_at.isoformat(),
        "attempts": timer.attempts,
        "parked_at": timer.parked_at.isoformat() if timer.parked_at else None,
        "cause": timer.cause.strip().rpartition("\n")[2],
    }


async def _ends(worker: Worker) -> dict[tuple[str, int], int]:
    """The end offset of each partition that this worker reads; none while the broker does not answer."""
    ends: dict[tuple[str, int], int] = {}
    for subscription in worker.subscriptions:
        consumer = subscription.consumer
        if consumer is None:
            continue
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(2):
                found = await consumer.end_offsets(list(consumer.assignment()))
            ends |= {(tp.topic, tp.partition): end for tp, end in found.items()}
    return ends

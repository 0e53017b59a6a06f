# pyright: reportMissingImports=false, reportUntypedFunctionDecorator=false, reportUntypedBaseClass=false
# pyright: reportUnknownParameterType=false
"""`python eventsourcing_library.py HOST PORT USER PASSWORD DATABASE`: the same commands through `eventsourcing`.

Runs in an environment of its own and imports nothing of ours. Its PostgreSQL recorder as it comes: safe among several
processes. Its aggregate cache is on; as many connections as threads.
"""

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

NOTE = "n" * 100
CONNECTIONS = 64
STREAMS = 200
EVENTS_BEFORE = 10


class Counter(Aggregate):
    @event("Started")
    def __init__(self, note: str) -> None:
        self.number = 1
        self.note = note

    def count(self, note: str) -> None:
        self.counted(self.number + 1, note)

    @event("Counted")
    def counted(self, number: int, note: str) -> None:
        self.number = number
        self.note = note


class Counters(Application[UUID]):
    def start(self, _stream: object) -> None:
        self.save(Counter(NOTE))

    def count(self, counter: UUID) -> None:
        counted: Counter = self.repository.get(counter)
        counted.count(NOTE)
        self.save(counted)

    def made(self) -> list[UUID]:
        """Counters that have counted already, stored together."""
        counters = [Counter(NOTE) for _ in range(STREAMS)]
        for counter in counters:
            for _ in range(EVENTS_BEFORE - 1):
                counter.count(NOTE)
        self.save(*counters)
        for counter in counters:
            self.repository.get(counter.id)  # from now on it is in the cache
        return [counter.id for counter in counters]


def run(counters: Counters, threads: ThreadPoolExecutor, task: dict[str, Any]) -> float:
    writers, seconds = task["writers"], task["seconds"]
    streams = counters.made() if task["way"] == "load" else []
    write = counters.count if streams else counters.start
    began = time.perf_counter()

    def one(writer: int) -> int:
        mine = streams[writer::writers] or [None]
        return working(write, mine, began + seconds)

    done = sum(threads.map(one, range(writers)))
    return done / (time.perf_counter() - began)


def working(write: Callable[[Any], None], mine: list[Any], until: float) -> int:
    done = 0
    while time.perf_counter() < until:
        write(mine[done % len(mine)])
        done += 1
    return done


def main(host: str, port: str, user: str, password: str, database: str) -> None:
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": database,
        "POSTGRES_HOST": host,
        "POSTGRES_PORT": port,
        "POSTGRES_USER": user,
        "POSTGRES_PASSWORD": password,
        "POSTGRES_POOL_SIZE": str(CONNECTIONS),
        "POSTGRES_MAX_OVERFLOW": "0",
        "AGGREGATE_CACHE_MAXSIZE": "10000",
    }
    with Counters(environment) as counters, ThreadPoolExecutor(CONNECTIONS) as threads:
        for line in sys.stdin:
            print(json.dumps({"per_second": run(counters, threads, json.loads(line))}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

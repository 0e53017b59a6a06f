"""`python -m benchmarks.rebuild_client URL GOALS`: writes and asks while a rebuild runs, until told to stop.

Says in JSON what it wrote and, of each query, when it was asked and how long it took.
"""

import asyncio
import json
import sys
import time
from typing import Any, Final

from sqlalchemy import text

from benchmarks.goal_log import EVENTS_A_GOAL, goal_id, measure_again
from services.goals.projections import readable_goals
from shared.eventsourcing.database import create_engine

_ASKERS: Final = 4
_WRITES_A_SECOND: Final = 50
_BETWEEN_QUERIES: Final = 0.005


class Client:
    """Four that ask and one that writes."""

    def __init__(self, url: str, goals: int) -> None:
        self._engine = create_engine(url, pool_size=_ASKERS + 2)
        self._goals = goals
        self._over = asyncio.Event()
        self._said: dict[str, Any] = {"waits": [], "failed": 0, "written": 0}

    async def run(self) -> dict[str, Any]:
        """Until SIGTERM."""
        asyncio.get_running_loop().add_signal_handler(15, self._over.set)
        await asyncio.gather(self._write(), *(self._ask(number) for number in range(_ASKERS)))
        await self._engine.dispose()
        return self._said

    async def _ask(self, number: int) -> None:
        while not self._over.is_set():
            number, began = (number + 7) % self._goals, time.monotonic()
            try:
                async with self._engine.connect() as connection:
                    found = await readable_goals.find(connection, goal_id(number))
                self._said["failed"] += found is None
            except Exception:  # noqa: BLE001 - counted
                self._said["failed"] += 1
            self._said["waits"].append((began, time.monotonic() - began))
            await asyncio.sleep(_BETWEEN_QUERIES)

    async def _write(self) -> None:
        async with self._engine.connect() as connection:
            streams = await connection.execute(text("select stream, version from streams"))
            versions: dict[str, int] = {row.stream: row.version for row in streams}
        while not self._over.is_set():
            number = (self._said["written"] * 13) % self._goals
            stream = f"goal-{goal_id(number)}"
            versions[stream] = await measure_again(self._engine, number, versions.get(stream, EVENTS_A_GOAL))
            self._said["written"] += 1
            await asyncio.sleep(1 / _WRITES_A_SECOND)


def main(url: str, goals: int) -> None:
    print(json.dumps(asyncio.run(Client(url, goals).run())))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""`python -m benchmarks.probe`: commands one at a time, each followed by queries until one shows it.

Told by JSON on its input, it answers with JSON: the seconds from sending each command to the answer that shows it.
"""

import asyncio
import json
import sys
import time
from http import HTTPStatus
from itertools import count, cycle
from typing import Any, Final

import uvloop

from benchmarks.http_client import Answered, HttpClient, connected

_ASK_AGAIN_SECONDS: Final = 0.002
_PATIENCE_SECONDS: Final = 30.0


async def probed(task: dict[str, Any]) -> dict[str, Any]:
    """One command after each of the task's pauses, for its seconds; `with_token`: a single query, which waits."""
    goals, values, pauses = cycle(task["goals"]), count(task["first_value"]), cycle(task["pauses"])
    seconds: list[float] = []
    end = time.perf_counter() + task["seconds"]
    async with connected(task["port"]) as client:
        while time.perf_counter() < end:
            await asyncio.sleep(next(pauses))
            goal, token = next(goals)
            async with asyncio.timeout(_PATIENCE_SECONDS):
                seconds.append(await _visible(client, goal, token, next(values), with_token=task["with_token"]))
    return {"seconds": seconds}


async def _visible(client: HttpClient, goal: str, token: str, value: int, *, with_token: bool) -> float:
    path, body = f"/goals/v1/goals/{goal}", json.dumps({"value": str(value)}).encode()
    began = time.perf_counter()
    accepted = _succeeded(await client.ask("POST", f"{path}/progress", token, body=body))
    wanted = json.loads(accepted.body)["version"]
    headers = {"Consistency-Token": accepted.headers["consistency-token"]} if with_token else {}
    while True:
        shown = await client.ask("GET", path, token, headers=headers)
        if shown.status != HTTPStatus.SERVICE_UNAVAILABLE:  # the read model is further behind than a query waits
            if json.loads(_succeeded(shown).body)["version"] >= wanted:
                return time.perf_counter() - began
            if with_token:
                raise RuntimeError(f"the query did not wait for version {wanted}: {shown.body!r}")
        await asyncio.sleep(_ASK_AGAIN_SECONDS)


def _succeeded(answer: Answered) -> Answered:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise RuntimeError(f"{answer.status}: {answer.body!r}")
    return answer


if __name__ == "__main__":
    print(json.dumps(uvloop.run(probed(json.load(sys.stdin)))))

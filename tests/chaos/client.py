"""A client that doubts: it loses patience, asks again with the same key, sends twins, and writes down every attempt."""

import asyncio
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from launcher.demo_cycle.client import Actor, Client, Refused
from launcher.demo_cycle.journal import Journal as NoJournal
from launcher.failure import LaunchFailed
from shared.eventsourcing.identifiers import uuid7
from tests.chaos.journal import Command, Journal
from tests.chaos.windows import Windows

_PATIENCE_SECONDS: Final = 90.0
_ANSWER_SECONDS: Final = 10.0
_AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_HASTY, _TWINS, _GIVES_UP = 0.04, 0.03, 0.01
"""The share of commands whose first attempt is cut off early, that somebody else sends too, that nobody asks after."""
_HASTE_SECONDS: Final = (0.001, 0.04)


class GaveUp(Exception):  # noqa: N818 - the fact
    """Whether the command was carried out is not known, and nobody asks."""


class Doubting(Client):
    """What the demo's stages ask through, and the other loads."""

    def __init__(
        self,
        folder: Path,
        services: Mapping[str, str],
        *,
        journal: Journal,
        windows: Windows,
        random: Random,
        a_second: float,
    ) -> None:
        super().__init__(folder, services, NoJournal(None))
        self._addresses = services
        self._lines = journal
        self._windows = windows
        self._random = random
        self._pace = _Pace(a_second)

    async def post(self, who: Actor, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A command to its answer; now and then a twin with a key of its own goes with it, which may win.

        Raises:
            Refused: it was; so was its twin, if there was one.
        """
        if path.count("/") < 4 or self._random.random() > _TWINS:  # a twin that makes something makes a second one
            return await self.command(who, path, body)
        both = await asyncio.gather(*(self.command(who, path, body) for _ in range(2)), return_exceptions=True)
        for one in both:
            if isinstance(one, dict):
                return one
        raise next(one for one in both if isinstance(one, BaseException))

    async def command(
        self, who: Actor, path: str, body: Mapping[str, Any], *, may_give_up: bool = False
    ) -> dict[str, Any]:
        """One command under one key, asked again while there is doubt; journalled, however it ends.

        Raises:
            Refused: a rule or the gate said no.
            GaveUp: nobody knows, and nobody asks again.
        """
        await self._pace.turn()
        command = Command(str(uuid7()), str(uuid7()), path, self._windows.number)
        try:
            answer = await self._until_sure(command, who, body, gives_up=may_give_up and self._chance(_GIVES_UP))
        except Refused:
            self._lines.end(command, "refused")
            raise
        except BaseException:
            self._lines.end(command, "unknown")
            raise
        self._lines.end(command, "acknowledged", answer)
        self._windows.acknowledge(command.service)
        self.commands += 1
        return answer

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    async def _until_sure(
        self, command: Command, who: Actor, body: Mapping[str, Any], *, gives_up: bool
    ) -> dict[str, Any]:
        hasty, deadline = gives_up or self._chance(_HASTY), command.began + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = await self._attempt(command, who, body, seconds=self._patience(hasty=hasty))
            if answer is not None and answer.status_code not in _AGAIN and not _contended(answer):
                return self._taken(command, answer)
            if gives_up:
                break
            hasty = False
            await asyncio.sleep(min(1.0, 0.03 * 2 ** min(len(command.attempts), 6)) * self._random.uniform(0.5, 1.0))
        raise GaveUp(command.path)

    def _patience(self, *, hasty: bool) -> float:
        return self._random.uniform(*_HASTE_SECONDS) if hasty else _ANSWER_SECONDS

    async def _attempt(
        self, command: Command, who: Actor, body: Mapping[str, Any], *, seconds: float
    ) -> httpx.Response | None:
        headers = {
            "Authorization": f"Bearer {self._token(who)}",
            "Idempotency-Key": command.key,
            "X-Correlation-Id": command.correlation,
        }
        began, url = time.monotonic(), self._addresses[command.service] + command.path
        try:
            answer = await self._http.post(url, headers=headers, json=body, timeout=seconds)
        except httpx.TransportError as error:
            command.attempted(began, type(error).__name__)
            return None
        command.attempted(began, answer.status_code)
        return answer

    def _taken(self, command: Command, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise Refused("POST", command.path, answer.status_code, _problem(answer))
        self._remember(command.path, answer.headers.get("Consistency-Token", ""))
        return answer.json()

    async def get(self, who: Actor, path: str, **parameters: Any) -> dict[str, Any]:
        """A query; one that nobody answers for long is asked again: a fault may last longer than its patience."""
        while True:
            try:
                return await super().get(who, path, **parameters)
            except Refused as refused:
                if refused.status != HTTPStatus.INTERNAL_SERVER_ERROR:
                    raise
            except LaunchFailed:
                pass
            await asyncio.sleep(0.5)


class _Pace:
    """So many a second, over all who ask."""

    def __init__(self, a_second: float) -> None:
        self._interval = 1 / a_second
        self._next = 0.0

    async def turn(self) -> None:
        now = time.monotonic()
        self._next = max(now, self._next + self._interval)
        await asyncio.sleep(self._next - now)


def _problem(answer: httpx.Response) -> dict[str, Any]:
    return answer.json() if "json" in answer.headers.get("content-type", "") else {"title": answer.text[:200]}


def _contended(answer: httpx.Response) -> bool:
    return answer.status_code == HTTPStatus.CONFLICT and str(_problem(answer).get("type", "")).endswith(":conflict")

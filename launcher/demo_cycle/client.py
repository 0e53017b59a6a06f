"""Asks the services as one person or another, and asks again until it is answered: each command has its own key."""

import asyncio
import random
import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

from launcher.demo_cycle.journal import Journal
from launcher.failure import LaunchFailed
from launcher.token import issue_token
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.caller import Role
from shared.schemas.identifiers import PersonId

PATIENCE_SECONDS: Final = 180.0
"""How long a request is sent again while nobody answers it: long enough to bring everything up again."""
AT_ONCE: Final = 12
_AGAIN: Final = frozenset({429, 502, 503, 504})


class Actor(NamedTuple):
    """Who asks, and the role that their token gives them."""

    person: PersonId
    role: Role


class Refused(LaunchFailed):
    """A service said no; the message is its problem document in one line."""

    def __init__(self, method: str, url: str, status: int, problem: Mapping[str, Any]) -> None:
        detail = problem.get("detail") or problem.get("title")
        extra = problem.get("errors") or problem.get("values") or ""
        super().__init__(f"{method} {url}: {status} {problem.get('rule', '')} {detail} {extra}".strip())
        self.status = status
        self.problem = problem


class Client:
    """HTTP to the four services, in the name of one person or another."""

    def __init__(self, folder: Path, services: Mapping[str, str], journal: Journal) -> None:
        self._folder = folder
        self._services = services
        self._journal = journal
        self._http = httpx.AsyncClient(timeout=15, limits=httpx.Limits(max_connections=AT_ONCE))
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tokens: dict[Actor, str] = {}
        self._seen: dict[str, dict[str, int]] = {}
        self.commands = 0

    async def close(self) -> None:
        await self._http.aclose()

    async def post(self, who: Actor, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A command; sent again with the same key until somebody answers, so it happens once."""
        key, began = str(uuid7()), time.monotonic()
        answer = await self._asked("POST", path, who, headers={"Idempotency-Key": key}, body=body)
        self.commands += 1
        self._journal.acknowledged(key, path, answer.json(), seconds=time.monotonic() - began)
        self._remember(path, answer.headers.get("Consistency-Token", ""))
        return answer.json()

    async def get(self, who: Actor, path: str, **parameters: Any) -> dict[str, Any]:
        """A query, answered from read models that have seen every command that this client gave to the service."""
        token = ",".join(f"{p}-{n}" for p, n in self._seen.get(_service(path), {}).items())
        headers = {"Consistency-Token": token} if token else {}
        return (await self._asked("GET", path, who, headers=headers, parameters=parameters)).json()

    async def everything(self, who: Actor, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """All pages of a list."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, Any] = {}
        while True:
            page = await self.get(who, path, limit=200, **parameters, **cursor)
            items += page["items"]
            if not page.get("next"):
                return items
            cursor = {"cursor": page["next"]}

    def _remember(self, path: str, tokens: str) -> None:
        seen = self._seen.setdefault(_service(path), {})
        for token in filter(None, tokens.split(",")):
            partition, _, position = token.strip().partition("-")
            seen[partition] = max(seen.get(partition, 0), int(position))

    async def _asked(
        self,
        method: str,
        path: str,
        who: Actor,
        *,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        url = self._services[_service(path)] + path
        asked = {**headers, "Authorization": f"Bearer {self._token(who)}"}
        deadline, attempt = time.monotonic() + PATIENCE_SECONDS, 0
        async with self._gate:
            while True:
                answer = await self._once(method, url, asked, body, parameters)
                if answer is not None and answer.status_code not in _AGAIN and not _contended(answer):
                    return _accepted(method, path, answer)
                if time.monotonic() > deadline:
                    raise LaunchFailed(
                        f"{method} {url}: nobody answered for {PATIENCE_SECONDS:.0f} s. Try `trellis status`."
                    )
                attempt += 1
                await asyncio.sleep(min(2.0, 0.05 * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: Any, parameters: Any
    ) -> httpx.Response | None:
        try:
            return await self._http.request(method, url, headers=headers, json=body, params=parameters)
        except httpx.TransportError:
            return None  # in doubt: the key makes asking again safe

    def _token(self, who: Actor) -> str:
        if who not in self._tokens:
            self._tokens[who] = issue_token(self._folder, who.person, {who.role})
        return self._tokens[who]


def _service(path: str) -> str:
    return path.split("/", 2)[1]


def _contended(answer: httpx.Response) -> bool:
    """Others kept changing the same thing: ask again."""
    return answer.status_code == HTTPStatus.CONFLICT and answer.json().get("type", "").endswith(":conflict")


def _accepted(method: str, path: str, answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    problem = answer.json() if "json" in answer.headers.get("content-type", "") else {"title": answer.text[:200]}
    raise Refused(method, path, answer.status_code, problem)

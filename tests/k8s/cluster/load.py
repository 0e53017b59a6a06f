"""Clients that ask the services through the Ingress without pause, and forgive nothing: they never ask again."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from launcher.token import issue_token
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.caller import Role
from tests.k8s.cluster.place import Place
from tests.k8s.cluster.work import Work


@dataclass
class Load:
    """`pause`: seconds between two requests of a client. A failure is any answer but a success, and no answer."""

    place: Place
    works: Sequence[Work]
    clients: int = 2
    pause: float = 0.02
    asked: int = 0
    acknowledged: dict[str, int] = field(default_factory=dict[str, int])
    failures: list[str] = field(default_factory=list[str])
    longest: float = 0.0
    over: bool = False

    @asynccontextmanager
    async def going_on(self) -> AsyncGenerator[None]:
        """Half of the clients keep their connections, half open one for each request."""
        head = self.place.company().head.person
        headers = {"Authorization": f"Bearer {issue_token(self.place.state, head, [Role.MANAGER, Role.HR])}"}
        tasks = [
            asyncio.create_task(self._client(work, headers, keeping=n % 2 == 0))
            for work in self.works
            for n in range(self.clients)
        ]
        try:
            yield
        finally:
            self.over = True
            await asyncio.gather(*tasks)

    async def _client(self, work: Work, headers: dict[str, str], *, keeping: bool) -> None:
        kept = httpx.Limits(max_keepalive_connections=1 if keeping else 0)
        async with httpx.AsyncClient(base_url=self.place.ingress, headers=headers, limits=kept, timeout=30) as client:
            while not self.over:
                if await self._asked(client, "POST", work.command, json=work.body):
                    self.acknowledged[work.service] = self.acknowledged.get(work.service, 0) + 1
                await self._asked(client, "GET", work.look)

    async def _asked(self, client: httpx.AsyncClient, method: str, path: str, **body: Any) -> bool:
        began, headers = time.monotonic(), {"Idempotency-Key": str(uuid7())} if body else {}
        self.asked += 1
        try:
            answer = await client.request(method, path, headers=headers, **body)
        except httpx.TransportError as error:
            self.failures.append(f"{method} {path}: {error!r}")
            return False
        self.longest = max(self.longest, time.monotonic() - began)
        if not answer.is_success:
            self.failures.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        await asyncio.sleep(self.pause)
        return answer.is_success

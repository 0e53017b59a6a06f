"""The load: whole cycles of a few people, rivals over a few hot goals, breakers of rules, a pulse of each service."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress

from launcher.demo_cycle import loop, reviews
from launcher.demo_cycle.client import Refused
from launcher.demo_cycle.company import Company
from launcher.demo_cycle.stage import Stage, employee, hr
from launcher.failure import LaunchFailed
from shared.eventsourcing.identifiers import uuid7
from shared.schemas.people import PersonRecord
from tests.chaos.client import Doubting, GaveUp

_PEOPLE_A_CYCLE: Final = 2
_DAYS: Final = 300
_SILENT: Final = Progress(console=Console(quiet=True), disable=True)
_ENOUGH: Final = 3
"""Hot goals: few, so that commands meet on them."""


@dataclass
class Load:
    """What keeps asking until it is told to stop."""

    client: Doubting
    company: Company
    random: Random
    year: int
    numbers: Iterator[int]
    """Of the cycles: each has goal plans of its own."""
    cycles: int = 0
    broken: list[str] = field(default_factory=list[str])
    """Cycles that ended before their end, and why."""
    _hot: list[str] = field(default_factory=list[str])

    @asynccontextmanager
    async def running(self, *, at_once: int = 2) -> AsyncGenerator[None]:
        """As long as the block; what is on its way at its end is cut off, and unknown."""
        tasks = [asyncio.create_task(self._cycles()) for _ in range(at_once)]
        tasks += [asyncio.create_task(self._rival()) for _ in range(2)]
        tasks += [asyncio.create_task(self._breaker())]
        tasks += [asyncio.create_task(pulse()) for pulse in (self._goals, self._feedback, self._reviews, self._rewards)]
        try:
            yield
            for task in tasks:
                if task.done():
                    task.result()  # a load that ended by itself proves nothing
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _cycles(self) -> None:
        while True:
            number = next(self.numbers)
            stage = Stage(self.client, self._some(), self._period(number), number, _SILENT)
            try:
                await loop.play(stage)
            except (Refused, GaveUp, LaunchFailed) as ended:
                self.broken.append(f"cycle {number}: {ended}")
                await asyncio.sleep(1)
            self.cycles += 1

    def _some(self) -> Company:
        """A few people with everybody above them, and who may decide about any of them."""
        chosen: dict[Any, PersonRecord] = {}
        deciding = (self.company.head, self.company.hr, self.company.deputy)
        for person in (*deciding, *self.random.sample(self.company.people, _PEOPLE_A_CYCLE)):
            one: PersonRecord | None = person
            while one is not None and one.person not in chosen:
                chosen[one.person] = one
                one = self.company.manager_of(one)
        return Company(sorted(chosen.values(), key=lambda p: p.employee_number))

    def _period(self, number: int) -> tuple[str, str]:
        start = date(self.year, 1, 1) + timedelta(days=number % _DAYS)
        return start.isoformat(), date(self.year, 12, 31 - number // _DAYS).isoformat()

    # -- rivals: the same few goals, all at once

    async def _rival(self) -> None:
        actions: list[Callable[[], Awaitable[Any]]] = [
            self._progress,
            self._progress,
            self._progress,
            self._align,
            self._achieve,
        ]
        while True:
            if len(self._hot) < _ENOUGH:
                with suppress(Refused, GaveUp):
                    self._hot.append(await self._new_goal())
            with suppress(Refused, GaveUp):
                if len(self._hot) > 1:  # another rival may just have closed some
                    await self.random.choice(actions)()
            await asyncio.sleep(self.random.uniform(0, 0.1))

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self.client.command(hr(self.company.hr), path, body, may_give_up=True)

    async def _new_goal(self) -> str:
        return (await self._ask("/goals/v1/goals", self._goal()))["id"]

    def _goal(self) -> dict[str, Any]:
        return {
            "level": "organization",
            "owner": str(self.company.head.person),
            "title": "Answer within a day",
            "metric": {"kind": "number", "start": "0", "target": "100", "unit": "%"},
            "starts_on": f"{self.year}-01-01",
            "ends_on": f"{self.year}-12-31",
        }

    async def _progress(self) -> None:
        goal = self.random.choice(self._hot)
        await self._ask(f"/goals/v1/goals/{goal}/progress", {"value": str(self.random.randrange(100))})

    async def _align(self) -> None:
        child, parent = self.random.sample(self._hot, 2)  # in a circle now and then, which is refused
        await self._ask(f"/goals/v1/goals/{child}/align", {"parent": parent, "weight": "1"})

    async def _achieve(self) -> None:
        if self.random.random() < 0.1:
            goal = self._hot.pop(self.random.randrange(len(self._hot)))
            await self._ask(f"/goals/v1/goals/{goal}/achieve", {"closed_on": f"{self.year}-06-30"})

    # -- breakers: what must leave nothing behind

    async def _breaker(self) -> None:
        somebody, other = str(self.company.head.person), str(self.company.people[-1].person)
        nobody = str(uuid7())
        backwards = {**self._goal(), "starts_on": f"{self.year}-12-31", "ends_on": f"{self.year}-01-01"}
        praise = {"kind": "praise", "visibility": "receiver-and-manager", "text": "To myself."}
        wrong: list[tuple[str, dict[str, Any]]] = [
            ("/goals/v1/goals", backwards),
            ("/goals/v1/goals", {**self._goal(), "owner": nobody}),
            ("/goals/v1/goals", {**self._goal(), "parent": nobody}),
            ("/feedback/v1/feedback", {**praise, "receiver": str(self.company.hr.person)}),
            (f"/feedback/v1/feedback/{nobody}/acknowledge", {}),
            ("/feedback/v1/check-ins", {"person": other, "held_on": f"{self.year}-02-31"}),
            (f"/reviews/v1/reviews/{nobody}/approve", {}),
            (f"/rewards/v1/rewards/{nobody}/approve", {}),
            ("/rewards/v1/pools", {"name": "Less than nothing", "amount": {"amount": "-1.00", "currency": "EUR"}}),
            ("/feedback/v1/check-ins", {"person": somebody, "held_on": f"{self.year}-01-31", "goals": ["none"]}),
        ]
        while True:
            with suppress(Refused, GaveUp):
                await self._ask(*self.random.choice(wrong))
            await asyncio.sleep(0.2)

    # -- pulses: what tells for how long a service acknowledged nothing

    async def _pulse(self, seconds: float, beat: Callable[[], Awaitable[Any]]) -> None:
        while True:
            with suppress(Refused, GaveUp):
                await beat()
            await asyncio.sleep(seconds)

    async def _goals(self) -> None:
        await self._pulse(0.25, self._new_goal)

    async def _feedback(self) -> None:
        async def give() -> None:
            author, receiver = self.random.sample(self.company.people, 2)
            body = {"receiver": str(receiver.person), "kind": "praise", "visibility": "receiver-and-manager"}
            given = await self.client.command(
                employee(author), "/feedback/v1/feedback", {**body, "text": "Well done."}, may_give_up=True
            )
            if self.random.random() < 0.3:
                await self.client.post(employee(receiver), f"/feedback/v1/feedback/{given['id']}/acknowledge", {})

        await self._pulse(0.25, give)

    async def _reviews(self) -> None:
        async def assess() -> None:
            person = self.random.choice(self.company.people)
            stage = Stage(self.client, Company([self.company.head, person]), self._period(1), 0, _SILENT)
            _, [*opened] = await reviews.open_cycle(stage)
            form = {"ratings": [{"section": "goals", "item": "one", "rating": "3"}], "comment": "A year."}
            path = f"/reviews/v1/reviews/{opened[-1].id}/self-assessment"
            await self.client.command(employee(person), path, form, may_give_up=True)

        await self._pulse(0.5, assess)

    async def _rewards(self) -> None:
        money = {"amount": "100.00", "currency": "USD"}
        pools: list[str] = []

        async def top_up() -> None:
            if not pools:
                pool = await self.client.command(
                    hr(self.company.hr), "/rewards/v1/pools", {"name": "Pulse", "amount": money}
                )
                pools.append(pool["id"])
            await self._ask(f"/rewards/v1/pools/{pools[0]}/top-up", {"amount": money, "reason": "Beat"})

        await self._pulse(0.25, top_up)

"""A chaotic run: load, one fault after the other at random moments, everything brought back, then the proof."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from random import Random

from rich.console import Console

from launcher.demo_cycle.company import Company
from shared.runtime.clock import now
from tests.chaos.client import Doubting
from tests.chaos.faults import Kind
from tests.chaos.journal import Journal
from tests.chaos.load import Load
from tests.chaos.rig import NotArranged, Rig
from tests.chaos.windows import NO_FAULT, Windows

_LONGEST_PAUSE: float = 3.0
_FAULT_SECONDS: float = 120.0
_ENOUGH_SECONDS: float = 180.0
"""How much longer it may take until every kind was there once."""


@dataclass
class Run:
    """What was done so far."""

    rig: Rig
    kinds: Mapping[str, Kind]
    journal: Journal
    console: Console
    last: tuple[str, ...] = ()
    """Kinds that end the comparability of everything, and so come when all else is proven."""
    a_second: float = 30.0
    windows: Windows = field(default_factory=Windows)
    injected: Counter[str] = field(default_factory=Counter[str])
    not_arranged: list[str] = field(default_factory=list[str])
    broken: Sequence[str] = ()
    cycles: int = 0
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def under_load(self, seconds: float, *, settle: float = 5.0) -> None:
        """Faults for so long, and until every kind was there once; then the load ends."""
        async with self.load():
            deadline = time.monotonic() + seconds
            await asyncio.sleep(settle)
            await self._faults(deadline, limit=deadline + max(seconds, _ENOUGH_SECONDS))
            await asyncio.sleep(settle)

    @asynccontextmanager
    async def load(self, window: str = NO_FAULT) -> AsyncGenerator[None]:
        """Commands as long as the block; it begins with a window of that name."""
        installation, random = self.rig.installation, self.rig.random
        client = Doubting(
            installation.folder,
            installation.addresses.services,
            journal=self.journal,
            windows=self.windows,
            random=Random(random.random()),
            a_second=self.a_second,
        )
        load = Load(client, Company.imported(installation.folder), Random(random.random()), now().year, self.numbers)
        self.windows.open(window)
        try:
            async with load.running():
                yield
        finally:
            self.windows.close()
            self.broken, self.cycles = [*self.broken, *load.broken], self.cycles + load.cycles
            await client.close()

    async def _faults(self, deadline: float, *, limit: float) -> None:
        todo = self._in_turn()
        while time.monotonic() < deadline or ({*self.missing()} - {*self.last} and time.monotonic() < limit):
            if not todo or time.monotonic() > deadline:
                todo = self._in_turn()
            await self.rig.bring_back()  # what died by itself meanwhile
            await self._inject(todo.pop())
            await asyncio.sleep(self.rig.random.uniform(0.5, _LONGEST_PAUSE))

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.kinds, *self.last)

    def missing(self) -> list[str]:
        """Kinds that were not injected yet."""
        return [name for name in self.names if not self.injected[name]]

    def _in_turn(self) -> list[str]:
        """Every kind once, in a random order; what never came off comes first."""
        names = [*self.kinds]
        self.rig.random.shuffle(names)
        return sorted(names, key=lambda name: -self.injected[name])

    async def _inject(self, name: str) -> None:
        began = time.monotonic()
        self.windows.open(name)
        try:
            async with asyncio.timeout(_FAULT_SECONDS):
                said = await self.kinds[name].inject(self.rig)
        except NotArranged as reason:
            self.not_arranged.append(f"{name}: {reason}")
            self.windows.windows[-1].fault = f"{name} (not arranged)"
            self.say(f"[dim]{name}: not arranged, {reason}")
        else:
            self.injected[name] += 1
            await self.rig.bring_back()
            self.say(f"{name}: {said}; {time.monotonic() - began:.1f} s")

    def say(self, what: str) -> None:
        done = self.journal.outcomes
        self.console.print(
            f"{time.monotonic() - self.windows.windows[0].began:5.0f} s {sum(self.injected.values()):4}  {what}"
            f"  [dim]({done['acknowledged']} acknowledged, {done['refused']} refused, {done['unknown']} unknown)",
            highlight=False,
        )

"""What a question about a past moment costs in a deep tree whose leaves were measured, some of them late."""

import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Final
from uuid import UUID

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.deep_tree import LEVELS
from benchmarks.goal_forest import Tree, goal_set, planted
from benchmarks.measuring import Better, Comparison, Contender, Series, quantile, take_turns
from benchmarks.processes import issuing, role, settings_of
from benchmarks.progress_load import OWNERS, engine_of, owner
from benchmarks.question import Answer, Asked, Question
from services.goals.projections import goal_periods, goal_tree
from services.goals.projections.past_goals import Moment, all_inner
from shared.eventsourcing.identifiers import derived, stream_name
from shared.eventsourcing.recorded import Recorded
from shared.runtime.caller import Role
from shared.schemas.envelope import Envelope
from shared.schemas.event import Event
from shared.schemas.goals import GoalProgressRecorded, ProgressSource
from shared.schemas.identifiers import GoalId

_MOST: Final = 500.0
"""Milliseconds that a question about the past may take."""
_MEASURED: Final = 3
"""How often each leaf was measured, the last time late."""
_BEGAN: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_SLICE: Final = 1_000
_PROBES: Final = 12
_OFF_TRACK: Final = {"health": "off-track"}
_LEAST_FIRST: Final = {"sort": "progress"}


@dataclass(slots=True)
class _Here:
    tree: Tree
    engine: AsyncEngine
    client: httpx.AsyncClient
    draw: random.Random
    waits: dict[str, list[float]] = field(default_factory=dict[str, list[float]])

    def moment(self) -> dict[str, str]:
        """Any, in the months that the tree was measured in, as it was known at any later one."""
        at = _BEGAN + self.draw.random() * timedelta(days=150)
        known = at + self.draw.random() * timedelta(days=60)
        return {"as_of": at.isoformat(), "as_known_at": known.isoformat()}


async def answered(asked: Asked) -> Answer:
    """Each question is asked at moments drawn at random."""
    goals = asked.size(50_000)
    async with _installed(asked, goals) as here:
        names: Mapping[str, Callable[[], tuple[str, Mapping[str, str]]]] = {
            "the root as of a past moment": lambda: (f"/{here.tree.root}", here.moment()),
            "a page of the goals below it": lambda: (f"/{here.tree.root}/children", here.moment()),
            "a page of all goals": lambda: ("", {**here.moment(), "limit": "100"}),
            "a page of all goals that were off track": lambda: ("", {**here.moment(), "limit": "100", **_OFF_TRACK}),
            "a page of all goals, the least far first": lambda: ("", {**here.moment(), "limit": "100", **_LEAST_FIRST}),
            "a person's own goals": lambda: ("", {**here.moment(), "mine": "true"}),
            "a page of the goals below any goal, now": lambda: (f"/{_inner(here)}/children", {"limit": "100"}),
        }
        contenders = [Contender(f"{name}, p95", "ms", _run(here, name, ask)) for name, ask in names.items()]
        series = await take_turns(contenders, progress=asked.progress, what="past_tree")
        rows = await _count(here.engine)
        plan = await _plan(here)
        sizes: dict[str, int | float] = {
            "goals": goals,
            "levels": LEVELS,
            "measurements of a leaf": _MEASURED,
            "periods": rows,
        }
        return Answer(series, _limits(here, series), sizes, [*_medians(here), *plan])


def _inner(here: _Here) -> GoalId:
    return here.draw.choice([goal for level in here.tree.levels[:-1] for goal in level])


def _limits(here: _Here, series: list[Series]) -> list[Comparison]:
    """The quantile over the probes of all rounds."""
    return [
        Comparison(
            f"{one.name}, all rounds",
            quantile(here.waits[one.name.removesuffix(", p95")], 0.95),
            None,
            "ms",
            None,
            50.0 if "now" in one.name else _MOST,
            Better.LOWER,
        )
        for one in series
    ]


def _medians(here: _Here) -> list[str]:
    return [f"{name}: {len(all_):,} asked, longest {max(all_):.0f} ms" for name, all_ in here.waits.items()]


def _run(here: _Here, name: str, ask: Callable[[], tuple[str, Mapping[str, str]]]) -> Callable[[], Awaitable[float]]:
    async def once() -> float:
        found: list[float] = []
        for _ in range(_PROBES):
            path, parameters = ask()
            began = time.perf_counter()
            (await here.client.get(f"/goals/v1/goals{path}", params=dict(parameters))).raise_for_status()
            found.append((time.perf_counter() - began) * 1000)
        here.waits.setdefault(name, []).extend(found)
        return quantile(found, 0.95)

    return once


async def _plan(here: _Here) -> list[str]:
    """How PostgreSQL reads the whole tree."""
    moment = Moment(at=_BEGAN + timedelta(days=90), known=_BEGAN + timedelta(days=90))
    async with here.engine.connect() as connection:
        written = all_inner(moment).compile(connection, compile_kwargs={"literal_binds": True})
        return list(await connection.scalars(text(f"explain (analyze, buffers) {written}")))


async def _count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return await connection.scalar(text("select count(*) from goal_periods")) or 0


@asynccontextmanager
async def _installed(asked: Asked, goals: int) -> AsyncGenerator[_Here]:
    """The read models hold the tree: they are filled as their readers fill them, without a broker."""
    servers, folder = asked.servers, asked.folder
    async with (
        servers.service_databases("goals") as databases,
        issuing(folder) as issuer,
        engine_of(servers.postgres.url(databases[0])) as engine,
    ):
        tree = planted(goals, LEVELS, [owner(number) for number in range(OWNERS)])
        told = _told(tree)
        while part := list(islice(told, _SLICE)):
            async with engine.begin() as connection:
                await goal_tree.apply(connection, part)
                await goal_periods.apply(connection, part)
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await connection.execute(text("analyze"))
        settings = settings_of(servers, databases, issuer, kafka=False)
        token = issuer.token(owner(1), Role.HR)
        async with role("goals", "api", settings, folder) as api:
            headers = {"Authorization": f"Bearer {token}"}
            url = f"http://127.0.0.1:{api.port}"
            async with httpx.AsyncClient(base_url=url, timeout=60, headers=headers) as client:
                yield _Here(tree, engine, client, random.Random(asked.seed))


def _told(tree: Tree) -> Iterator[Recorded]:
    """Every goal, then the measurements of each leaf, round by round; the last ones speak of a month before."""
    for level, goals in enumerate(tree.levels):
        for place, goal in enumerate(goals):
            yield _recorded(goal, 1, goal_set(tree, level, place, starts_on=_BEGAN.date())[0], _BEGAN, place)
    for version in range(2, 2 + _MEASURED):
        known = _BEGAN + timedelta(days=40 * (version - 1))
        late = version == 1 + _MEASURED
        for place, leaf in enumerate(tree.leaves):
            at = known + timedelta(minutes=place % 10_000)
            speaks_of = at - timedelta(days=30 if late else 0)
            yield _recorded(leaf, version, _measured(place, version, speaks_of, late=late), at, place)


def _measured(place: int, version: int, at: datetime, *, late: bool) -> Event:
    value = Decimal(1_000 * (place % 1_000_000 + version))
    percent = value / 10_000_000
    return GoalProgressRecorded(
        value=value,
        raw_progress=percent,
        progress=min(percent, Decimal(100)),
        regressed=False,
        measured_at=at,
        source=ProgressSource.MANUAL,
        late=late,
    )


def _recorded(goal: GoalId, version: int, event: Event, at: datetime, place: int) -> Recorded:
    envelope = Envelope(
        id=derived(goal, version),
        source="/trellis/goals",
        type=event.event_type,
        subject=stream_name("goal", goal),
        time=at,
        sequence=version,
        log_id=UUID(int=1),
        position=1,
        previous_position=0,
        recorded_at=at,
        actor=owner(place % OWNERS),
        correlation_id=UUID(int=2),
        causation_id=None,
        command_id=UUID(int=3),
    )
    return Recorded(event, envelope)


QUESTION: Final = Question("past_tree", "what a question about a past moment costs in a deep tree", answered)

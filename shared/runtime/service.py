"""A service as its composition root describes it, and what one process of it runs with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.eventsourcing.applier import Applier
from shared.eventsourcing.bell import Bell
from shared.eventsourcing.consistency import wait_for
from shared.eventsourcing.database import create_engine
from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.feed import Feed
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.kafka import Kafka
from shared.eventsourcing.passing import Passing
from shared.eventsourcing.projection import Projection
from shared.eventsourcing.projector import Projector
from shared.eventsourcing.reaction import Reaction
from shared.eventsourcing.reactor import Reactor
from shared.eventsourcing.reader import Reader
from shared.eventsourcing.store import EventStore
from shared.eventsourcing.timers import TimerPlanner, Timers
from shared.eventsourcing.walk import read_once, walk
from shared.privacy.vault import Vault
from shared.runtime.authorization import AccessTable
from shared.runtime.caller import Caller
from shared.runtime.clock import development_clock, now
from shared.runtime.gauges import Gauge
from shared.runtime.request_times import no_requests
from shared.runtime.settings import Settings
from shared.runtime.tracing import flush, traces_of
from shared.schemas.event import EventTypes
from shared.schemas.partitions import PARTITIONS

if TYPE_CHECKING:
    from fastapi import APIRouter

Routers: TypeAlias = "Callable[[Runtime], Sequence[APIRouter]]"
Feeds: TypeAlias = "Callable[[Runtime], Sequence[Feed]]"
Discreet: TypeAlias = "Callable[[Runtime, Caller, str, Rejected], Awaitable[Rejected]]"


def no_feeds(_runtime: "Runtime") -> Sequence[Feed]:
    return ()


async def tell_all(_runtime: "Runtime", _caller: Caller, _asked: str, refusal: Rejected) -> Rejected:
    return refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service: what it publishes and listens to, what it projects, how it reacts, what it answers.

    `types` are its own events and those it listens to. `routers` is called by an api process alone, so that a worker
    loads no web framework; what each of their routes needs is in `access`. `timers` is given the zone of the company's
    calendar, and what opens personal texts.
    """

    name: str
    title: str
    description: str
    types: EventTypes
    routers: Routers
    access: AccessTable
    projections: tuple[Projection, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    feeds: Feeds = no_feeds
    gauges: tuple[Gauge, ...] = ()
    timers: Callable[[ZoneInfo, Vault], Timers] | None = None
    discreet: Discreet = tell_all
    """What of a refusal a caller is told whose request has this path and body: a rule may see more than they may."""
    large_bodies: Mapping[str, int] = field(default_factory=dict[str, int])
    """Paths below the base path whose requests may have more bytes than others, and how many."""

    @property
    def topic(self) -> str:
        return f"{self.name}.events"

    @property
    def base_path(self) -> str:
        return f"/{self.name}/v1"


class Runtime:
    """What a process of a service works with: engines, the vault, the store, the command handler."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service = service
        self.settings = settings
        self.kafka = kafka_of(settings)
        self.engine = create_engine(settings.database_url, application_name=f"trellis-{service.name}")
        self.reading = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        """The same connections, for queries alone: one statement is one round trip, and sees what is committed."""
        self.keys_engine = create_engine(settings.keys_database_url, pool_size=2)
        other = settings.other_master_key
        self.vault = Vault(
            self.keys_engine, settings.master_key.get_secret_value(), other.get_secret_value() if other else None
        )
        self.store = EventStore(self.engine, service.types, seal=self.vault.seal)
        self.traces = traces_of(service.name)
        self.bell = Bell(self.engine)
        self.handler = CommandHandler(self.store, partitions=PARTITIONS, tracing=self.traces)
        self.handler.committed = self.bell.ring
        self.request_times = no_requests()
        self.clock = now if settings.development_clock is None else development_clock(settings.development_clock)
        self.timers = None if service.timers is None else service.timers(ZoneInfo(settings.company_zone), self.vault)

    def readers(self) -> list[Reader]:
        """The service's projections, reactions and what plans its timers, each ready to apply events."""
        service, cap = self.service, self.settings.dead_letter_cap
        appliers: list[Applier] = [
            *(Projector(projection) for projection in service.projections),
            *(Reactor(reaction, self.handler) for reaction in service.reactions),
            *([TimerPlanner(self.timers)] if self.timers else []),
        ]
        options: dict[str, Any] = {
            "cap": cap,
            "tracing": self.traces,
            "passing": Passing(self.engine),
            "follow": partial(walk, read=read_once()),
        }
        return [Reader(self.engine, service.types, one, **options) for one in appliers]

    async def wait(self, projection: str, positions: Mapping[int, int]) -> None:
        """Return once the projection has applied these positions of the service's own topic.

        Raises:
            NotCaughtUp: it has not, within the limit.
        """
        if positions:
            await wait_for(self.engine, projection, self.service.topic, positions)

    async def close(self) -> None:
        """Give the connections back, and send what was traced."""
        flush(self.traces)
        await self.bell.close()
        await self.engine.dispose()
        await self.keys_engine.dispose()


def kafka_of(settings: Settings) -> Kafka:
    """The cluster that the settings name."""
    password = settings.kafka_sasl_password
    return Kafka(
        bootstrap=settings.kafka_bootstrap,
        idempotence=settings.kafka_idempotence,
        assignment=settings.kafka_assignment,
        security_protocol=settings.kafka_security_protocol,
        sasl_mechanism=settings.kafka_sasl_mechanism,
        sasl_username=settings.kafka_sasl_username,
        sasl_password=password.get_secret_value() if password else None,
        ca_file=settings.kafka_ca_file,
    )


async def database_answers(engine: AsyncEngine) -> bool:
    """Whether the service's database is there and migrated."""
    try:
        async with engine.connect() as connection:
            await connection.execute(text("select 1 from log"))
    except (SQLAlchemyError, OSError, TimeoutError):
        return False
    return True

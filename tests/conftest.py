"""Fixtures: one PostgreSQL and one Kafka a test run, a fresh database or topic a test."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from xdist.scheduler import LoadScopeScheduling

from launcher import postgres as embedded_postgres
from launcher.brokers import apache, embedded, existing
from launcher.brokers.broker import Broker
from launcher.topic_creation import create_topics
from launcher.topics import Topic
from shared.eventsourcing.identifiers import uuid7
from tests.servers import choice
from tests.servers.databases import Database, Postgres
from tests.servers.watchdog import watched


class NewTopic(Protocol):
    """Creates a topic with a name of its own and answers the name."""

    def __call__(self, *, partitions: int = 12) -> Awaitable[str]: ...


NewDatabase = Callable[[], Awaitable[Database]]


def pytest_report_header() -> list[str]:
    return [f"Kafka: {choice.kafka()}", f"PostgreSQL: {choice.postgres()}"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    without = pytest.mark.skip(reason="the embedded broker has no idempotent producer and no group rebalances")
    for item in items:
        if item.get_closest_marker("apache") is not None and choice.kafka().value == "embedded":
            item.add_marker(without)


class Together(LoadScopeScheduling):
    """Shares the tests out to processes by what `_together` says of their files.

    The marks for that, xdist_group, do nothing with pytest 9.2, which no longer reads the node ids they are written to.
    """

    def _split_scope(self, nodeid: str) -> str:
        return _together(Path(nodeid.partition("::")[0]))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """What -n uses instead of the scheduler that --dist names."""
    return Together(config, log)


def _together(file: Path) -> str:
    """Which tests run one after the other in one process: those of an installation, and those of the launcher's ports.

    All others, a file at a time, wherever there is room: each process has servers of its own. If it was told where they
    are (TRELLIS_TEST_KAFKA=HOST:PORT), those of a service's topics stay together, too: two must not empty the same.
    """
    room = file.parts[1:3]
    if room[0] == "e2e":
        return "installation"
    if room[0] != "integration" or room[1] == "eventsourcing":
        return str(file)
    if choice.kafka().value not in choice.OWN:
        return "services"
    return "launcher" if room[1] == "launcher" else str(file)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """Where the run's servers live; whatever still runs in it when the run ends, however it ends, is killed."""
    folder = Path(tempfile.mkdtemp(prefix="trellis-tests-"))
    with watched(folder):
        yield folder


@pytest.fixture(scope="session")
def kafka(server_folder: Path) -> Iterator[Broker]:
    """The run's broker: `.bootstrap`, and what it can do: `.idempotent_producer`, `.consumer_groups`."""
    match choice.kafka().value:
        case "testcontainers":
            from tests.servers.containers import kafka_in_container  # noqa: PLC0415 - slow to import

            with kafka_in_container() as bootstrap:
                yield existing.connect(bootstrap)
        case "apache":
            yield from _until_the_end(apache.start(server_folder / "kafka"))
        case "embedded":
            yield from _until_the_end(embedded.start(server_folder / "kafka"))
        case address:
            yield existing.connect(address)


def _until_the_end(broker: Broker) -> Iterator[Broker]:
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture(scope="session")
def new_topic(kafka: Broker) -> NewTopic:
    """Makes topics; call it with the number of partitions."""

    async def create(*, partitions: int = 12) -> str:
        topic = Topic(f"test-{uuid7().hex}", partitions)
        await create_topics(kafka.bootstrap, [topic])
        return topic.name

    return create


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[Postgres]:
    """The run's PostgreSQL 18."""
    match choice.postgres().value:
        case "testcontainers":
            from tests.servers.containers import postgres_in_container  # noqa: PLC0415 - slow to import

            with postgres_in_container() as dsn:
                yield Postgres(dsn)
        case "embedded":
            server = embedded_postgres.start(server_folder / "postgres", durable=False)
            try:
                yield Postgres(server.dsn())
            finally:
                server.stop()
        case dsn:
            yield Postgres(dsn)


@pytest.fixture
async def new_database(postgres: Postgres) -> AsyncIterator[NewDatabase]:
    """Makes empty databases, which are dropped after the test."""
    made: list[Database] = []

    async def create() -> Database:
        database = await postgres.create()
        made.append(database)
        return database

    yield create
    for database in made:
        await database.drop()


@pytest.fixture
async def database(new_database: NewDatabase) -> Database:
    """An empty database of this test alone: `.dsn` for asyncpg, `.url` for SQLAlchemy."""
    return await new_database()

"""`trellis up`: brings everything to the state that was asked for, whatever runs already."""

import asyncio
from typing import Annotated

import typer

from launcher import processes
from launcher.brokers.broker import Broker
from launcher.databases import create_databases
from launcher.postgres import PostgresServer
from launcher.processes import DATABASES, TOPICS, Surroundings
from launcher.progress import Progress
from launcher.servers import DEFAULT_KAFKA, converge_broker, converge_postgres
from launcher.state import DEFAULT_FOLDER, Folder, State
from launcher.supervisor import Process, Supervisor
from launcher.topic_creation import create_topics

app = typer.Typer()
Kafka = Annotated[
    str | None,
    typer.Option(
        "--kafka", metavar="embedded|apache|HOST:PORT", help="The broker; unset: the one of last time, else embedded."
    ),
]
PostgresPort = Annotated[int | None, typer.Option(min=1, max=65535, help="PostgreSQL's port; unset: a free one.")]
KafkaPort = Annotated[int | None, typer.Option(min=1, max=65535, help="The broker's port; unset: a free one.")]


@app.command()
def up(
    folder: Folder = DEFAULT_FOLDER,
    *,
    kafka: Kafka = None,
    postgres_port: PostgresPort = None,
    kafka_port: KafkaPort = None,
) -> None:
    """Start everything that does not run yet; what runs is kept."""
    state, progress = State(folder), Progress()
    state.create()
    with state.lock():
        asyncio.run(_bring_up(state, progress, kafka, postgres_port, kafka_port))


async def _bring_up(
    state: State, progress: Progress, kafka: str | None, postgres_port: int | None, kafka_port: int | None
) -> None:
    supervisor = Supervisor(state, progress.say)
    supervisor.stop_unrecorded()
    supervisor.converge([processes.issuer(state)])
    asked = kafka or state.kafka or DEFAULT_KAFKA
    with progress.waiting_for("PostgreSQL and the broker"):
        postgres, broker = await asyncio.gather(
            asyncio.to_thread(converge_postgres, state, progress.say, port=postgres_port),
            asyncio.to_thread(converge_broker, state, progress.say, kafka=asked, port=kafka_port),
        )
    state.remember_kafka(asked)
    progress.say(f"PostgreSQL 18 on port {postgres.port}; Kafka ({broker.kind}) at {broker.bootstrap}")
    with progress.waiting_for("databases and topics"):
        await asyncio.gather(_prepare_databases(postgres), _prepare_topics(broker))
    around = Surroundings(state, postgres, broker, state.master_key())
    await _run(supervisor, progress, "the services' APIs", processes.apis(around))
    behind = [*processes.workers(around), processes.payroll(around), processes.issuer(state)]
    await _run(supervisor, progress, "their workers and payroll", behind)


async def _run(supervisor: Supervisor, progress: Progress, what: str, wanted: list[Process]) -> None:
    supervisor.converge(wanted)
    with progress.waiting_for(what):
        await asyncio.to_thread(supervisor.wait, wanted)
    progress.say("ready: " + ", ".join(f"{process.name} :{process.port}" for process in wanted))


async def _prepare_databases(server: PostgresServer) -> None:
    await create_databases(server, DATABASES)


async def _prepare_topics(broker: Broker) -> None:
    await create_topics(broker.bootstrap, TOPICS)

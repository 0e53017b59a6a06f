"""`trellis up`: brings everything to the state that was asked for, whatever runs already."""

import asyncio
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from launcher import processes
from launcher.brokers.broker import Broker
from launcher.processes import Surroundings
from launcher.progress import Progress
from launcher.servers import DEFAULT_KAFKA, converge_broker, converge_postgres
from launcher.state import DEFAULT_FOLDER, Folder, State
from launcher.supervisor import Process, Supervisor

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
    asked = kafka or state.kafka or DEFAULT_KAFKA
    with progress.waiting_for("PostgreSQL and the broker"):
        postgres, broker, _ = await asyncio.gather(
            asyncio.to_thread(converge_postgres, state, progress.say, port=postgres_port),
            asyncio.to_thread(converge_broker, state, progress.say, kafka=asked, port=kafka_port),
            asyncio.to_thread(import_module, "launcher.preparation"),
        )
    state.remember_kafka(asked)
    progress.say(f"PostgreSQL 18 on port {postgres.port}; Kafka ({broker.kind}) at {broker.bootstrap}")
    around = Surroundings(state, postgres, broker, state.master_key())
    supervisor.converge([processes.issuer(around)])
    await asyncio.gather(_bring_apis(supervisor, progress, around), _prepare_topics(broker))
    behind = [processes.issuer(around), *processes.workers(around), processes.payroll(around)]
    supervisor.converge(behind)
    await _ready(supervisor, progress, "the workers and payroll", behind)


async def _bring_apis(supervisor: Supervisor, progress: Progress, around: Surroundings) -> None:
    """Each API is started as soon as its own databases are there: it loads while the next are made."""
    from launcher.preparation import prepare_databases  # noqa: PLC0415 - loaded while the servers started

    apis = processes.apis(around)
    for service, api in apis.items():
        with progress.waiting_for(f"the databases of {service}"):
            await prepare_databases(around.postgres, service)
        supervisor.converge([api])
    await _ready(supervisor, progress, "the services", list(apis.values()))


async def _prepare_topics(broker: Broker) -> None:
    from launcher.preparation import prepare_topics  # noqa: PLC0415 - loaded while the servers started

    await prepare_topics(broker)


async def _ready(supervisor: Supervisor, progress: Progress, what: str, wanted: Sequence[Process]) -> None:
    with progress.waiting_for(what):
        await asyncio.to_thread(supervisor.wait, wanted)
    progress.say("ready: " + ", ".join(f"{process.name} :{process.port}" for process in wanted))

"""`trellis up`: brings everything to the state that was asked for, whatever runs already."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated

import typer

from launcher import processes
from launcher.addresses import broker_of
from launcher.failure import LaunchFailed, last_lines
from launcher.preloaded import preloaded
from launcher.process import Interpreters, Starter
from launcher.processes import Surroundings
from launcher.progress import Progress
from launcher.servers import (
    BROKER,
    DEFAULT_KAFKA,
    POSTGRES,
    converge_broker,
    converge_postgres,
    is_started_here,
    require_usable,
)
from launcher.state import DEFAULT_FOLDER, Folder, State
from launcher.supervisor import Process, Supervisor

app = typer.Typer(add_completion=False)
Kafka = Annotated[
    str | None,
    typer.Option(
        "--kafka", metavar="embedded|apache|HOST:PORT", help="The broker; unset: the one of last time, else embedded."
    ),
]
PostgresPort = Annotated[int | None, typer.Option(min=1, max=65535, help="PostgreSQL's port; unset: a free one.")]
KafkaPort = Annotated[int | None, typer.Option(min=1, max=65535, help="The broker's port; unset: a free one.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, max=8, help="Workers of each service, more than one on Apache Kafka alone; unset: as last time, else 1."
    ),
]


@app.command()
def up(
    folder: Folder = DEFAULT_FOLDER,
    *,
    kafka: Kafka = None,
    postgres_port: PostgresPort = None,
    kafka_port: KafkaPort = None,
    workers: Workers = None,
) -> None:
    """Start everything that does not run yet; what runs is kept."""
    state, progress = State(folder), Progress()
    asked, count = kafka or state.kafka or DEFAULT_KAFKA, workers or state.workers
    require_usable(asked, workers=count)
    state.create()
    with state.lock():
        _bring_up(state, progress, Servers(asked, postgres_port, kafka_port, count))


@dataclass(frozen=True, slots=True)
class Servers:
    """The servers as they were asked for."""

    kafka: str
    postgres_port: int | None
    kafka_port: int | None
    workers: int

    def run_already(self, state: State) -> bool:
        """Whether both run that were asked for; one that came back may have lost its databases or topics."""
        started_here = (POSTGRES, BROKER) if is_started_here(self.kafka) else (POSTGRES,)
        return self.kafka == state.kafka and all(state.is_running(name) for name in started_here)

    def bring(self, state: State, progress: Progress) -> Surroundings:
        """PostgreSQL and the broker, at the same time."""
        with progress.waiting_for("PostgreSQL and the broker"), ThreadPoolExecutor() as pool:
            starting = pool.submit(converge_postgres, state, progress.say, port=self.postgres_port)
            broker = converge_broker(state, progress.say, kafka=self.kafka, port=self.kafka_port)
            postgres = starting.result()
        state.remember_kafka(self.kafka)
        state.remember_workers(self.workers)
        progress.say(f"PostgreSQL 18 on port {postgres.port}; Kafka ({broker.kind}) at {broker.bootstrap}")
        return Surroundings(state, postgres, broker, state.master_key(), self.workers)


def _bring_up(state: State, progress: Progress, servers: Servers) -> None:
    """Services load while the servers start, and have nothing to load where everything runs already."""
    supervisor = Supervisor(state, progress.say)
    supervisor.stop_unrecorded()
    stop_clients_of_a_lost_broker(state, supervisor, servers.kafka)
    wanted = processes.names(servers.workers)
    supervisor.stop([name for name in processes.recorded_workers(state) if name not in wanted])
    kept = servers.run_already(state)
    if kept and all(state.is_running(name) for name in wanted):
        around = servers.bring(state, progress)
        _bring_processes(around, progress, Interpreters(), prepared=True)
        return
    with preloaded(state.folder, state.logs / "start.log") as starter:
        around = servers.bring(state, progress)
        _bring_processes(around, progress, starter, prepared=kept)


def stop_clients_of_a_lost_broker(state: State, supervisor: Supervisor, kafka: str) -> None:
    """They start anew with the new one. Asked by name for a topic, a broker in memory makes it, of its own shape."""
    lost = broker_of(state)
    if state.kafka != kafka or (lost is not None and not lost.durable and not lost.alive()):
        supervisor.stop(processes.kafka_clients(state))


def _bring_processes(around: Surroundings, progress: Progress, starter: Starter, *, prepared: bool) -> None:
    """The APIs come first: they answer as soon as their tables are there. The workers need the topics.

    `prepared`: where all processes run as well, databases and topics are there.
    """
    supervisor = Supervisor(around.state, progress.say, starter=starter)
    first = [processes.issuer(around), *processes.apis(around)]
    second = [*processes.workers(around), processes.payroll(around)]
    complete = prepared and supervisor.runs_as_wanted([*first, *second])
    supervisor.converge(first)
    if not complete:
        with progress.waiting_for("databases and topics"):
            _prepare(around.state, starter)
    _wait(supervisor, progress, first)
    supervisor.converge(second)
    _wait(supervisor, progress, second)


def _prepare(state: State, starter: Starter) -> None:
    log = state.logs / "preparation.log"
    log.unlink(missing_ok=True)
    code = starter.run(("launcher.preparation", str(state.folder)), log=log, environment={}, folder=state.folder)
    if code != 0:
        raise LaunchFailed(f"The databases and topics could not be prepared:\n{last_lines(log)}\nAll of it: {log}")


def _wait(supervisor: Supervisor, progress: Progress, wanted: Sequence[Process]) -> None:
    with progress.waiting_for(", ".join(process.name for process in wanted)):
        supervisor.wait(wanted)
    progress.say("ready: " + ", ".join(f"{process.name} :{process.port}" for process in wanted))

"""A broker in memory that was lost, or gives way: whoever reads from it must be gone before the next one starts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from launcher.brokers import apache, embedded
from launcher.failure import LaunchFailed
from launcher.process import RunningProcess, free_port
from launcher.servers import BROKER
from launcher.state import Recorded, State
from launcher.supervisor import Process, Supervisor
from launcher.up import stop_clients_of_a_lost_broker, up
from shared.eventsourcing.identifiers import uuid7


@pytest.fixture
def state(server_folder: Path) -> Iterator[State]:
    made = State(server_folder / f"state-{uuid7().hex}")
    made.create()
    yield made
    supervisor(made).stop([recorded.name for recorded in made.recorded()])


def supervisor(state: State) -> Supervisor:
    return Supervisor(state, lambda _: None)


def reading(state: State) -> RunningProcess:
    """A process that stands for a worker."""
    port = free_port()
    worker = Process("goals-worker", ("tests.servers.answering", "worker"), port, {"TRELLIS_HTTP_PORT": str(port)})
    supervisor(state).converge([worker])
    found = state.find("goals-worker")
    assert found is not None
    return found.process


def broker_recorded(state: State, kind: str, process: RunningProcess) -> None:
    state.remember_kafka(kind)
    state.record(Recorded(BROKER, process, kind))


def test_a_lost_broker_in_memory_takes_its_clients_along(state: State) -> None:
    worker = reading(state)
    broker_recorded(state, embedded.KIND, replace(worker, born=worker.born - 1_000))
    stop_clients_of_a_lost_broker(state, supervisor(state), embedded.KIND)
    assert not worker.alive()


def test_a_broker_that_lives_keeps_its_clients(state: State) -> None:
    worker = reading(state)
    broker_recorded(state, embedded.KIND, worker)
    stop_clients_of_a_lost_broker(state, supervisor(state), embedded.KIND)
    assert worker.alive()


def test_clients_wait_for_a_lost_broker_that_keeps_its_topics(state: State) -> None:
    worker = reading(state)
    broker_recorded(state, apache.KIND, replace(worker, born=worker.born - 1_000))
    stop_clients_of_a_lost_broker(state, supervisor(state), apache.KIND)
    assert worker.alive()


def test_a_broker_that_gives_way_to_another_takes_its_clients_along(state: State) -> None:
    worker = reading(state)
    broker_recorded(state, apache.KIND, replace(worker, born=worker.born - 1_000))
    stop_clients_of_a_lost_broker(state, supervisor(state), embedded.KIND)
    assert not worker.alive()


def test_nobody_is_stopped_for_a_cluster_that_does_not_answer(state: State) -> None:
    worker = reading(state)
    broker_recorded(state, embedded.KIND, worker)
    with pytest.raises(LaunchFailed, match="Nobody answers"):
        up(state.folder, kafka=f"127.0.0.1:{free_port()}")
    assert worker.alive()
    assert state.kafka == embedded.KIND

"""Where everything that `trellis up` started can be reached, for the other commands and for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from launcher import postgres
from launcher.brokers import existing
from launcher.brokers.broker import Broker
from launcher.failure import LaunchFailed
from launcher.postgres import PostgresServer
from launcher.processes import SERVICES
from launcher.servers import BROKER, is_started_here, running_broker
from launcher.state import State


@dataclass(frozen=True, slots=True)
class Addresses:
    """`services` and `workers`: `http://127.0.0.1:PORT` by the service's name."""

    services: Mapping[str, str]
    workers: Mapping[str, str]
    payroll: str
    issuer: str
    broker: Broker
    postgres: PostgresServer


def addresses(folder: Path) -> Addresses:
    """What runs in a state folder; fails, and says what to do, where PostgreSQL or the broker do not."""
    state = State(folder)
    server = postgres.running(state.folder / "postgres") if state.exists else None
    broker = broker_of(state)
    if server is None or broker is None or not broker.alive():
        raise LaunchFailed(f"Nothing runs in {state.folder}, or half of it does not. Start it: `trellis up`.")
    return Addresses(
        services=service_addresses(folder),
        workers={service: url(state, f"{service}-worker") for service in SERVICES},
        payroll=url(state, "payroll"),
        issuer=url(state, "issuer"),
        broker=broker,
        postgres=server,
    )


def running_broker_of(folder: Path) -> Broker:
    """The broker of a state folder, or the cluster that it names; fails, and says what to do, where none runs."""
    broker = broker_of(State(folder))
    if broker is None or not broker.alive():
        raise LaunchFailed(f"No broker runs in {folder.absolute()}. Start everything: `trellis up`.")
    return broker


def service_addresses(folder: Path) -> dict[str, str]:
    """Where the services answer, or will when they run again."""
    state = State(folder)
    return {service: url(state, f"{service}-api") for service in SERVICES}


def running_services(folder: Path) -> Mapping[str, str]:
    """Where the services answer; fails as `addresses` where they should run here and do not."""
    return service_addresses(folder) if State(folder).is_elsewhere else addresses(folder).services


def broker_of(state: State) -> Broker | None:
    """The broker that was started and not stopped, alive or not, or the one that somebody else runs."""
    kafka, found = state.kafka, state.find(BROKER)
    if kafka is None:
        return None
    if found is not None:
        return running_broker(found.fingerprint, state.port(BROKER), found.process)
    return None if is_started_here(kafka) else existing.running(kafka)


def url(state: State, name: str) -> str:
    """Where the process of that name answers, or did; empty if it never ran."""
    if (elsewhere := state.address(name)) is not None:
        return elsewhere
    port = state.port(name)
    return "" if port is None else f"http://127.0.0.1:{port}"

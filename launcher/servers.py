"""PostgreSQL and the broker of a state folder: started if they do not run, kept if they do."""

from typing import Final

from launcher import postgres
from launcher.brokers import apache, embedded, existing
from launcher.brokers.broker import Broker
from launcher.failure import LaunchFailed
from launcher.postgres import PostgresServer
from launcher.process import RunningProcess
from launcher.state import Recorded, State
from launcher.supervisor import Report

POSTGRES: Final = "postgres"
BROKER: Final = "broker"
DEFAULT_KAFKA: Final = embedded.KIND
_KINDS: Final = {embedded.KIND: embedded, apache.KIND: apache}
_PREFERRED_PORTS: Final = {POSTGRES: 8132, BROKER: 8192}


def is_started_here(kafka: str) -> bool:
    """Whether it is a kind of broker, and not the address of one that somebody else runs."""
    return kafka in _KINDS


def require_usable(kafka: str, *, workers: int = 1) -> None:
    """Refuses what cannot work, before anything stops for it.

    That is what is neither a broker's kind nor the address of one that answers, and more workers than a broker can
    share partitions out among.
    """
    if not is_started_here(kafka):
        existing.connect(kafka)
    if kafka == embedded.KIND and workers > 1:
        raise LaunchFailed(
            f"The embedded broker shares no partitions out, so each service has one worker there, not {workers}. "
            "Take --kafka apache, or --workers 1."
        )


def converge_postgres(state: State, report: Report, *, port: int | None) -> PostgresServer:
    """Starts PostgreSQL, on `port` if one is given."""
    folder = state.folder / "postgres"
    there = postgres.running(folder)
    found = state.find(POSTGRES)
    if found is not None and there is None:
        report(f"PostgreSQL was found dead (process {found.process.pid}); it is started again.")
    chosen = port or (there.port if there else state.choose_port(POSTGRES, preferred=_PREFERRED_PORTS[POSTGRES]))
    server = postgres.start(folder, port=chosen, log=state.logs / "postgres.log")
    _require_port("PostgreSQL", server.port, port, "--postgres-port")
    state.record(Recorded(POSTGRES, server.process, POSTGRES))
    state.remember_port(POSTGRES, server.port)
    return server


def converge_broker(state: State, report: Report, *, kafka: str, port: int | None) -> Broker:
    """Starts the broker that is asked for (embedded, apache, HOST:PORT); one of another kind is stopped."""
    found = state.find(BROKER)
    if found is not None and found.fingerprint == kafka and found.process.alive():
        _require_port("The broker", state.port(BROKER), port, "--kafka-port")
        return running_broker(kafka, state.port(BROKER), found.process)
    if found is not None and found.process.alive():
        report(f"The {found.fingerprint} broker is stopped: {kafka} was asked for.")
        found.process.stop(within=15)
    elif found is not None:
        report(f"The {found.fingerprint} broker was found dead (process {found.process.pid}).")
    state.forget(BROKER)
    return _start_broker(state, kafka, port)


def running_broker(kafka: str, port: int | None, process: RunningProcess) -> Broker:
    """The record of a broker that was started before."""
    return _KINDS[kafka].running(f"127.0.0.1:{port}", process)


def _start_broker(state: State, kafka: str, port: int | None) -> Broker:
    if not is_started_here(kafka):
        if port is not None:
            raise LaunchFailed(f"--kafka-port is for a broker that is started here; {kafka} has its own.")
        return existing.connect(kafka)
    chosen = port or state.choose_port(BROKER, preferred=_PREFERRED_PORTS[BROKER])
    broker = _KINDS[kafka].start(state.folder / "kafka" / kafka, port=chosen, log=state.logs / "broker.log")
    if broker.process is not None:
        state.record(Recorded(BROKER, broker.process, kafka))
    state.remember_port(BROKER, chosen)
    return broker


def _require_port(name: str, runs_on: int | None, asked: int | None, option: str) -> None:
    if asked is not None and runs_on != asked:
        raise LaunchFailed(
            f"{name} runs already, on port {runs_on} and not on {asked}. To move it: `trellis down`, then "
            f"`trellis up {option} {asked}`."
        )

"""What runs beside PostgreSQL and the broker: every process with its command, its settings and its port, as data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from launcher.brokers.broker import Broker
from launcher.issuer.name import AUDIENCE, ISSUER
from launcher.postgres import PostgresServer
from launcher.state import State
from launcher.supervisor import Process
from launcher.topics import COMPACTED, Topic

SERVICES: Final = ("goals", "feedback", "reviews", "rewards")
TOPICS: Final = (
    *(Topic(f"{service}.events") for service in SERVICES),
    Topic("people.events", settings=COMPACTED),
    Topic("people.compensation", settings=COMPACTED),
    Topic("payroll.events"),
    Topic("kpi.measurements"),
)
_PREFERRED_PORTS: Final = {
    "issuer": 8100,
    **{f"{service}-api": 8101 + place for place, service in enumerate(SERVICES)},
    **{f"{service}-worker": 8111 + place for place, service in enumerate(SERVICES)},
    "payroll": 8120,
}
NAMES: Final = tuple(_PREFERRED_PORTS)
"""What runs in every installation; there may be more workers."""
_METRICS_PORTS_AFTER: Final = 40
_FURTHER_WORKERS_PORT: Final = 8200
_A_WORKER: Final = re.compile(rf"({'|'.join(SERVICES)})-worker(-[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the processes are told about each other."""

    state: State
    postgres: PostgresServer
    broker: Broker
    master_key: str = field(repr=False)
    workers: int = 1
    """How many of each service."""

    def port(self, name: str, *, preferred: int | None = None) -> int:
        return self.state.choose_port(name, preferred=preferred or _PREFERRED_PORTS[name])

    def metrics_port(self, api: str) -> int:
        """Where an API tells its metrics: as long as it runs, where it does already."""
        name = metrics_of(api)
        known = self.state.port(name)
        if known is not None and self.state.is_running(api):
            return known
        return self.state.choose_port(name, preferred=_PREFERRED_PORTS[api] + _METRICS_PORTS_AFTER)


def metrics_of(api: str) -> str:
    """The name under which an API's metrics port is remembered: it is a second port of the same process."""
    return f"{api}-metrics"


def worker_names(service: str, count: int) -> list[str]:
    """`goals-worker`, `goals-worker-2`, `goals-worker-3`..."""
    return [f"{service}-worker" if n == 1 else f"{service}-worker-{n}" for n in range(1, count + 1)]


def names(workers: int) -> list[str]:
    """Everything that runs with so many workers a service."""
    return [*NAMES, *(name for service in SERVICES for name in worker_names(service, workers)[1:])]


def recorded_workers(state: State) -> Sequence[str]:
    """Every worker that was started and not stopped, alive or not."""
    return [recorded.name for recorded in state.recorded() if _A_WORKER.fullmatch(recorded.name)]


def workers_of(state: State, service: str) -> Sequence[str]:
    """The same of one service; the one that every installation has comes first, also if it never ran."""
    first = f"{service}-worker"
    return [first, *(name for name in recorded_workers(state) if name.startswith(f"{first}-"))]


def kafka_clients(state: State) -> Sequence[str]:
    """What is connected to the broker."""
    return [*recorded_workers(state), "payroll"]


def issuer(around: Surroundings) -> Process:
    """The development issuer: it needs neither database nor broker."""
    port = around.port("issuer")
    module = ("launcher.issuer", "--folder", str(around.state.folder), "--port", str(port))
    return Process("issuer", module, port, {}, ready="/health/live")


def apis(around: Surroundings) -> list[Process]:
    return [_api(f"{service}-api", service, around) for service in SERVICES]


def _api(name: str, service: str, around: Surroundings) -> Process:
    process = role_process(name, service, "api", around.port(name), around)
    return replace(process, settings={**process.settings, "TRELLIS_METRICS_PORT": str(around.metrics_port(name))})


def workers(around: Surroundings) -> list[Process]:
    return [worker(name, service, around) for service in SERVICES for name in worker_names(service, around.workers)]


def worker(name: str, service: str, around: Surroundings) -> Process:
    """One of a service's workers; they share the partitions out among themselves."""
    preferred = None if name in _PREFERRED_PORTS else _FURTHER_WORKERS_PORT
    return role_process(name, service, "worker", around.port(name, preferred=preferred), around)


def payroll(around: Surroundings) -> Process:
    """The reference payroll: an outsider with a database file of its own, who knows the broker alone."""
    port = around.port("payroll")
    settings = {
        **_kafka_settings(around.broker),
        "TRELLIS_PAYROLL_DATABASE": str(around.state.folder / "payroll" / "payroll.sqlite"),
        "TRELLIS_PAYROLL_HEALTH_PORT": str(port),
    }
    return Process("payroll", ("consumers.payroll",), port, settings, replaced_with=_generation(around.broker))


def service_settings(service: str, around: Surroundings) -> Mapping[str, str]:
    """The environment of every process of a service."""
    issuer_port = around.port("issuer")
    return {
        "TRELLIS_DATABASE_URL": around.postgres.url(service),
        "TRELLIS_KEYS_DATABASE_URL": around.postgres.url(f"{service}_keys"),
        "TRELLIS_MASTER_KEY": around.master_key,
        **_kafka_settings(around.broker),
        "TRELLIS_ISSUER": ISSUER,
        "TRELLIS_AUDIENCE": AUDIENCE,
        "TRELLIS_JWKS_URL": f"http://127.0.0.1:{issuer_port}/jwks.json",
        "TRELLIS_DEVELOPMENT_CLOCK": str(around.state.clock),
    }


def role_process(name: str, service: str, role: str, port: int, around: Surroundings) -> Process:
    """A service's process in one of its roles."""
    settings = {**service_settings(service, around), "TRELLIS_HTTP_HOST": "127.0.0.1", "TRELLIS_HTTP_PORT": str(port)}
    generation = _generation(around.broker) if role == "worker" else ""
    return Process(name, (f"services.{service}", role), port, settings, replaced_with=generation)


def _generation(broker: Broker) -> str:
    """A worker whose broker came back empty looks at every topic anew, as at its own start."""
    return "" if broker.durable or broker.process is None else str(broker.process)


def _kafka_settings(broker: Broker) -> dict[str, str]:
    return {
        "TRELLIS_KAFKA_BOOTSTRAP": broker.bootstrap,
        "TRELLIS_KAFKA_IDEMPOTENCE": "true" if broker.idempotent_producer else "false",
        "TRELLIS_KAFKA_ASSIGNMENT": "group" if broker.consumer_groups else "fixed",
    }

"""A Kafka cluster that runs already, named by HOST:PORT."""

from typing import Final

from launcher.brokers.broker import Broker
from launcher.failure import LaunchFailed
from launcher.process import is_listening

KIND: Final = "existing"
_HIGHEST_PORT: Final = 65535


def connect(bootstrap: str) -> Broker:
    """The cluster behind `bootstrap` (`HOST:PORT`, several separated by commas), one of which must answer."""
    if not answers(bootstrap):
        raise LaunchFailed(
            f"Nobody answers at {bootstrap}. Start that Kafka, or take the embedded one: --kafka embedded."
        )
    return running(bootstrap)


def answers(bootstrap: str) -> bool:
    """Whether one of the addresses accepts connections."""
    return any(is_listening(port, host) for host, port in parse(bootstrap))


def parse(bootstrap: str) -> list[tuple[str, int]]:
    """The hosts and ports of `HOST:PORT[,HOST:PORT...]`."""
    return [_address(part) for part in bootstrap.split(",")]


def running(bootstrap: str) -> Broker:
    """The record of a cluster; it is taken for an Apache Kafka."""
    return Broker(
        kind=KIND,
        bootstrap=bootstrap,
        idempotent_producer=True,
        consumer_groups=True,
        durable=True,
        process=None,
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.strip().rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) <= _HIGHEST_PORT:
        raise LaunchFailed(f"{text!r} is no broker: write embedded, apache, or HOST:PORT.")
    return host.strip("[]"), int(port)

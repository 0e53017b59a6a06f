"""What every kind of broker offers, whoever started it."""

from dataclasses import dataclass

from launcher.process import RunningProcess


@dataclass(frozen=True, slots=True)
class Broker:
    """A reachable broker. `process` is None where somebody else runs it: then it is neither judged nor stopped here.

    `idempotent_producer`: producers may ask for idempotence. `consumer_groups`: partitions can be shared out by the
    group (without, one worker per service takes them all). `durable`: topics survive its restart.
    """

    kind: str
    bootstrap: str
    idempotent_producer: bool
    consumer_groups: bool
    durable: bool
    process: RunningProcess | None

    def alive(self) -> bool:
        return self.process is None or self.process.alive()

    def stop(self) -> None:
        if self.process is not None:
            self.process.stop(within=15)

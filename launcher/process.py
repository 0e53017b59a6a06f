"""A detached process that outlives its starter and is recognised again by its id and its time of birth."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Final, Protocol

import psutil

from launcher.failure import LaunchFailed, last_lines

# a Popen that is collected while its process runs warns; these are meant to run on
_started_here: Final[list[subprocess.Popen[bytes]]] = []
_SAME_BIRTH_SECONDS: Final = 2.0
_LARGE_LOG: Final = 20_000_000
_FOR_SERVERS: Final = range(20_000, 32_000)
"""Linux gives clients ports from 32768 on, other systems from 49152 on."""

PROJECT: Final = str(Path(__file__).parent.parent)
"""The folder with the packages, for a PYTHONPATH."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    """`born` is the process's creation time (seconds since the epoch): an id alone may have been given away again."""

    pid: int
    born: float

    @classmethod
    def of(cls, pid: int) -> "RunningProcess | None":
        """The process that has this id now."""
        with suppress(psutil.Error):
            return cls(pid, psutil.Process(pid).create_time())
        return None

    def alive(self) -> bool:
        return self._process() is not None

    def listens_on(self, port: int) -> bool:
        """Whether it is this process that accepts connections there."""
        with suppress(psutil.Error):
            connections = psutil.Process(self.pid).net_connections("tcp")
            return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)
        return False

    def stop(self, *, by: signal.Signals = signal.SIGTERM, within: float = 10.0) -> None:
        """Asks it to end; after `within` seconds it is killed with its whole process group."""
        process = self._process()
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            process.send_signal(by)
        if not self._ended(within):
            self.kill()

    def kill(self) -> None:
        """SIGKILL to it and its process group, without a goodbye."""
        process = self._process()
        if process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        with suppress(psutil.NoSuchProcess):
            process.kill()
        self._ended(within=5)

    def _ended(self, within: float) -> bool:
        """Waits for its end. A zombie has ended, even where nobody collects it, as in a container without an init."""
        end = time.monotonic() + within
        while self.alive():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def _process(self) -> psutil.Process | None:
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.born) < _SAME_BIRTH_SECONDS
            if same and process.status() != psutil.STATUS_ZOMBIE:
                return process
        collect_ended()
        return None


def collect_ended() -> None:
    """Lets go of those that were started here and have ended."""
    _started_here[:] = [child for child in _started_here if child.poll() is None]


def start_detached(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> RunningProcess:
    """Starts `command` in a session of its own, its output appended to `log`; `environment` is added to ours."""
    log.parent.mkdir(parents=True, exist_ok=True)
    make_room(log)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )
    _started_here.append(process)
    running = RunningProcess.of(process.pid)
    if running is None:
        raise LaunchFailed(f"{command[0]} ended at once. The end of {log}:\n{last_lines(log)}")
    return running


class Starter(Protocol):
    """Starts `python -m <module>` in a session of its own, its output appended to `log`."""

    def start(
        self, module: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path
    ) -> RunningProcess:
        """It runs on by itself."""
        ...

    def run(self, module: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path) -> int:
        """To its end; its exit code."""
        ...


class Interpreters:
    """An interpreter of its own for each process."""

    def start(
        self, module: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path
    ) -> RunningProcess:
        command = [sys.executable, "-m", *module]
        return start_detached(command, log=log, environment=_for_python(environment), folder=folder)

    def run(self, module: Sequence[str], *, log: Path, environment: Mapping[str, str], folder: Path) -> int:
        with log.open("ab") as output:
            return subprocess.run(
                [sys.executable, "-m", *module],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **_for_python(environment)},
                cwd=folder,
                check=False,
            ).returncode


def _for_python(environment: Mapping[str, str]) -> dict[str, str]:
    return {"PYTHONUNBUFFERED": "1", "PYTHONPATH": PROJECT, **environment}


def make_room(log: Path) -> None:
    """A log that has grown large is set aside, so that two of them are the most that a process keeps."""
    if log.exists() and log.stat().st_size > _LARGE_LOG:
        log.replace(log.with_suffix(".log.1"))


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now.

    It is below those that systems give to clients, so that nobody gets it by chance before a process that ended is
    back on it: whoever knows its address goes on asking there.
    """
    for port in SystemRandom().sample(_FOR_SERVERS, len(_FOR_SERVERS)):
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port
    raise LaunchFailed(f"All ports from {_FOR_SERVERS.start} to {_FOR_SERVERS.stop - 1} of 127.0.0.1 are in use.")


def is_listening(port: int, host: str = "127.0.0.1") -> bool:
    """Whether somebody accepts connections there."""
    with suppress(OSError), socket.create_connection((host, port), timeout=0.5):
        return True
    return False


def require_free(port: int, *, wanted_by: str, option: str) -> None:
    """Refuses a port that somebody asked for and that is taken."""
    if is_listening(port):
        raise LaunchFailed(
            f"Port {port}, wanted for {wanted_by}, is in use by another program. "
            f"Stop that program, or leave {option} out and a free port is taken."
        )


def wait_until(ready: Callable[[], bool], *, process: RunningProcess, name: str, log: Path, within: float) -> None:
    """Returns when `ready()` holds; fails with the end of the log when the process dies or the time is over."""
    end = time.monotonic() + within
    while not ready():
        if not process.alive():
            raise LaunchFailed(f"{name} ended while it was starting. The end of {log}:\n{last_lines(log)}")
        if time.monotonic() > end:
            process.kill()
            raise LaunchFailed(f"{name} was not ready after {within:.0f} s. The end of {log}:\n{last_lines(log)}")
        time.sleep(0.02)

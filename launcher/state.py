"""The state folder: what `trellis up` started, on which ports, and who is at work on it."""

import fcntl
import json
import os
import secrets
import threading
from base64 import b64encode
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from launcher.failure import LaunchFailed, writing_into
from launcher.process import RunningProcess, free_port, is_listening

Folder = Annotated[Path, typer.Option("--folder", envvar="TRELLIS_FOLDER", help="Where everything is kept.")]
DEFAULT_FOLDER: Final = Path(".trellis")
_MASTER_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Recorded:
    """A process that was started; `fingerprint` stands for the command and the settings it was given."""

    name: str
    process: RunningProcess
    fingerprint: str


class State:
    """The files of a state folder. Only whoever holds the lock writes."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder.absolute()
        self.logs: Final = self.folder / "logs"
        self.clock: Final = self.folder / "clock"
        self._file: Final = self.folder / "state.json"
        self._running: Final = self.folder / "run"
        self._changing: Final = threading.Lock()

    @property
    def exists(self) -> bool:
        return self._file.exists()

    def create(self) -> None:
        """Makes the folder, readable by its owner alone: there are keys in it."""
        with writing_into(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for part in (self.logs, self._running):
                part.mkdir(exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n")
            if not self.exists:
                self._write({})

    @contextmanager
    def lock(self) -> Generator[None]:
        """Held by the one command that starts or stops something here; a second one is turned away."""
        with writing_into(self.folder), (self.folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise LaunchFailed(
                    f"Another `trellis up` or `trellis down` is at work on {self.folder} (process {file.read()}). "
                    "Wait until it has ended, then try again."
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield

    @property
    def kafka(self) -> str | None:
        """What was asked for last: embedded, apache or HOST:PORT."""
        return self._read().get("kafka")

    def remember_kafka(self, kafka: str) -> None:
        with self._changing:
            self._write({**self._read(), "kafka": kafka})

    def point_at(self, *, kafka: str, addresses: Mapping[str, str]) -> None:
        """Remember what runs elsewhere: the cluster, and the address of each process by its name."""
        with self._changing:
            self._write({**self._read(), "kafka": kafka, "addresses": dict(addresses)})

    def address(self, name: str) -> str | None:
        """Where the process of that name answers, if it runs elsewhere."""
        return self._read().get("addresses", {}).get(name)

    @property
    def is_elsewhere(self) -> bool:
        """Whether somebody else runs what this folder stands for."""
        return "addresses" in self._read()

    @property
    def workers(self) -> int:
        """How many workers of each service were asked for last; 1 if none were."""
        return self._read().get("workers", 1)

    def remember_workers(self, workers: int) -> None:
        with self._changing:
            self._write({**self._read(), "workers": workers})

    def port(self, name: str) -> int | None:
        """The port that `name` was given before."""
        return self._read().get("ports", {}).get(name)

    def choose_port(self, name: str, *, preferred: int) -> int:
        """Its port if it runs; else the one it had before, or the preferred one, or any: the first that is free."""
        if self.is_running(name) and (port := self.port(name)) is not None:
            return port
        others = {port for other, port in self._read().get("ports", {}).items() if other != name}
        wishes = (self.port(name), preferred)
        free = (port for port in wishes if port and port not in others and not is_listening(port))
        chosen = next(free, None) or _other_than(others)
        self.remember_port(name, chosen)
        return chosen

    def remember_port(self, name: str, port: int) -> None:
        with self._changing:
            state = self._read()
            self._write({**state, "ports": {**state.get("ports", {}), name: port}})

    def recorded(self) -> list[Recorded]:
        """Every process that was started and not stopped, alive or not."""
        found: list[Recorded] = []
        for file in sorted(self._running.glob("*.json")):
            with suppress(ValueError, KeyError, FileNotFoundError):  # another thread may forget it meanwhile
                entry = json.loads(file.read_text())
                process = RunningProcess(entry["pid"], entry["born"])
                found.append(Recorded(file.stem, process, entry["fingerprint"]))
        return found

    def find(self, name: str) -> Recorded | None:
        return next((recorded for recorded in self.recorded() if recorded.name == name), None)

    def is_running(self, name: str) -> bool:
        found = self.find(name)
        return found is not None and found.process.alive()

    def record(self, recorded: Recorded) -> None:
        entry = {
            "pid": recorded.process.pid,
            "born": recorded.process.born,
            "fingerprint": recorded.fingerprint,
        }
        _replace(self._running / f"{recorded.name}.json", json.dumps(entry))

    def forget(self, name: str) -> None:
        (self._running / f"{name}.json").unlink(missing_ok=True)

    def master_key(self) -> str:
        """base64 of the key that wraps the data keys; made once, readable by its owner alone."""
        file = self.folder / "master.key"
        if not file.exists():
            _replace(file, b64encode(secrets.token_bytes(_MASTER_KEY_BYTES)).decode())
        return file.read_text()

    def _read(self) -> dict[str, Any]:
        try:
            return json.loads(self._file.read_text())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except ValueError as error:
            raise LaunchFailed(f"{self._file} is broken ({error}). Delete that file and try again.") from error

    def _write(self, state: dict[str, Any]) -> None:
        _replace(self._file, json.dumps(state, indent=2))


def _other_than(taken: set[int]) -> int:
    return next(port for port in iter(free_port, None) if port not in taken)


def _replace(file: Path, text: str) -> None:
    """Writes a file that its owner alone may read, whole or not at all."""
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
    draft.replace(file)

"""Brings processes to the wanted state: starts what does not run, keeps what runs as wanted, replaces the rest."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from launcher import health
from launcher.failure import LaunchFailed, last_lines
from launcher.health import Answer
from launcher.last_words import last_words
from launcher.process import Interpreters, RunningProcess, Starter
from launcher.state import Recorded, State

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Process:
    """One process: `module` is what follows `python -m`.

    `port`: where it answers the path `ready` with 200 when it is. `replaced_with`: what it must not outlive, such as a
    broker that forgets its topics.
    """

    name: str
    module: tuple[str, ...]
    port: int
    settings: Mapping[str, str] = field(repr=False)
    ready: str = "/health/ready"
    replaced_with: str = ""

    @property
    def fingerprint(self) -> str:
        given = [sys.executable, self.module, self.port, sorted(self.settings.items()), self.replaced_with]
        return hashlib.sha256(json.dumps(given).encode()).hexdigest()


class Supervisor:
    """Starts and stops the processes of one state folder; every process has a log of its own under `logs/`."""

    def __init__(self, state: State, report: Report, *, starter: Starter | None = None) -> None:
        self._state = state
        self._report = report
        self._starter = starter or Interpreters()
        self._started: set[str] = set()

    def converge(self, wanted: Iterable[Process]) -> None:
        """Starts those that do not run as wanted; returns before they are ready."""
        for process in wanted:
            self._converge(process)

    def runs_as_wanted(self, wanted: Iterable[Process]) -> bool:
        """Whether all run, with the settings that are wanted."""
        return all(self._runs_as_wanted(process) for process in wanted)

    def wait(self, wanted: Iterable[Process], *, within: float = 60, patience: float = 20) -> None:
        """Returns when all are ready; fails with the log's end of the first that is not `within` these seconds.

        One that ran already and is not ready after `patience` is started anew.
        """
        waiting = list(wanted)
        for hung, answer in self._unready(
            [process for process in waiting if process.name not in self._started], patience
        ):
            self._report(f"{hung.name} runs but is not ready ({health.reasons(answer)}); it is started anew.")
            self.stop([hung.name], within=2)
            self._start(hung)
        for process, answer in self._unready(waiting, within):
            raise LaunchFailed(self._failure(process, answer, within))

    def stop(self, names: Iterable[str], *, within: float = 15) -> None:
        """Asks all to end, waits for all, and forgets them."""
        recorded = [found for name in names if (found := self._state.find(name)) is not None]
        with ThreadPoolExecutor(max_workers=len(recorded) or 1) as pool:
            for stopped in [pool.submit(found.process.stop, within=within) for found in recorded]:
                stopped.result()
        for found in recorded:
            self._state.forget(found.name)

    def stop_unrecorded(self) -> None:
        """Stops what an interrupted run started in this folder and could not write down."""
        known = {recorded.process.pid for recorded in self._state.recorded()}
        for process in _started_in(self._state.folder, self._state.logs):
            if process.pid not in known:
                self._report(f"Process {process.pid} of an interrupted run is stopped.")
                process.stop()

    def _converge(self, wanted: Process) -> None:
        found = self._state.find(wanted.name)
        if found is not None:
            if self._runs_as_wanted(wanted):
                return
            if found.process.alive():
                self._report(f"{wanted.name} is started anew: what it was told, or what it depends on, has changed.")
                found.process.stop()
            else:
                why = last_words(self._log(wanted)) or f"process {found.process.pid}"
                self._report(f"{wanted.name} was found dead ({why}); it is started again.")
        self._start(wanted)

    def _start(self, wanted: Process) -> None:
        process = self._starter.start(
            wanted.module, log=self._log(wanted), environment=wanted.settings, folder=self._state.folder
        )
        self._started.add(wanted.name)
        self._state.record(Recorded(wanted.name, process, wanted.fingerprint))

    def _runs_as_wanted(self, wanted: Process) -> bool:
        found = self._state.find(wanted.name)
        return found is not None and found.fingerprint == wanted.fingerprint and found.process.alive()

    def _unready(self, waiting: Sequence[Process], within: float) -> list[tuple[Process, Answer]]:
        """Waits for all at once; those that are not ready in that time, or ended, each with its last answer."""
        with ThreadPoolExecutor(max_workers=len(waiting) or 1) as pool:
            answers = [pool.submit(self._last_answer, process, within) for process in waiting]
            asked = zip(waiting, (answer.result() for answer in answers), strict=True)
            return [(process, answer) for process, answer in asked if not answer.ok]

    def _last_answer(self, process: Process, within: float) -> Answer:
        end = time.monotonic() + within
        while True:
            found = self._state.find(process.name)
            answer = health.ask(process.port, process.ready)
            if answer.ok and (found is None or not found.process.listens_on(process.port)):
                answer = Answer(0, None)  # somebody else took the port meanwhile
            if answer.ok or found is None or not found.process.alive() or time.monotonic() > end:
                return answer
            time.sleep(0.05)

    def _failure(self, process: Process, answer: Answer, within: float) -> str:
        log = self._log(process)
        if not self._state.is_running(process.name):
            return f"{process.name} ended while it was starting. The end of {log}:\n{last_lines(log)}"
        return (
            f"{process.name} is not ready after {within:.0f} s: {health.reasons(answer)}. "
            f"The end of {log}:\n{last_lines(log)}\nTry `trellis down`, then `trellis up`."
        )

    def _log(self, process: Process) -> Path:
        return self._state.logs / f"{process.name}.log"


def _started_in(folder: Path, logs: Path) -> list[RunningProcess]:
    """Leaders of a session who work in the folder and write one of its logs; PostgreSQL has a lock file of its own."""
    found: list[RunningProcess] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            leads = os.getsid(process.pid) == process.pid and Path(process.cwd()).is_relative_to(folder)
            if leads and process.name() != "postgres" and _writes_into(process, logs):
                found.append(RunningProcess(process.pid, process.create_time()))
    return found


def _writes_into(process: psutil.Process, logs: Path) -> bool:
    return any(Path(file.path).is_relative_to(logs) for file in process.open_files())

"""The supervisor on real processes: it starts what is missing, keeps what runs, and says what it found."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from launcher.failure import LaunchFailed
from launcher.process import RunningProcess, free_port
from launcher.state import Recorded, State
from launcher.supervisor import Process, Supervisor
from shared.eventsourcing.identifiers import uuid7


@dataclass
class Run:
    """A supervisor on a state folder of its own, and what it said."""

    state: State
    said: list[str] = field(default_factory=list[str])

    @property
    def supervisor(self) -> Supervisor:
        return Supervisor(self.state, self.said.append)

    def bring(self, *wanted: Process) -> list[RunningProcess]:
        """Converged and ready."""
        self.supervisor.converge(wanted)
        self.supervisor.wait(wanted, within=20)
        return [self.process(process) for process in wanted]

    def process(self, process: Process) -> RunningProcess:
        found = self.state.find(process.name)
        assert found is not None
        return found.process


@pytest.fixture
def run(server_folder: Path) -> Iterator[Run]:
    state = State(server_folder / f"state-{uuid7().hex}")
    state.create()
    started = Run(state)
    yield started
    started.supervisor.stop([recorded.name for recorded in state.recorded()])
    started.supervisor.stop_unrecorded()


def answering(name: str, **settings: str) -> Process:
    port = free_port()
    return Process(name, ("tests.servers.answering", name), port, {"TRELLIS_HTTP_PORT": str(port), **settings})


def test_what_runs_as_wanted_is_kept(run: Run) -> None:
    one, two = answering("one"), answering("two")
    before = run.bring(one, two)
    assert run.bring(one, two) == before
    assert run.said == []


def test_what_was_killed_is_started_again_and_named(run: Run) -> None:
    one, two = answering("one"), answering("two")
    first, second = run.bring(one, two)
    first.kill()
    again, kept = run.bring(one, two)
    assert again != first
    assert kept == second
    assert run.said == [f"one was found dead (process {first.pid}); it is started again."]


def test_an_id_that_was_given_away_is_not_taken_for_the_process(run: Run) -> None:
    one = answering("one")
    init = RunningProcess.of(1)
    assert init is not None
    run.state.record(Recorded(one.name, replace(init, born=init.born - 60), one.fingerprint))
    (started,) = run.bring(one)
    assert started.pid != 1
    assert run.said == ["one was found dead (process 1); it is started again."]


def test_changed_settings_start_it_anew(run: Run) -> None:
    one = answering("one")
    (before,) = run.bring(one)
    (after,) = run.bring(replace(one, settings={**one.settings, "TRELLIS_LOG_LEVEL": "DEBUG"}))
    assert after != before
    assert not before.alive()
    assert run.said == ["one is started anew: what it was told, or what it depends on, has changed."]


def test_a_process_that_dies_at_once_shows_the_end_of_its_log(run: Run) -> None:
    broken = Process("broken", ("tests.servers.no_such_module",), free_port(), {})
    with pytest.raises(LaunchFailed, match="broken ended while it was starting") as failed:
        run.bring(broken)
    assert "No module named tests.servers.no_such_module" in str(failed.value)


def test_what_answers_on_a_port_that_somebody_else_took_is_not_taken_for_the_process(run: Run) -> None:
    stranger = answering("stranger")
    run.bring(stranger)
    with pytest.raises(LaunchFailed, match="late ended while it was starting") as failed:
        run.bring(replace(stranger, name="late"))
    assert "Address already in use" in str(failed.value)


def test_a_process_that_is_never_ready_says_why(run: Run) -> None:
    unready = answering("unready", TRELLIS_ANSWER="503")
    supervisor = run.supervisor
    supervisor.converge([unready])
    with pytest.raises(LaunchFailed, match="unready is not ready after 1 s: the store is away"):
        supervisor.wait([unready], within=1)


def test_a_process_that_hangs_is_started_anew(run: Run) -> None:
    one = answering("one")
    (hanging,) = run.bring(one)
    os.kill(hanging.pid, signal.SIGSTOP)
    supervisor = run.supervisor
    supervisor.converge([one])
    supervisor.wait([one], within=20, patience=0.5)
    assert not hanging.alive()
    assert run.process(one).alive()
    assert run.said == ["one runs but is not ready (it does not answer); it is started anew."]


def test_stopping_ends_all_and_forgets_them(run: Run) -> None:
    one, two = answering("one"), answering("two")
    before = run.bring(one, two)
    run.supervisor.stop(["one", "two", "never-started"])
    assert [process.alive() for process in before] == [False, False]
    assert run.state.recorded() == []


def test_what_an_interrupted_run_could_not_write_down_is_stopped(run: Run) -> None:
    one, two = answering("one"), answering("two")
    lost, kept = run.bring(one, two)
    run.state.forget("one")
    run.supervisor.stop_unrecorded()
    assert not lost.alive()
    assert kept.alive()
    assert run.said == [f"Process {lost.pid} of an interrupted run is stopped."]


def test_a_second_command_at_the_same_time_is_turned_away(run: Run) -> None:
    other = State(run.state.folder)
    with run.state.lock(), pytest.raises(LaunchFailed, match="is at work on"), other.lock():
        pass
    with other.lock():
        pass


def test_a_port_stays_the_same_while_it_is_free(run: Run) -> None:
    first = run.state.choose_port("one", preferred=free_port())
    assert run.state.choose_port("one", preferred=free_port()) == first
    assert run.state.choose_port("two", preferred=first) != first


def test_a_taken_port_is_given_up(run: Run) -> None:
    one = answering("one")
    run.bring(one)
    run.state.remember_port("other", one.port)
    assert run.state.choose_port("other", preferred=one.port) != one.port


def test_a_running_process_keeps_its_port(run: Run) -> None:
    one = answering("one")
    run.bring(one)
    run.state.remember_port("one", one.port)
    assert run.state.choose_port("one", preferred=free_port()) == one.port


def test_the_keys_are_made_once_and_are_their_owners_alone(run: Run) -> None:
    key = run.state.master_key()
    assert run.state.master_key() == key
    assert (run.state.folder / "master.key").stat().st_mode & 0o777 == 0o600
    assert run.state.folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LaunchFailed, match="cannot be written: Not a directory"):
        State(tmp_path / "file" / "state").create()


def test_a_broken_state_file_is_named(run: Run) -> None:
    (run.state.folder / "state.json").write_text("{")
    with pytest.raises(LaunchFailed, match=r"state\.json is broken .*Delete that file"):
        run.state.port("one")

"""`trellis status` says what to do about what is not ready: only what does not run is to be started."""

import os
from pathlib import Path

from launcher.process import RunningProcess
from launcher.processes import NAMES
from launcher.state import Recorded, State
from launcher.status import advice, not_running


def test_what_runs_and_is_slow_is_not_to_be_started() -> None:
    said = advice({"ready": False, "stopped": []})
    assert "trellis up" not in said
    assert "Ask again" in said


def test_what_does_not_run_is_named_and_to_be_started() -> None:
    said = advice({"ready": False, "stopped": ["goals-worker"]})
    assert said == "Not everything runs: goals-worker. Start it: `trellis up`."


def test_a_process_runs_as_long_as_it_is_alive(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.create()
    assert not_running(state) == [*NAMES]
    this = RunningProcess.of(os.getpid())
    assert this is not None
    for name in NAMES:
        state.record(Recorded(name, this, "one"))
    assert not_running(state) == []
    state.record(Recorded("goals-worker", RunningProcess(os.getpid(), 0.0), "one"))
    assert not_running(state) == ["goals-worker"]


def test_what_runs_elsewhere_is_nobodys_here_to_start(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.create()
    state.point_at(kafka="broker.example:9092", addresses={"goals-api": "https://goals.example"})
    assert not_running(state) == []

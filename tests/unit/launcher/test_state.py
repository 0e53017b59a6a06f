"""The state folder, read while somebody else writes it."""

from pathlib import Path
from threading import Thread

from launcher.process import RunningProcess
from launcher.state import Recorded, State


def test_a_process_that_is_forgotten_while_all_are_read_is_left_out(tmp_path: Path) -> None:
    """PostgreSQL and the broker are brought up at the same time, by two threads."""
    state = State(tmp_path)
    state.create()
    broker, postgres = (Recorded(name, RunningProcess(1, 0.0), name) for name in ("broker", "postgres"))
    state.record(postgres)

    def come_and_go() -> None:
        for _ in range(2_000):
            state.record(broker)
            state.forget("broker")

    other = Thread(target=come_and_go)
    other.start()
    while other.is_alive():
        assert postgres in state.recorded()

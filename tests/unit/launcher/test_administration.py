"""What an operator is told whose services do not run: that, and what to do."""

import re
from pathlib import Path

import pytest

from launcher.administration import ask
from launcher.failure import LaunchFailed
from launcher.process import free_port
from launcher.state import State


def test_a_service_that_was_stopped_is_to_be_started_again(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.create()
    state.remember_port("rewards-api", port := free_port())
    told = (
        f"The service rewards does not run: nobody listens at http://127.0.0.1:{port}. Start everything: `trellis up`"
    )
    with pytest.raises(LaunchFailed, match=re.escape(told)):
        ask(tmp_path, "rewards", "GET", "/reconciliation")


def test_a_service_that_was_never_started_is_to_be_started(tmp_path: Path) -> None:
    with pytest.raises(LaunchFailed, match=r"was never started in .*: `trellis up`"):
        ask(tmp_path, "rewards", "GET", "/reconciliation")

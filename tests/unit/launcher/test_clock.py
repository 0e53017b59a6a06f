"""`trellis clock`: forward by what one says, and clear words for everything else."""

from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launcher.clock import app
from launcher.failure import LaunchFailed
from launcher.state import State
from shared.runtime.clock import read_ahead


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    State(tmp_path).create()
    return tmp_path


def said(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--folder", str(folder)])


def test_the_clock_is_put_forward_by_the_sum_of_what_was_said(folder: Path) -> None:
    assert "(the real time)" in said(folder, "show").output
    assert "3 days, 0:00:00 ahead" in said(folder, "advance", "3d").output
    said(folder, "advance", "1d12h")
    said(folder, "advance", "90s")
    assert read_ahead(State(folder).clock) == timedelta(days=4, hours=12, seconds=90)
    assert "4 days, 12:01:30 ahead" in said(folder, "show").output


@pytest.mark.parametrize("words", ["-3d", "0d", "", "tomorrow", "3", "d", "1h1d", "3.5d", "9999999d"])
def test_what_is_no_time_to_go_forward_changes_nothing(folder: Path, words: str) -> None:
    result = said(folder, "advance", "--", words) if words.startswith("-") else said(folder, "advance", words)
    assert result.exit_code == 2
    assert not State(folder).clock.exists()


def test_outside_development_there_is_no_clock_to_put_forward(tmp_path: Path) -> None:
    result = said(tmp_path / "nowhere", "advance", "3d")
    assert isinstance(result.exception, LaunchFailed)
    assert "all others go by the real time" in str(result.exception)
    assert not (tmp_path / "nowhere").exists()


def test_a_broken_clock_says_what_to_do(folder: Path) -> None:
    State(folder).clock.write_text("noon")
    result = said(folder, "show")
    assert isinstance(result.exception, LaunchFailed)
    assert "Delete that file" in str(result.exception)

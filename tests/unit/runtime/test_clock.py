"""The development clock: ahead by what its file says, and never back."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.runtime.clock import development_clock, now, read_ahead


def test_it_is_the_real_time_until_it_is_put_forward(tmp_path: Path) -> None:
    clock = development_clock(tmp_path / "clock")
    assert abs(clock() - now()) < timedelta(minutes=1)
    (tmp_path / "clock").write_text(str(3 * 86_400))
    assert abs(clock() - now() - timedelta(days=3)) < timedelta(minutes=1)


def test_for_a_process_it_never_goes_back(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("3600")
    clock = development_clock(file)
    before = clock()
    file.write_text("0")
    assert clock() >= before


def test_what_is_no_number_of_seconds_is_no_clock(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("tomorrow")
    with pytest.raises(ValueError, match="tomorrow"):
        read_ahead(tmp_path / "clock")

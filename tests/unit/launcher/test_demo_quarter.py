"""The scenarios of the demo are measured over the quarter that has ended, whatever day it is."""

from datetime import date

import pytest

from launcher.demo_cycle.measured import last_quarter


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        (date(2026, 1, 1), date(2025, 10, 1), date(2025, 12, 31)),
        (date(2026, 3, 31), date(2025, 10, 1), date(2025, 12, 31)),
        (date(2026, 4, 1), date(2026, 1, 1), date(2026, 3, 31)),
        (date(2028, 8, 29), date(2028, 4, 1), date(2028, 6, 30)),
        (date(2026, 12, 31), date(2026, 7, 1), date(2026, 9, 30)),
    ],
)
def test_the_last_quarter_has_ended(today: date, first: date, last: date) -> None:
    assert last_quarter(today) == (first, last)

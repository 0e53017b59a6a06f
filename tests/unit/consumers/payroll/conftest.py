"""Payroll's books in a file of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.payroll.books import Books


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    """Books that know the pay group US-MONTHLY alone."""
    books = Books(tmp_path / "payroll.sqlite", pay_groups=frozenset({"US-MONTHLY"}))
    yield books
    books.close()

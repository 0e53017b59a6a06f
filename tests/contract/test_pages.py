"""The pages that are generated from the code say what the code says."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.pages import PAGES


@pytest.mark.parametrize(("path", "written"), PAGES.items(), ids=[path.name for path in PAGES])
def test_the_page_says_what_the_code_says(path: Path, written: Callable[[], str]) -> None:
    assert path.read_text() == written(), "run `python -m tests.contract.pages`"

"""python -m tests.contract.pages: writes the pages that are generated from the code; a test holds each to it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tests.contract import access_page, goals_readme

PAGES: Final[Mapping[Path, Callable[[], str]]] = {
    access_page.PAGE: access_page.page,
    goals_readme.README: goals_readme.page,
}

if __name__ == "__main__":
    for path, written in PAGES.items():
        path.write_text(written())

"""The pages that show how to add something show what is there: each added line of their diffs is in its file."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted((REPOSITORY / "docs").glob("how-to-add-*.md"))
DIFF = re.compile(r"```diff\n\+\+\+ b/(\S+)\n(.*?)```", re.DOTALL)


def not_there(page: str, root: Path) -> list[str]:
    """The lines that a page says a file has, and which it has not."""
    missing: list[str] = []
    for file, diff in DIFF.findall(page):
        has = (root / file).read_text()
        added = [line[1:].strip() for line in diff.splitlines() if line.startswith("+")]
        missing += [f"{file}: {line}" for line in added if line and line not in has]
    return missing


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_what_a_page_adds_is_in_the_code(page: Path) -> None:
    text = page.read_text()
    assert text.count("```diff\n") == len(DIFF.findall(text)) > 0
    assert not_there(text, REPOSITORY) == []


def test_a_line_that_is_not_there_is_found(tmp_path: Path) -> None:
    (tmp_path / "goal.py").write_text("    here = 1\n")
    page = "```diff\n+++ b/goal.py\n+    here = 1\n+    gone = 2\n```"
    assert not_there(page, tmp_path) == ["goal.py: gone = 2"]

"""What the documents name is there: every relative link leads somewhere, every decision is listed."""

import re
from pathlib import Path

import pytest

from launcher.__main__ import COMMANDS

REPOSITORY = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")
DECISIONS = REPOSITORY / "docs" / "adr"


COMMAND = re.compile(r"`(?:\.venv/bin/)?trellis ([a-z]+(?:-[a-z]+)*)")


def documents() -> list[Path]:
    """What is ours: the folders that are installed into are hidden, or Node.js's own."""
    found = (path.relative_to(REPOSITORY) for path in REPOSITORY.rglob("*.md"))
    ours = [path for path in found if not any(part.startswith(".") or part == "node_modules" for part in path.parts)]
    return sorted(REPOSITORY / path for path in ours)


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = LINK.findall(document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_command_that_is_named_exists(document: Path) -> None:
    assert set(COMMAND.findall(document.read_text())) <= set(COMMANDS)


def test_every_decision_is_listed_and_has_the_four_headings() -> None:
    index = (DECISIONS / "README.md").read_text()
    for decision in sorted(DECISIONS.glob("[0-9]*.md")):
        assert f"({decision.name})" in index
        headings = re.findall(r"(?m)^## (.+)$", decision.read_text())
        assert headings == ["Context", "Decision", "Consequences", "Revisit when"]


@pytest.mark.parametrize("service", ["goals", "feedback", "reviews", "rewards"])
def test_every_service_says_the_same_five_things_about_itself(service: str) -> None:
    document = REPOSITORY / "services" / service / "README.md"
    headings = re.findall(r"(?m)^## (.+)$", document.read_text())
    assert headings == ["Owns", "Commands", "Publishes", "Listens to", "Read models"]

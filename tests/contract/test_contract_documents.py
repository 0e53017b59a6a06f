"""The generated documents are committed as they are generated, and the topics are those that are created."""

import json
from pathlib import Path

import pytest

from launcher.processes import TOPICS as CREATED
from launcher.schemas import generated
from shared.schemas.partitions import PARTITIONS
from shared.schemas.published import PUBLISHED
from shared.schemas.topics import TOPICS

DOCUMENTS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", generated())
def test_a_document_says_what_the_contract_says(name: str) -> None:
    committed = (DOCUMENTS / name).read_text(encoding="utf-8")
    assert generated()[name] == committed, "run `trellis schemas documents` and commit what it wrote"


def test_the_topics_of_the_contract_are_those_that_an_installation_creates() -> None:
    contract = {topic.name: (PARTITIONS, topic.settings) for topic in TOPICS}
    assert {topic.name: (topic.partitions, dict(topic.settings)) for topic in CREATED} == contract


def test_every_event_has_a_place_in_the_documents() -> None:
    page = generated()["events.md"]
    assert [name for types in PUBLISHED.values() for name in types.models if f"### {name}\n" not in page] == []


@pytest.mark.parametrize("name", [name for name in generated() if name.startswith("openapi/")])
def test_only_what_keeps_a_condition_names_its_header(name: str) -> None:
    """Administration looks at what runs and steers it; a command that is repeated is a second one there."""
    operations = [
        (path, [parameter["in"] for parameter in operation.get("parameters", ())])
        for path, of_path in json.loads(generated()[name])["paths"].items()
        for operation in of_path.values()
    ]
    assert [path for path, where in operations if ("header" in where) == ("/admin/" in path)] == []

"""The contract as files: each event's JSON Schema, and golden bytes of each version ever published."""

import json
from pathlib import Path
from typing import Final, cast

from shared.schemas.event import Event, EventTypes, UnknownEvent, encode, schema_uri
from shared.schemas.exemplified import JsonSchema, exemplified

SCHEMAS: Final = Path(__file__).parent / "json"
GOLDENS: Final = Path(__file__).parents[2] / "tests" / "contract" / "golden"


class NotAnExample(ValueError):  # noqa: N818 - named for the fact
    """The bytes cannot become a golden file; the message says why."""


def schema_of(event: type[Event]) -> JsonSchema:
    """The published schema: open in fields and enums, so that an additive change breaks no validating subscriber."""
    schema = _opened(event.model_json_schema(mode="serialization"))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_uri(event.event_type),
        **exemplified(schema, [json.loads(file.read_bytes()) for file in goldens_of(event.event_type)]),
    }


def schema_file(event_type: str, directory: Path = SCHEMAS) -> Path:
    """Where the type's schema is committed: `<publisher>/<EventName>.v<n>.json`."""
    _, publisher, name = event_type.split(".", 2)
    return directory / publisher / f"{name}.json"


def type_of_schema(file: Path) -> str:
    """The event type whose schema the file is."""
    return f"trellis.{file.parent.name}.{file.stem}"


def goldens_of(event_type: str) -> list[Path]:
    """The golden bytes of an event, the plain case first."""
    files = [file for file in GOLDENS.glob(f"{event_type}*.json") if type_of(file) == event_type]
    return sorted(files, key=lambda file: (file.stem != event_type, file.stem))


def _opened(node: JsonSchema) -> JsonSchema:
    """The schema without the refusal of further fields, at any depth."""
    return {
        name: _opened_value(value) for name, value in node.items() if (name, value) != ("additionalProperties", False)
    }


def _opened_value(value: object) -> object:
    match value:
        case dict():
            return _opened(cast("JsonSchema", value))
        case list():
            return [_opened_value(item) for item in cast("list[object]", value)]
        case _:
            return value


def schema_text(event: type[Event]) -> str:
    """The text of the schema's file."""
    return json.dumps(schema_of(event), indent=2, ensure_ascii=False) + "\n"


def write_schemas(types: EventTypes, directory: Path = SCHEMAS) -> list[str]:
    """Write every current version's schema and name those that changed; files of older versions stay as they are."""
    changed: list[str] = []
    for event_type, event in sorted(types.models.items()):
        file = schema_file(event_type, directory)
        text = schema_text(event)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            changed.append(event_type)
    return changed


def type_of(file: Path) -> str:
    """The event type that a golden file is named for; further words name the case it shows."""
    return ".".join(file.name.split(".")[:4])


def write_golden(types: EventTypes, name: str, example: bytes, directory: Path = GOLDENS) -> Path:
    """Keep an example's bytes, as the store would write them, under `<event type>` or `<event type>.<case>`.

    Raises:
        NotAnExample: nobody publishes such an event, or the name is taken: published bytes never change.
        pydantic.ValidationError: the example is not such an event.
    """
    file = directory / f"{name}.json"
    event = types.decode(type_of(file), example)
    if isinstance(event, UnknownEvent) or event.event_type != type_of(file):
        raise NotAnExample(f"{type_of(file)} is no event that is written today; see shared/schemas/topics.py")
    if file.exists():
        raise NotAnExample(f"{file.name} exists, and published bytes never change: name another case")
    directory.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encode(event).encode())
    return file

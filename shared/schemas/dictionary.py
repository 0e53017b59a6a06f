"""The data dictionary, docs/events.md: each event in words, its fields, an example, and who reads it."""

import json
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from shared.schemas.asyncapi import examples, versions
from shared.schemas.contract import schema_file
from shared.schemas.topics import TOPICS, Topic
from shared.schemas.units import UNIT

Node: TypeAlias = dict[str, Any]

_HEADING: Final = """# The events

What is in each topic, event by event. This page is written by `trellis schemas documents` from the schemas in
[shared/schemas/json](../shared/schemas/json); [asyncapi.json](asyncapi.json) says the same to programs. How to read a
topic without losing or doubling anything: [Subscribing](subscribing.md).

A field marked *ciphertext* is personal text: encrypted with a key of the person it speaks of, unreadable once they are
erased. Person ids are opaque. Decimals and money are strings, times are RFC 3339; *may be missing* says what stands for
a field that an older event does not have.
"""
_OLD: Final = "*No longer written; it is in the log, and is read as the version after it.*"
_SEALED: Final = "SealedText"


def text() -> str:
    """The whole page."""
    return "\n".join([_HEADING, *(_topic(topic) for topic in TOPICS)])


def _topic(topic: Topic) -> str:
    kept = "the last record of each key" if topic.compacted else "every record, for ever"
    about = f"## `{topic.name}`\n\n{topic.about} {topic.told} Kept: {kept}."
    return "\n\n".join([about, *(_event(topic, event_type) for event_type in versions(topic))]) + "\n"


def _event(topic: Topic, event_type: str) -> str:
    schema = json.loads(schema_file(event_type).read_text(encoding="utf-8"))
    old = "" if event_type in topic.types.models else f"{_OLD}\n\n"
    rows = "\n".join(_rows(schema))
    fields = f"| Field | What it is | |\n|---|---|---|\n{rows}\n\n" if rows else "It has no fields.\n\n"
    return f"### {event_type}\n\n{old}{schema.get('description', '')}\n\n{fields}```json\n{_example(event_type)}\n```"


def _example(event_type: str) -> str:
    return json.dumps(examples(event_type)[0][1], indent=1, ensure_ascii=False)


def _rows(schema: Node) -> Iterator[str]:
    for path, node, optional in _fields(schema, schema, ""):
        told = " ".join(str(node.get("description", "")).split())
        unit = next((f"in {member[UNIT]}" for member in (node, *_members(schema, node)) if UNIT in member), "")
        missing = f"may be missing: {json.dumps(node.get('default'))}" if optional else ""
        about = "; ".join(part for part in (told.removesuffix("."), unit, missing) if part)
        yield f"| `{path}` | {_kind(schema, node)} | {about} |"


def _fields(root: Node, node: Node, above: str) -> Iterator[tuple[str, Node, bool]]:
    required = node.get("required", ())
    for name, field in node.get("properties", {}).items():
        path = f"{above}{name}"
        yield path, field, name not in required
        part, mark = _part(root, field)
        if part is not None:
            yield from _fields(root, part, f"{path}{mark}.")


def _part(root: Node, field: Node) -> tuple[Node | None, str]:
    """The object that the field holds, or each of a list of them; None where it holds values alone or ciphertext."""
    for member in _members(root, field):
        if member.get("type") == "array":
            part, _ = _part(root, member.get("items", {}))
            return part, "[]"
        if "properties" in member and member.get("title") != _SEALED:
            return member, ""
    return None, ""


def _members(root: Node, node: Node) -> list[Node]:
    node = _resolved(root, node)
    return [_resolved(root, member) for member in node.get("anyOf", [node])]


def _resolved(root: Node, node: Node) -> Node:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def _kind(root: Node, node: Node) -> str:
    return " or ".join(dict.fromkeys(_one_kind(root, member) for member in _members(root, node)))


def _one_kind(root: Node, node: Node) -> str:
    match node:
        case {"title": "SealedText"}:
            return "*ciphertext*"
        case {"x-known-values": list(values)}:
            return "one of " + ", ".join(f"`{value}`" for value in values)
        case {"enum": list(values)}:
            return "one of " + ", ".join(f"`{value}`" for value in values)
        case {"const": value}:
            return f"`{value}`"
        case {"type": "array"}:
            return f"list of {_kind(root, node.get('items', {}))}"
        case {"format": "uuid"}:
            return "id"
        case {"format": str(format_)}:
            return format_
        case {"type": "object", "title": str(title)}:
            return title
        case _:
            return str(node.get("type", "anything"))

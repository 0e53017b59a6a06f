"""A schema whose every field has a title and, from the golden bytes, an example that was really published."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

JsonSchema: TypeAlias = "dict[str, Any]"
_Values: TypeAlias = "defaultdict[tuple[str, str], list[object]]"
_EVENT: Final = ""
"""The name of the event itself among its parts."""


def exemplified(schema: JsonSchema, examples: Iterable[JsonSchema]) -> JsonSchema:
    """The schema with a title for each field, and with the first value that an example has there."""
    values: _Values = defaultdict(list)
    for example in examples:
        _collect(schema, _EVENT, schema, example, values)
    parts = {name: _told(name, part, values) for name, part in schema.get("$defs", {}).items()}
    return _told(_EVENT, schema, values) | ({"$defs": parts} if parts else {})


def _told(part: str, node: JsonSchema, values: _Values) -> JsonSchema:
    fields = {
        name: {"title": name.replace("_", " ").title(), **field, **_example(values[part, name])}
        for name, field in node.get("properties", {}).items()
    }
    return node | ({"properties": fields} if fields else {})


def _example(values: list[object]) -> JsonSchema:
    """The first that is something; what is empty or null shows little, but may be all there is."""
    found = [value for value in values if value is not None]
    told = [value for value in found if value not in ([], {}, "")] or found
    return {"examples": [told[0]]} if told else {}


def _collect(root: JsonSchema, part: str, node: JsonSchema, value: object, values: _Values) -> None:
    """Note what each field of each part holds in the value."""
    for name, member in _members(root, part, node):
        match value:
            case dict():
                for field, under in member.get("properties", {}).items():
                    if field in value:
                        values[name, field].append(value[field])
                        _collect(root, name, under, value[field], values)
            case list():
                for item in value:
                    _collect(root, name, member.get("items", {}), item, values)
            case _:
                pass


def _members(root: JsonSchema, part: str, node: JsonSchema) -> Iterator[tuple[str, JsonSchema]]:
    """What may stand here, each with the name of its part."""
    while "$ref" in node:
        part = node["$ref"].rsplit("/", 1)[1]
        node = root["$defs"][part]
    if "anyOf" not in node:
        yield part, node
    for member in node.get("anyOf", ()):
        yield from _members(root, part, member)

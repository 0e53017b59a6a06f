"""Compatibility of a schema with what was released: who could no longer read what, and what to publish instead.

A change must hold both ways: a subscriber that nobody has changed reads new events, and a reader of today reads every
event that is in the log. Only what adds passes: a field that may be missing, a further value of an open enum, words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

Node: TypeAlias = "Mapping[str, Any]"

_LOWER: Final = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_UPPER: Final = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_SAME: Final = ("pattern", "format", "multipleOf", "uniqueItems", "contentEncoding")
_MEANING: Final = ("x-unit", "x-meaning")
_OBJECT: Final = "object"


class Breaks(StrEnum):
    """Whose reading a change ends."""

    OLD_READER = "a subscriber that was not changed, when it reads new events"
    NEW_READER = "a reader of today, when it reads events that are in the log"
    EVERY_READER = "every reader: the same bytes would mean something else"


@dataclass(frozen=True, slots=True)
class Breach:
    """What must not change: `field` is its path from the event down (empty: the event itself), `change` a sentence."""

    field: str
    change: str
    breaks: Breaks


@dataclass(frozen=True, slots=True)
class _Side:
    """A place in one of the two schemas, with the definitions that its references name."""

    root: Node
    node: Node

    def at(self, node: Node) -> "_Side":
        return _Side(self.root, node)

    @property
    def resolved(self) -> Node:
        node, seen = self.node, 0
        while (reference := node.get("$ref")) is not None and seen <= len(self.root.get("$defs", {})):
            node, seen = {**self.root["$defs"][reference.rsplit("/", 1)[1]], **_without_reference(node)}, seen + 1
        return node

    @property
    def alternatives(self) -> dict[str, "_Side"]:
        """What may stand here, by kind: a union's members, else the one there is."""
        node = self.resolved
        members = node.get("anyOf") or node.get("oneOf")
        if members is None:
            return {_kind(node): self.at(node)}
        sides = [side for member in members for side in self.at(member).alternatives.values()]
        several = sum(_kind(side.node) == _OBJECT for side in sides) > 1
        return {_name(side.node) if several else _kind(side.node): side for side in sides}


def breaches(old: Node, new: Node) -> list[Breach]:
    """What of the new schema breaks a reader of the old one's events, or the old one's readers; none: compatible.

    Both are JSON Schemas as they are published: open in fields, references into `$defs` alone.
    """
    return list(dict.fromkeys(_between("", _Side(old, old), _Side(new, new), frozenset())))


def _between(field: str, old: _Side, new: _Side, walked: frozenset[tuple[str, str]]) -> Iterator[Breach]:
    here = (str(old.node.get("$ref")), str(new.node.get("$ref")))
    if "$ref" in old.node and here in walked:
        return
    walked |= {here}
    yield from _meaning(field, old.resolved, new.resolved)
    before, after = old.alternatives, new.alternatives
    for kind in before.keys() - after.keys():
        yield Breach(field, f"may no longer be {kind}", Breaks.NEW_READER)
    for kind in after.keys() - before.keys():
        yield Breach(field, f"may now be {kind}", Breaks.OLD_READER)
    for kind in before.keys() & after.keys():
        yield from _inside(field, before[kind], after[kind], walked)


def _inside(field: str, old: _Side, new: _Side, walked: frozenset[tuple[str, str]]) -> Iterator[Breach]:
    yield from _meaning(field, old.node, new.node)
    yield from _bounds(field, old.node, new.node)
    yield from _values(field, old.node, new.node)
    yield from _fields(field, old, new, walked)
    for part, mark in (("items", "[]"), ("additionalProperties", "{}")):
        before, after = old.node.get(part), new.node.get(part)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _between(f"{field}{mark}", old.at(before), new.at(after), walked)
    if len(old.node.get("prefixItems", ())) != len(new.node.get("prefixItems", ())):
        yield Breach(field, "holds another number of values", Breaks.OLD_READER)
    for number, (before, after) in enumerate(
        zip(old.node.get("prefixItems", ()), new.node.get("prefixItems", ()), strict=False)
    ):
        yield from _between(f"{field}[{number}]", old.at(before), new.at(after), walked)


def _fields(field: str, old: _Side, new: _Side, walked: frozenset[tuple[str, str]]) -> Iterator[Breach]:
    before, after = old.node.get("properties", {}), new.node.get("properties", {})
    needed_before, needed_after = set(old.node.get("required", ())), set(new.node.get("required", ()))
    for name in before.keys() - after.keys():
        yield Breach(_below(field, name), "is no longer there", Breaks.OLD_READER)
    for name in sorted(after.keys() & needed_after - needed_before):
        change = "must be there" if name in before else "is new and must be there"
        yield Breach(_below(field, name), change, Breaks.NEW_READER)
    for name in sorted(before.keys() & after.keys() & (needed_before - needed_after)):
        yield Breach(_below(field, name), "may be missing", Breaks.OLD_READER)
    for name in before.keys() & after.keys():
        yield from _between(_below(field, name), old.at(before[name]), new.at(after[name]), walked)


def _bounds(field: str, old: Node, new: Node) -> Iterator[Breach]:
    for bound in (*_LOWER, *_UPPER):
        before, after = old.get(bound), new.get(bound)
        if before == after:
            continue
        narrower = before is None or (after is not None and (after > before) == (bound in _LOWER))
        change = f"{bound} was {_said(before)} and is {_said(after)}"
        yield Breach(field, change, Breaks.NEW_READER if narrower else Breaks.OLD_READER)
    for rule in _SAME:
        before, after = old.get(rule), new.get(rule)
        if before != after:
            breaks = Breaks.OLD_READER if after is None else Breaks.NEW_READER
            yield Breach(field, f"{rule} was {_said(before)} and is {_said(after)}", breaks)


def _values(field: str, old: Node, new: Node) -> Iterator[Breach]:
    """Closed values (`enum`, `const`) may not change at all; open ones (`x-known-values`) may become more."""
    before, after = _closed(old), _closed(new)
    if before is not None and after is None:
        yield Breach(field, "is no longer one of a closed list", Breaks.OLD_READER)
    elif after is not None and before is None:
        yield Breach(field, "is now one of a closed list", Breaks.NEW_READER)
    elif before is not None and after is not None:
        for value in sorted(before - after):
            yield Breach(field, f"may no longer be {value}", Breaks.NEW_READER)
        for value in sorted(after - before):
            yield Breach(field, f"may now be {value}, of a closed list", Breaks.OLD_READER)
    for value in sorted(set(old.get("x-known-values", ())) - set(new.get("x-known-values", ()))):
        yield Breach(field, f"nobody knows the value {value} any more", Breaks.NEW_READER)


def _meaning(field: str, old: Node, new: Node) -> Iterator[Breach]:
    """A unit or meaning that is marked, and what stands for a field that is missing."""
    for mark in _MEANING:
        if mark in old and old[mark] != new.get(mark):
            yield Breach(field, f"{mark} was {old[mark]} and is {_said(new.get(mark))}", Breaks.EVERY_READER)
    if "default" in old and "default" in new and old["default"] != new["default"]:
        change = f"stood for {_said(old['default'])} where it is missing, and stands for {_said(new['default'])}"
        yield Breach(field, change, Breaks.EVERY_READER)


def _closed(node: Node) -> set[str] | None:
    values = node.get("enum", [node["const"]] if "const" in node else None)
    return None if values is None else {str(value) for value in values}


def _kind(node: Node) -> str:
    """The JSON type, or types."""
    kind = node.get("type", "anything")
    named: Sequence[str] = [str(kind)] if isinstance(kind, str) else sorted(kind)
    return " or ".join(named)


def _name(node: Node) -> str:
    """What tells the members of a union apart that has several objects."""
    return str(node.get("title", _OBJECT)) if _kind(node) == _OBJECT else _kind(node)


def _without_reference(node: Node) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != "$ref"}


def _below(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _said(value: object) -> str:
    return "not stated" if value is None else str(value)

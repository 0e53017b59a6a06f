"""Requests whose every text is a marker of its own, made from an OpenAPI document: no endpoint is forgotten."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Document = Mapping[str, Any]

MARKER: Final = re.compile(r"mk[0-9]{5}zz")
_NAMED: Final = "(a name)"
_VALUES: Final = {
    "weight": "100",
    "rating": "4",
    "minimum": "1",
    "scale_minimum": "1",
    "scale_maximum": "5",
    "minimum_coverage": "60",
    "self_weight": "0",
    "zone": "Europe/Berlin",
    "amount": "100.00",
    "ends_on": "2026-12-31",
    "coverage_end": "2026-12-31",
    "pay_date": "2026-12-31",
    "effective_on": "2026-12-31",
}
"""Values by which a body keeps the commonest rules, by the field's name."""


@dataclass(slots=True)
class Marks:
    """Hands out markers and remembers where each was sent."""

    sent: dict[str, str] = field(default_factory=dict[str, str])

    def of(self, place: str) -> str:
        """A marker: small letters and digits, so that it is a slug, a name and a text."""
        marker = f"mk{len(self.sent):05d}zz"
        self.sent[marker] = place
        return marker

    def found_in(self, text: str) -> list[str]:
        """Where the markers in a text were sent."""
        return sorted({self.sent[marker] for marker in MARKER.findall(text) if marker in self.sent})

    def worded_in(self, text: str) -> list[str]:
        """The same without slugs and names that others need to know, such as a policy's sections."""
        return [place for place in self.found_in(text) if not place.endswith(_NAMED)]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    document: Document
    said: Document

    @property
    def body(self) -> Document | None:
        """The schema of its JSON body."""
        content = self.said.get("requestBody", {}).get("content", {})
        return content["application/json"]["schema"] if "application/json" in content else None

    @property
    def file(self) -> str | None:
        """The example of a file that it takes instead."""
        return self.said.get("requestBody", {}).get("content", {}).get("text/csv", {}).get("example")

    def parameters(self, place: str) -> list[str]:
        return [each["name"] for each in self.said.get("parameters", []) if each["in"] == place]

    @property
    def ends_something(self) -> bool:
        return self.path.endswith(("/close", "/cancel", "/achieve", "/erase", "/reject", "/retire"))

    def takes_text(self) -> bool:
        """Whether the body has a text that people word themselves."""
        return self.body is not None and any(_is_text(leaf) for _, leaf in leaves(self.document, self.body))


def operations(document: Document) -> list[Operation]:
    """Those without an id in their path first: they make what the others speak of. Those that end it, last."""
    found = [
        Operation(method.upper(), path, document, said)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    ]
    return sorted(found, key=lambda operation: (operation.ends_something, operation.path.count("{")))


def leaves(document: Document, schema: Document, name: str = "") -> Iterator[tuple[str, Document]]:
    """Every value that a schema speaks of, with its field's name; lists have one item."""
    schema = _resolved(document, schema)
    if "properties" in schema:
        for key, inner in schema["properties"].items():
            yield from leaves(document, inner, key)
    elif schema.get("type") == "array":
        yield from leaves(document, schema["items"], name)
    else:
        yield name, schema


def valid(operation: Operation, marks: Marks, ids: Mapping[str, str], *, whole: bool = True) -> Any:
    """A body that keeps its schema, with what it requires or everything; ids come by the field's name."""
    if operation.body is None:
        return None
    maker = _Maker(operation.document, marks, ids, whole=whole)
    return maker.value(operation.body, [f"{operation.method} {operation.path}", "body"])


@dataclass(frozen=True, slots=True)
class _Maker:
    document: Document
    marks: Marks
    ids: Mapping[str, str]
    whole: bool

    def value(self, schema: Document, place: list[str]) -> Any:
        """A value that keeps the schema; a text is a marker."""
        schema, name = _resolved(self.document, schema), place[-1]
        if "properties" in schema:
            wanted = schema["properties"] if self.whole else schema.get("required", ())
            return {key: self.value(schema["properties"][key], [*place, key]) for key in wanted}
        if schema.get("type") == "array":
            return [self.value(schema["items"], place)]
        if schema.get("type") == "object":
            return {}
        known = self.ids.get(name) or self.ids.get(name.removesuffix("s")) or _VALUES.get(name)  # goals: ids of a goal
        if known is not None:
            return known
        return _leaf(schema, self.ids) or self.marks.of(" ".join([*place, _NAMED] if "pattern" in schema else place))


def _leaf(schema: Document, ids: Mapping[str, str]) -> Any:
    """A value of what is no free text; None: it is one."""
    match schema:
        case {"x-known-values": known}:
            return next((member for member in known if member in {"person", "manual"}), known[0])
        case {"format": form}:
            return {"uuid": ids["person"], "date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z"}.get(form, "1")
        case {"pattern": "^[A-Z]{3}$"}:
            return "USD"
        case {"type": "boolean"}:
            return True
        case {"type": "integer"}:
            return schema.get("minimum") or 1
        case _:
            return None


def spoilt(body: Any, marks: Marks, place: str) -> Iterator[Any]:
    """The body with a marker in place of each of its values in turn, and with a field that nobody knows."""
    match body:
        case dict():
            for key, inner in body.items():
                yield from ({**body, key: other} for other in spoilt(inner, marks, f"{place}.{key} (spoilt)"))
            yield {**body, marks.of(f"{place} (unknown field)"): marks.of(f"{place} (unknown field's value)")}
        case list():
            for inner in body:
                yield from ([other] for other in spoilt(inner, marks, place))
            yield marks.of(f"{place} (not a list)")
        case _:
            yield f"{marks.of(place)} two"
            yield [{marks.of(f"{place} (nested key)"): marks.of(f"{place} (nested)")}]
            yield f"{marks.of(f'{place} (with a lone surrogate)')}\ud800"
            yield f"{marks.of(f'{place} (with NUL)')}\x00"
            yield marks.of(f"{place} (long)") * 2_000


def _resolved(document: Document, schema: Document) -> Document:
    while True:
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            schema = schema["anyOf"][0]
        else:
            return schema


def _is_text(schema: Document) -> bool:
    plain = schema.get("type") == "string" and not {"format", "pattern", "x-known-values"} & set(schema)
    return plain and "enum" not in schema

"""The topics as an AsyncAPI 3 document: a message for each version of an event that may be in a topic."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias, cast

from shared.schemas.contract import goldens_of, schema_file
from shared.schemas.headers import CHAINED_HEADERS, FEED_HEADERS, MARK_HEADERS, Header
from shared.schemas.partitions import PARTITIONS
from shared.schemas.topics import TOPICS, Topic

Document: TypeAlias = "dict[str, Any]"

_MARK: Final = "trellis.log.LogMark.v1"
_HEADERS: Final = {"ChainedHeaders": CHAINED_HEADERS, "FeedHeaders": FEED_HEADERS, "MarkHeaders": MARK_HEADERS}
_ABOUT: Final = (
    "What Trellis publishes and listens to. Records are CloudEvents 1.0 in binary mode: the headers are the envelope, "
    "the value is the JSON data alone. Every schema is open: readers ignore fields they do not know and keep values "
    "and types they do not know. Records of one key are in order; ce_previousposition names the record before in the "
    "same partition, so that a reader notices one that it has missed."
)


def document(version: str) -> Document:
    """The document of all topics; `version` is the release's."""
    every = {event_type: _schema(event_type) for topic in TOPICS for event_type in versions(topic)}
    names = _names(every)
    messages = {
        event_type: _message(event_type, every[event_type], chained=topic.chained)
        for topic in TOPICS
        for event_type in versions(topic)
    }
    schemas = {
        name: node for event_type, schema in every.items() for name, node in _parts(event_type, schema, names).items()
    }
    headers = {name: _headers(these) for name, these in _HEADERS.items()}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Trellis",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": topic.name.split(".")[0]} for topic in TOPICS if topic.chained],
        },
        "defaultContentType": "application/json",
        "channels": {_channel_name(topic): _channel(topic) for topic in TOPICS},
        "operations": {_operation_name(topic): _operation(topic) for topic in TOPICS},
        "components": {"messages": messages | {_MARK: _mark()}, "schemas": headers | dict(sorted(schemas.items()))},
    }


def versions(topic: Topic) -> list[str]:
    """The event types that may be in the topic, those of earlier versions too."""
    return sorted({*topic.types.models, *topic.types.upcasters})


def text() -> str:
    """The committed document, byte for byte."""
    return json.dumps(document("1"), indent=1, ensure_ascii=False) + "\n"


def _schema(event_type: str) -> Document:
    return json.loads(schema_file(event_type).read_text(encoding="utf-8"))


def _names(every: Mapping[str, Document]) -> dict[tuple[str, str], str]:
    """What a definition is called in the document: by its own name, unless two events mean two things by it.

    Another example is no other meaning.
    """
    parts = [(event_type, *part) for event_type, schema in every.items() for part in schema.get("$defs", {}).items()]
    meanings: defaultdict[str, set[str]] = defaultdict(set)
    for _, name, node in parts:
        meanings[name].add(json.dumps(_without_examples(node), sort_keys=True))
    return {(event, name): name if len(meanings[name]) == 1 else f"{event}.{name}" for event, name, _ in parts}


def _without_examples(node: object) -> object:
    match node:
        case dict():
            members = cast("Document", node)
            return {name: _without_examples(value) for name, value in members.items() if name != "examples"}
        case list():
            return [_without_examples(value) for value in cast("list[object]", node)]
        case _:
            return node


def _parts(event_type: str, schema: Document, names: Mapping[tuple[str, str], str]) -> dict[str, Document]:
    """The event's schema and its definitions, as components of the document."""
    own = {name: node for name, node in schema.items() if name not in {"$schema", "$id", "$defs"}}
    parts = {names[event_type, name]: node for name, node in schema.get("$defs", {}).items()}
    return {
        name: cast("Document", _pointing(node, lambda part: names[event_type, part]))
        for name, node in ({event_type: own} | parts).items()
    }


def _pointing(node: object, named: Callable[[str], str]) -> object:
    """The node with its references led to the document's components."""
    match node:
        case {"$ref": str(reference)}:
            return _reference(named(reference.rsplit("/", 1)[1]))
        case dict():
            return {name: _pointing(value, named) for name, value in cast("Document", node).items()}
        case list():
            return [_pointing(value, named) for value in cast("list[object]", node)]
        case _:
            return node


def _reference(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def _message(event_type: str, schema: Document, *, chained: bool) -> Document:
    summary, _, more = str(schema.get("description", "")).partition("\n\n")
    return {
        "name": event_type,
        "title": event_type.split(".")[2],
        "summary": summary,
        **({"description": more} if more else {}),
        "contentType": "application/json",
        "headers": _reference("ChainedHeaders" if chained else "FeedHeaders"),
        "payload": _reference(event_type),
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
        "examples": [{"name": name, "payload": payload} for name, payload in examples(event_type)],
    }


def examples(event_type: str) -> list[tuple[str, Document]]:
    """Golden bytes of the event as examples, each with its name; there is one at least."""
    return [(file.stem, json.loads(file.read_bytes())) for file in goldens_of(event_type)]


def _mark() -> Document:
    return {
        "name": _MARK,
        "title": "LogMark",
        "summary": "No event: the position of the last record before it in this partition, so that a lost one is seen.",
        "headers": _reference("MarkHeaders"),
        "payload": {"type": "null"},
        "bindings": {"kafka": {"key": {"type": "null"}, "bindingVersion": "0.5.0"}},
    }


def _headers(headers: tuple[Header, ...]) -> Document:
    properties = {
        header.name: {"type": "string", "description": header.about, "examples": [header.example]} for header in headers
    }
    return {"type": "object", "required": [h.name for h in headers if h.always], "properties": properties}


def _channel(topic: Topic) -> Document:
    names = [*versions(topic), *([_MARK] if topic.chained else [])]
    kept = "the last record of each key" if topic.compacted else "every record, for ever"
    settings = {
        "cleanup.policy": [topic.settings["cleanup.policy"]],
        **({"retention.ms": -1} if not topic.compacted else {}),
    }
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"{topic.about} {topic.told} Kept: {kept}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": settings,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operation(topic: Topic) -> Document:
    """`send`: Trellis writes the topic; `receive`: it reads what others write."""
    return {
        "action": "send" if topic.chained else "receive",
        "channel": {"$ref": f"#/channels/{_channel_name(topic)}"},
        "summary": topic.about,
        "description": topic.told,
    }


def _channel_name(topic: Topic) -> str:
    return topic.name.replace(".", "-")


def _operation_name(topic: Topic) -> str:
    verb = "publish" if topic.chained else "hear"
    return f"{verb}-{_channel_name(topic)}"

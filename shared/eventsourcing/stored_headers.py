"""The record headers of stored events as the relay sends them, written straight from the rows."""

import json
from functools import cache
from typing import Any, Final
from uuid import UUID

from shared.schemas.event import schema_uri

_VERSION: Final = ("ce_specversion", b"1.0")
_CONTENT: Final = ("content-type", b"application/json")
_OPTIONAL: Final = {
    "causation_id": "ce_causationid",
    "policy_version": "ce_policyversion",
    "traceparent": "traceparent",
}


class StoredHeaders:
    """Writes what `to_headers(envelope_of(row))` writes, byte for byte, at a third of the price.

    A row's metadata were written by `Metadata.encode`, in the very form that the headers have.
    """

    def __init__(self, *, source: str, log_id: UUID) -> None:
        self._source = ("ce_source", source.encode())
        self._log_id = ("ce_logid", str(log_id).encode())

    def of(self, row: Any, *, previous_position: int, key: bytes) -> list[tuple[str, bytes]]:
        """The headers of the record behind `previous_position` in its partition; `key` is its stream."""
        metadata: dict[str, str] = json.loads(row["metadata"])
        type_, schema = _type_headers(row["type"])
        headers = [
            _VERSION,
            ("ce_id", str(row["event_id"]).encode()),
            self._source,
            type_,
            ("ce_subject", key),
            ("ce_time", metadata["occurred_at"].encode()),
            schema,
            ("ce_partitionkey", key),
            ("ce_sequence", b"%d" % row["version"]),
            self._log_id,
            ("ce_position", b"%d" % row["position"]),
            ("ce_previousposition", b"%d" % previous_position),
            ("ce_recordedtime", row["recorded_at"].isoformat().encode()),
            ("ce_actor", metadata["actor"].encode()),
            ("ce_correlationid", metadata["correlation_id"].encode()),
            ("ce_commandid", metadata["command_id"].encode()),
            _CONTENT,
        ]
        headers += [(header, metadata[name].encode()) for name, header in _OPTIONAL.items() if name in metadata]
        return headers


@cache
def _type_headers(event_type: str) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    return ("ce_type", event_type.encode()), ("ce_dataschema", schema_uri(event_type).encode())

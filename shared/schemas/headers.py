"""The headers of a record, in words: what the documents of the contract say of the envelope."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Header:
    """UTF-8 text; `always`: every record of its kind has it."""

    name: str
    about: str
    example: str
    always: bool = True


_EVERY: Final = (
    Header("ce_specversion", "CloudEvents' version.", "1.0"),
    Header(
        "ce_id", "The event's id; a record that was sent twice has the same.", "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
    ),
    Header("ce_source", "Which service wrote it.", "/trellis/goals"),
    Header("ce_type", "Publisher, event and version.", "trellis.goals.GoalSet.v1"),
    Header("ce_subject", "The stream: `<category>-<id>`.", "goal-0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c"),
    Header("ce_time", "When it happened, RFC 3339.", "2026-03-31T16:00:00+00:00"),
    Header("content-type", "What the value is.", "application/json"),
)
CHAINED_HEADERS: Final[tuple[Header, ...]] = (
    *_EVERY,
    Header(
        "ce_dataschema",
        "The JSON Schema of the value: behind `trellis:` the path at the service, which needs no token.",
        "trellis:/goals/v1/schemas/GoalSet.v1.json",
    ),
    Header("ce_partitionkey", "What the record is keyed by: its stream.", "goal-0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c"),
    Header("ce_sequence", "The event's number in its stream, from 1.", "3"),
    Header(
        "ce_logid",
        "The log the positions belong to; another one is another history.",
        "0199a1b2-0000-7000-8000-00000000000a",
    ),
    Header("ce_position", "The event's place in its service's log: it grows, with gaps.", "1042"),
    Header("ce_previousposition", "The position of the record before it in this partition; 0: none.", "1031"),
    Header("ce_recordedtime", "When it was stored, RFC 3339.", "2026-03-31T16:00:00.120000+00:00"),
    Header("ce_actor", "The person id of who gave the command.", "0199a1b2-0000-7000-8000-000000000103"),
    Header("ce_correlationid", "What belongs to one request has one.", "0199a1b2-0000-7000-8000-00000000000b"),
    Header("ce_commandid", "The command that it comes from.", "0199a1b2-0000-7000-8000-00000000000c"),
    Header(
        "ce_causationid", "The event that it is a consequence of.", "0199a1b2-0000-7000-8000-00000000000d", always=False
    ),
    Header("ce_policyversion", "The version of the policy that it was decided by.", "3", always=False),
    Header(
        "traceparent", "W3C trace context.", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", always=False
    ),
)
FEED_HEADERS: Final[tuple[Header, ...]] = _EVERY
MARK_HEADERS: Final[tuple[Header, ...]] = (
    Header("ce_specversion", "CloudEvents' version.", "1.0"),
    Header("ce_type", "Always the same.", "trellis.log.LogMark.v1"),
    Header("ce_logid", "The log the position belongs to.", "0199a1b2-0000-7000-8000-00000000000a"),
    Header("ce_previousposition", "The position of the last record before it in this partition; 0: none.", "1042"),
    Header("ce_previousid", "That record's event id.", "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b", always=False),
)

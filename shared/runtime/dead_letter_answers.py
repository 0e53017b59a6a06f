"""What the routes of dead letters take and answer."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from shared.eventsourcing import timers
from shared.eventsourcing.dead_letter_lists import ParkedStream
from shared.eventsourcing.dead_letters import ParkedRecord
from shared.eventsourcing.decider import RequestBody
from shared.eventsourcing.repair import Discarded, Replayed
from shared.runtime.service import Runtime
from shared.schemas.values import ShortText

LONGEST_NAME: Final = 300

Kind = Literal["projection", "reaction", "feed", "timers", "gone"]
Standing = Literal["culprit", "waiting", "behind"]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00]*$")]


class ParkedItem(BaseModel):
    """A parked stream (`stream` null: a single record) by its culprit."""

    id: int
    reader: str
    kind: Kind
    stream: str | None
    event_type: str | None
    standing: Standing = Field(description="culprit: it failed; waiting: for a fact; behind: it stands behind another.")
    parked: int = Field(description="How many records of this stream are parked, this one among them.")
    topic: str
    partition: int
    offset: int
    error: str | None = Field(description="The exception's name.")
    message: str
    attempts: int
    since: datetime


class Header(BaseModel):
    name: str
    value: str


class StreamRecord(BaseModel):
    id: int
    offset: int
    event_type: str | None
    standing: Standing


class ParkedDetail(ParkedItem):
    """A parked record whole. `payload` is the text as stored, or base64 of it where it is not UTF-8."""

    traceback: str
    waiting_for: str | None
    tried_at: datetime | None
    headers: list[Header]
    payload: str | None
    payload_encoding: Literal["utf-8", "base64"]
    records: list[StreamRecord] = Field(description="All parked records of the stream, in order.")


class RetryRequest(RequestBody):
    """Which stream; `reader` where not every reader that parked it is to retry."""

    stream: Name
    reader: Name | None = None


class DiscardRequest(RequestBody):
    """Why the record is given up; kept with who did it."""

    reason: ShortText


class RetryAnswer(BaseModel):
    """What was applied, each stream whole and in order."""

    items: list[Replayed]


class DiscardAnswer(BaseModel):
    id: int
    reader: str
    stream: str | None
    left: int = Field(description="Records of the stream that still stand parked: retry the stream.")
    note: str


class Shown:
    """Parked records as answers tell them."""

    def __init__(self, runtime: Runtime) -> None:
        service = runtime.service
        self.feeds = service.feeds(runtime)
        self._kinds: dict[str, Kind] = {
            **dict.fromkeys((projection.name for projection in service.projections), "projection"),
            **dict.fromkeys((reaction.name for reaction in service.reactions), "reaction"),
            **dict.fromkeys((feed.name for feed in self.feeds), "feed"),
            timers.READER: "timers",
        }

    def item(self, one: ParkedStream) -> ParkedItem:
        return ParkedItem.model_validate(self._item(one.record, one.parked))

    def detail(self, record: ParkedRecord, stream: Sequence[ParkedRecord]) -> ParkedDetail:
        payload, encoding = _readable(record.value)
        return ParkedDetail.model_validate(
            self._item(record, len(stream))
            | {
                "traceback": record.cause,
                "waiting_for": record.waiting_for,
                "tried_at": record.tried_at,
                "headers": [{"name": name, "value": value.decode(errors="replace")} for name, value in record.headers],
                "payload": payload,
                "payload_encoding": encoding,
                "records": [
                    {"id": one.id, "offset": one.offset, "event_type": _type(one), "standing": _standing(one)}
                    for one in stream
                ],
            }
        )

    def _item(self, record: ParkedRecord, parked: int) -> dict[str, Any]:
        return {
            "id": record.id,
            "reader": record.reader,
            "kind": self._kinds.get(record.reader, "gone"),
            "stream": record.stream,
            "event_type": _type(record),
            "standing": _standing(record),
            "parked": parked,
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "error": record.error,
            "message": record.message,
            "attempts": record.attempts,
            "since": record.parked_at,
        }

    def discarded(self, discarded: Discarded) -> DiscardAnswer:
        parked = discarded.parked
        match self._kinds.get(parked.reader, "gone"):
            case "projection":
                note = (
                    f"The rows of {parked.reader} lack this event. A rebuild reads it again: it gives other rows, or "
                    "parks it again."
                )
            case "reaction":
                note = f"{parked.reader} will not react to this event."
            case "feed":
                note = f"{parked.reader} passes over this record also when it reads its feed again."
            case "timers":
                note = "This event sets, moves or cancels no timer."
            case "gone":
                note = f"{parked.reader} reads no more in this service."
        return DiscardAnswer(id=parked.id, reader=parked.reader, stream=parked.stream, left=discarded.left, note=note)


def _readable(value: bytes | None) -> tuple[str | None, str]:
    try:
        return (None if value is None else value.decode()), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(value or b"").decode(), "base64"


def _type(record: ParkedRecord) -> str | None:
    found = dict(record.headers).get("ce_type")
    return None if found is None else found.decode(errors="replace")


def _standing(record: ParkedRecord) -> Standing:
    if record.waiting_for is not None:
        return "waiting"
    return "culprit" if record.culprit else "behind"

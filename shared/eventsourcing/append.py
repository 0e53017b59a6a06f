"""The append: what a command adds to a stream, and the statement that stores it if the stream has not moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from shared.schemas.event import Event

# One row per command in $1..$3, one per event in $4..$9, one per idempotency key in $10..$15. At most one command a
# stream; streams sorted, so that two processes lock heads in one order; WITH ORDINALITY and ORDER BY, so that a
# stream's versions draw rising positions. Who did not move has a conflict, or its key was taken; its neighbours are
# untouched. Keys and heads are looked up by subqueries that cannot become joins: those may read the whole table.
APPEND: Final = """
with taken as (
  select k.stream from unnest($10::text[], $11::text[], $12::text[], $13::text[]) as k(stream, caller, route, key)
   where (select true from idempotency_keys i where (i.caller, i.route, i.key) = (k.caller, k.route, k.key))
), command as (
  select * from unnest($1::text[], $2::int[], $3::int[]) as c(stream, expected, next)
   where c.stream not in (select stream from taken)
), moved as (
  insert into streams as s (stream, version)
    select stream, next from command c
     where expected = coalesce((select x.version from streams x where x.stream = c.stream), 0)
     order by stream
  on conflict (stream) do update set version = excluded.version
    where (s.stream, s.version) in (select c.stream, c.expected from command c)
  returning stream
), appended as (
  insert into events (stream, version, event_id, type, data, metadata)
    select e.stream, e.version, e.event_id, e.type, e.data, e.metadata
      from unnest($4::text[], $5::int[], $6::uuid[], $7::text[], $8::text[], $9::text[])
           with ordinality as e(stream, version, event_id, type, data, metadata, n)
      join moved using (stream)
     order by n
  returning stream, version, position
), keyed as (
  insert into idempotency_keys (caller, route, key, request_hash, answer, version, position)
    select k.caller, k.route, k.key, k.request_hash, k.answer, max(a.version), max(a.position)
      from unnest($10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[], $15::text[])
           as k(stream, caller, route, key, request_hash, answer)
      join appended a using (stream)
     group by k.caller, k.route, k.key, k.request_hash, k.answer
)
select stream, max(version) as version, max(position) as position from appended group by stream"""
# The same for one event of one command without a key, as most are: two thirds of the database's work, and less to send.
APPEND_ONE: Final = """
with moved as (
  insert into streams as s (stream, version)
    select $1, $3 where $2 = coalesce((select x.version from streams x where x.stream = $1), 0)
  on conflict (stream) do update set version = excluded.version where s.version = $2
  returning stream
)
insert into events (stream, version, event_id, type, data, metadata)
  select stream, $3, $4, $5, $6, $7 from moved
returning stream, version, position"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An idempotency key, unique per caller and route, and the hash of the request that it came with."""

    caller: str
    route: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event ready to be written; `sealed`: as it will be read again, where it holds texts that are in clear here."""

    event_id: UUID
    event_type: str
    data: str
    metadata: str
    sealed: Event | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """The events of one command on one stream, which must still be at version `expected` (0: must not exist)."""

    stream: str
    expected: int
    events: Sequence[NewEvent]
    key: Key | None = None
    answer: str = "{}"


def statement(appends: Sequence[Append]) -> tuple[Any, ...]:
    """The statement that appends them all, and its arguments."""
    match appends:
        case [Append(events=[event], key=None) as one]:
            stored = event.event_id, event.event_type, event.data, event.metadata
            return APPEND_ONE, one.stream, one.expected, one.expected + 1, *stored
        case _:
            return APPEND, *_columns(sorted(appends, key=lambda a: a.stream))


def _columns(appends: Sequence[Append]) -> list[list[Any]]:
    """The statement's arrays: three of commands, six of events, six of idempotency keys."""
    events = [(a.stream, a.expected + n, e) for a in appends for n, e in enumerate(a.events, start=1)]
    keys = [(a.stream, a.key, a.answer) for a in appends if a.key is not None]
    return [
        [a.stream for a in appends],
        [a.expected for a in appends],
        [a.expected + len(a.events) for a in appends],
        [stream for stream, _, _ in events],
        [version for _, version, _ in events],
        [e.event_id for _, _, e in events],
        [e.event_type for _, _, e in events],
        [e.data for _, _, e in events],
        [e.metadata for _, _, e in events],
        [stream for stream, _, _ in keys],
        [key.caller for _, key, _ in keys],
        [key.route for _, key, _ in keys],
        [key.key for _, key, _ in keys],
        [key.request_hash for _, key, _ in keys],
        [answer for _, _, answer in keys],
    ]

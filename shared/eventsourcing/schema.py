"""The kernel's tables as the first migration of a service creates them: frozen; a change is a new function."""

from typing import Final

from sqlalchemy import Connection, text

from shared.eventsourcing.identifiers import uuid7
from shared.schemas.partitions import PARTITIONS

_TABLES: Final = (
    """create table events (
         position bigint generated always as identity primary key,
         stream text not null,
         version integer not null,
         event_id uuid not null unique,
         type text not null,
         data text not null,
         metadata text not null,
         recorded_at timestamptz not null default clock_timestamp(),
         unique (stream, version))""",
    "create table streams (stream text primary key, version integer not null)",
    """create table idempotency_keys (
         caller text not null,
         route text not null,
         key text not null,
         request_hash bytea not null,
         answer text not null,
         version integer not null,
         position bigint not null,
         recorded_at timestamptz not null default clock_timestamp(),
         primary key (caller, route, key))""",
    """create table log (
         id smallint primary key default 1 check (id = 1),
         log_id uuid not null,
         partitions integer not null,
         owner text,
         epoch bigint not null default 0,
         expires_at timestamptz not null default '-infinity',
         position bigint not null default 0,
         state text not null default 'new',
         error text)""",
    """create table log_forks (
         log_id uuid primary key,
         replaced uuid not null,
         actor uuid not null,
         reason text not null,
         at timestamptz not null default clock_timestamp())""",
    "create table chain (partition integer primary key, position bigint not null, event_id uuid)",
    """create table checkpoints (
         reader text not null,
         topic text not null,
         partition integer not null,
         log_id uuid,
         position bigint not null default 0,
         next_offset bigint not null default 0,
         generation integer not null default 1,
         stopped text,
         seen_log_id uuid,
         moved_at timestamptz not null default clock_timestamp(),
         primary key (reader, topic, partition))""",
    """create table dead_letters (
         id bigint generated always as identity primary key,
         reader text not null,
         topic text not null,
         partition integer not null,
         "offset" bigint not null,
         fingerprint bytea not null,
         stream text,
         headers text not null,
         payload bytea not null,
         cause text not null,
         waiting_for text,
         attempts integer not null default 1,
         parked_at timestamptz not null default clock_timestamp(),
         unique (reader, topic, partition, "offset", fingerprint))""",
    "create index dead_letters_of_stream on dead_letters (reader, stream)",
)
# 7310589452 is the advisory lock that appends share and the relay takes alone
_BARRIER: Final = (
    """create function barrier() returns trigger language plpgsql as $$
        begin perform pg_advisory_xact_lock_shared(7310589452); return null; end $$""",
    "create trigger barrier before insert on events for each statement execute function barrier()",
    """create function horizon() returns bigint language plpgsql volatile set lock_timeout = '75ms' as $$
        begin
          perform pg_advisory_xact_lock(7310589452);
          return (select coalesce(max(position), 0) from events);
        end $$""",
)
_DEAD_LETTERS: Final = (
    """alter table dead_letters
         add column key bytea,
         add column culprit boolean not null default true,
         add column error text,
         add column message text not null default '',
         add column tried_at timestamptz,
         add column discarded_at timestamptz,
         alter column payload drop not null""",
    "update dead_letters set culprit = cause <> 'an earlier event of this stream is parked'",
    "create index dead_letters_culprits on dead_letters (reader) where culprit and discarded_at is null",
    """create table dead_letter_acts (
         id bigint generated always as identity primary key,
         at timestamptz not null default clock_timestamp(),
         actor uuid not null,
         reader text not null,
         stream text,
         dead_letter bigint,
         act text not null,
         reason text,
         outcome text not null)""",
)
_TIMERS: Final = (
    """create table timers (
         name text not null,
         stream text not null,
         due_at timestamptz not null,
         set_by uuid not null,
         correlation_id uuid not null,
         attempts integer not null default 0,
         retry_at timestamptz,
         cause text,
         parked_at timestamptz,
         primary key (name, stream))""",
    "create index timers_due on timers (due_at, name, stream) where parked_at is null",
)
_BUILDS: Final = (
    """create table builds (
         projection text not null,
         build integer not null,
         version integer not null,
         state text not null check (state in ('serving', 'building', 'kept', 'cancelled', 'dropped')),
         kind text not null check (kind in ('first', 'rebuild', 'rollback')),
         require_equal boolean not null default false,
         requested_by uuid,
         requested_at timestamptz not null default clock_timestamp(),
         changed_at timestamptz not null default clock_timestamp(),
         trouble text,
         comparison text,
         primary key (projection, build))""",
    """create unique index one_build_in_each_use on builds (projection, state)
         where state in ('serving', 'building', 'kept')""",
)


def install(connection: Connection, *, partitions: int = PARTITIONS) -> None:
    """Create the event store, its barrier, the log's row and the readers' tables."""
    for statement in (*_TABLES, *_BARRIER):
        connection.execute(text(statement))
    connection.execute(
        text("insert into log (log_id, partitions) values (:log_id, :partitions)"),
        {"log_id": uuid7(), "partitions": partitions},
    )
    connection.execute(
        text("insert into chain (partition, position) select p, 0 from generate_series(0, :last) p"),
        {"last": partitions - 1},
    )


def extend_dead_letters(connection: Connection) -> None:
    """Tell culprits from what stands behind them, keep a feed's keys, and record what operators do."""
    for statement in _DEAD_LETTERS:
        connection.execute(text(statement))


def install_timers(connection: Connection) -> None:
    """Create the table of due reminders and deadlines."""
    for statement in _TIMERS:
        connection.execute(text(statement))


def install_builds(connection: Connection) -> None:
    """Create the table of builds: which tables of a projection serve, are being filled, or are kept."""
    for statement in _BUILDS:
        connection.execute(text(statement))


def register_reader(
    connection: Connection,
    reader: str,
    topics: tuple[str, ...],
    *,
    starts: str = "beginning",
    partitions: int = PARTITIONS,
) -> None:
    """Write the checkpoint rows of a projection or reaction: a row that is missing fences nothing.

    `starts="now"` leaves out what was published before: position and offset are -1 until the first assignment.
    """
    first = -1 if starts == "now" else 0
    for topic in topics:
        connection.execute(
            text(
                "insert into checkpoints (reader, topic, partition, position, next_offset) "
                "select :reader, :topic, p, :first, :first from generate_series(0, :last) p"
            ),
            {"reader": reader, "topic": topic, "first": first, "last": partitions - 1},
        )

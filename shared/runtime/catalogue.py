"""Every metric that a process tells: its name, kind and labels, what it means, and who tells it."""

from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["api", "worker", "both"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. Each has the label `service` too; a name ends with its unit; no label holds what a person wrote."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    meaning: str
    told_by: Role = "worker"


_REQUESTS: Final = (
    Metric(
        "trellis_http_request_seconds",
        "histogram",
        ("method", "route", "status"),
        "How long requests took, by the route's template (`unmatched`: no route, or refused before it was looked for); "
        "probes of `/health` are none.",
        "api",
    ),
    Metric(
        "trellis_api_ready",
        "gauge",
        (),
        "1: this api is ready: its database answers within 2 s and is migrated; 0: not. Told from its start.",
        "api",
    ),
    Metric(
        "trellis_commands_total",
        "counter",
        ("outcome",),
        "Commands by how they ended: accepted, replayed (the kept answer of an idempotency key), rejected (a rule), "
        "version-mismatch (If-Match), conflict (others won every attempt), key-reused, failed (nobody foresaw it).",
        "both",
    ),
)
_STORE: Final = (
    Metric(
        "trellis_append_seconds",
        "histogram",
        (),
        "How long append statements took; of a command on one stream with the flush to disk.",
        "both",
    ),
    Metric("trellis_append_events", "histogram", (), "How many events an append statement had.", "both"),
    Metric(
        "trellis_append_conflicts_total",
        "counter",
        (),
        "Commands that an append passed over: a stream had moved, which is decided again, or a key was taken.",
        "both",
    ),
    Metric("trellis_database_connections", "gauge", (), "Connections of this process's pool that are in use.", "both"),
    Metric("trellis_database_answers", "gauge", (), "1: the last look at the database succeeded within 2 s; 0: not."),
)
_LOG: Final = (
    Metric("trellis_log_stored_position", "gauge", (), "The position of the newest stored event."),
    Metric("trellis_log_published_position", "gauge", (), "Up to which position the relay has published."),
    Metric("trellis_log_forked", "gauge", (), "1: Kafka holds another history than the store; nothing is published."),
    Metric("trellis_relay_lag_events", "gauge", (), "Stored events that are not published yet; counted up to 100,000."),
    Metric("trellis_relay_lag_seconds", "gauge", (), "How long the first of them has been waiting."),
    Metric("trellis_relay_leads", "gauge", (), "1: this process has the lead and publishes."),
    Metric("trellis_relay_published_events_total", "counter", (), "Events that this process published."),
    Metric("trellis_relay_chunk_seconds", "histogram", (), "How long a chunk took until it was acknowledged."),
    Metric("trellis_relay_chunk_events", "histogram", (), "How many events a published chunk had."),
)
_READERS: Final = (
    Metric(
        "trellis_reader_lag_records",
        "gauge",
        ("reader", "topic", "partition"),
        "Records that wait for the reader, of the partitions that this process reads.",
    ),
    Metric(
        "trellis_reader_stalled_seconds",
        "gauge",
        ("reader",),
        "How long records have been waiting while a partition's checkpoint did not move, as this endpoint saw it.",
    ),
    Metric(
        "trellis_reader_stopped_partitions",
        "gauge",
        ("reader",),
        "Partitions that the reader has stopped: a fork, a hole, too many dead letters.",
    ),
    Metric(
        "trellis_reader_events_total",
        "counter",
        ("reader", "outcome"),
        "Events: applied (what committed slices held; those parked or of an unknown type among them), skipped "
        "(duplicates), unknown (a type this release does not know), parked.",
    ),
    Metric(
        "trellis_reader_unknown_parts_total",
        "counter",
        ("reader", "part"),
        "Parts of events that this release does not know and passes over: field, enum member. A newer one wrote them.",
    ),
    Metric("trellis_reader_slice_seconds", "histogram", ("reader",), "How long a slice's transaction took."),
    Metric("trellis_reader_slice_events", "histogram", ("reader",), "How many events a slice had."),
    Metric(
        "trellis_reader_delay_seconds",
        "histogram",
        ("reader",),
        "From a slice's newest event being stored to its being applied.",
    ),
    Metric(
        "trellis_dead_letters",
        "gauge",
        ("reader", "kind"),
        "Parked streams' culprits: failed (cannot be applied), waiting (for a fact that will come).",
    ),
    Metric(
        "trellis_timers_total",
        "counter",
        ("outcome",),
        "Timers: fired (led to events), late (of those), spent (led to none), failed (tries; they are tried again).",
    ),
    Metric("trellis_feed_records_total", "counter", ("feed",), "Records read of a feed; all again at each start."),
    Metric("trellis_feed_caught_up", "gauge", ("feed",), "1: the feed was read to its end since the start."),
)

METRICS: Final = {metric.name: metric for metric in (*_REQUESTS, *_STORE, *_LOG, *_READERS)}

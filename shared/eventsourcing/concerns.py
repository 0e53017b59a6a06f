"""Which records concern a reader: told by their type's header, before anything is parsed."""

from collections.abc import Collection, Sequence

from shared.eventsourcing.walk import Record, Walk
from shared.schemas.envelope import LOG_MARK, Envelope
from shared.schemas.event import Event, EventTypes

_TYPE = "ce_type"


class Concerns:
    """The types of the events that an applier is given, in whatever version they were written.

    What has a type that nobody here knows is given to the reader, which counts it. `events` None: everything is.
    """

    def __init__(self, types: EventTypes, events: Collection[type[Event]] | None) -> None:
        wanted = None if events is None else set(events)
        self._passed = frozenset[str]() if wanted is None else types.names(lambda event: event not in wanted)
        self._passed_headers = {name.encode() for name in (*self._passed, LOG_MARK)} if self._passed else set[bytes]()

    def __call__(self, envelope: Envelope) -> bool:
        return envelope.type not in self._passed

    def any(self, path: Walk) -> bool:
        return any(self(envelope) for _, envelope in path.fresh)

    def may_find(self, records: Sequence[Record]) -> bool:
        """Whether any of them may concern it, as far as the first look tells; everything concerns who wants all."""
        passed = self._passed_headers
        if not passed:
            return True
        return not all(any(name == _TYPE and value in passed for name, value in record.headers) for record in records)

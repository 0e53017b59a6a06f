"""What can go wrong between a command and its events; the HTTP layer gives each a problem document."""

from uuid import UUID


class Conflict(Exception):  # noqa: N818 - the word of the field
    """Somebody else changed a stream first, again and again; nothing was appended."""

    def __init__(self, *streams: str) -> None:
        super().__init__(f"changed meanwhile: {', '.join(streams)}")
        self.streams = streams


class VersionMismatch(Exception):  # noqa: N818 - the word of the field
    """The caller expected another version of the stream (If-Match); nothing was appended."""

    def __init__(self, stream: str, *, expected: int, actual: int) -> None:
        super().__init__(f"{stream} is at version {actual}, not {expected}")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class KeyReused(Exception):  # noqa: N818 - the word of the field
    """An idempotency key came again with another request; nothing was appended."""

    def __init__(self, key: str) -> None:
        super().__init__(f"idempotency key {key!r} was used for another request")
        self.key = key


class NotCaughtUp(Exception):  # noqa: N818 - the word of the field
    """A read model had not reached the caller's position within the limit; ask again."""

    def __init__(self, reader: str, *, partition: int, wanted: int, reached: int) -> None:
        super().__init__(f"{reader} is at {reached} of partition {partition}, not yet at {wanted}")
        self.reader = reader
        self.partition = partition
        self.wanted = wanted
        self.reached = reached


class Superseded(Exception):  # noqa: N818 - the word of the field
    """A read model was built by newer code than this process runs: what this one would write would be wrong."""

    def __init__(self, projection: str, *, running: int, serving: int) -> None:
        super().__init__(
            f"{projection} serves rows of version {serving}, and this process runs version {running}: end it, or go "
            "back with `trellis projections rollback`"
        )


class WaitingFor(Exception):  # noqa: N818 - the word of the field
    """A reaction lacks a fact that will come; the stream is parked as `waiting-for:<fact>` and tried again."""

    def __init__(self, fact: str) -> None:
        super().__init__(fact)
        self.fact = fact


class SubjectErased(Exception):  # noqa: N818 - named for the fact
    """What was decided speaks of somebody who was erased: it can never be stored, however often it is tried."""


class LogForked(Exception):  # noqa: N818 - the word of the field
    """What Kafka holds is not what the event store holds: nothing may be published until a person decides."""

    def __init__(
        self, topic: str, *, partition: int, position: int, published: UUID | None, stored: UUID | None
    ) -> None:
        held = f"event {stored}" if stored else "no such event"
        super().__init__(
            f"log forked: {topic}/{partition} ends at position {position} with event {published}, the event store has "
            f"{held} there. Was the store restored from a backup? `trellis log fork` starts a new log from the store."
        )
        self.topic = topic
        self.partition = partition
        self.position = position


class TopicShrank(Exception):  # noqa: N818 - named for the fact
    """A partition ends before what was sent to it: the topic was emptied; it must be refilled."""


class WrongPartitionCount(Exception):  # noqa: N818 - the word of the field
    """A topic has another number of partitions than the log was started with; the service refuses to start."""

    def __init__(self, topic: str, *, expected: int, actual: int) -> None:
        super().__init__(
            f"topic {topic} has {actual} partitions, the log was started with {expected}: keys would move between "
            "partitions. Create the topic with the migration job; growing means a new topic."
        )
        self.topic = topic

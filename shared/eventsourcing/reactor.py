"""The reactor: what a reader does for a reaction. Loads and decisions first, one append at the end."""

from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing.applier import Committed
from shared.eventsourcing.database import driver
from shared.eventsourcing.decision import Context, Decision
from shared.eventsourcing.errors import Conflict, SubjectErased
from shared.eventsourcing.handler import CommandHandler
from shared.eventsourcing.identifiers import derived
from shared.eventsourcing.line_ids import ids_of, working_on
from shared.eventsourcing.reaction import Reaction
from shared.eventsourcing.recorded import Recorded
from shared.schemas.envelope import Envelope
from shared.schemas.identifiers import SYSTEM

_DONE: Final = text("select key from idempotency_keys where caller = :caller and key = any(:keys)")
_REMEMBER: Final = """insert into idempotency_keys (caller, route, key, request_hash, answer, version, position)
    select $1, route, key, '', '{}', 0, position
      from unnest($2::text[], $3::text[], $4::bigint[]) as r(route, key, position)"""
_FORGO: Final = text(
    "insert into idempotency_keys (caller, route, key, request_hash, answer, version, position) "
    "values (:caller, :route, :key, '', '{}', 0, :position) on conflict do nothing"
)

log = structlog.get_logger(__name__)


class Reactor:
    """Turns events into commands, each event once: also when the log is published or read again from the beginning."""

    largest_slice = 1_000

    def __init__(self, reaction: Reaction, handler: CommandHandler) -> None:
        self.name = reaction.name
        self.topics = reaction.topics
        self.events = reaction.events
        self._react = reaction.react
        self._once_per = reaction.once_per
        self._handler = handler
        self._caller = f"reaction:{reaction.name}"

    async def apply(self, connection: AsyncConnection, events: Sequence[Recorded]) -> Committed | None:
        """React to a slice's events; their commands are appended together, the last statement before the checkpoint.

        An event whose commands speak of somebody who was erased is reacted to by nothing, for good.

        Raises:
            Conflict: a stream moved meanwhile; the whole slice is to be run again.
        """
        done = await self._done(connection, events)
        new = [recorded for recorded in self._last_of_each(events) if str(recorded.envelope.id) not in done]
        decision = Decision(connection, self._handler.load, self._context(events[0]))
        react = await self._react(decision, self._handler.store, new)
        reacted: list[Recorded] = []
        for recorded in new:
            decision.context = self._context(recorded)
            before = decision.decided
            with working_on(decision.context, recorded.stream):  # the cause is the event's id
                await react(decision, recorded)
            if decision.decided > before:
                reacted.append(recorded)
        if not reacted:
            return None
        await self._remember(connection, reacted)
        try:
            outcomes = await self._handler.append(decision)
        except Conflict as conflict:
            self._handler.forget(*conflict.streams)
            raise
        except SubjectErased:
            if len(reacted) > 1:
                raise  # the reader halves the slice until the event is alone
            log.info("reactor.subject_erased", reaction=self.name, stream=reacted[0].stream, **ids_of(decision.context))
            return None
        return lambda: self._handler.remember(decision, outcomes)

    async def forgo(self, connection: AsyncConnection, given_up: Envelope) -> None:
        """An event that a person gave up counts as reacted to, also when the log is read again from the beginning."""
        await connection.execute(
            _FORGO,
            {
                "caller": self._caller,
                "route": given_up.subject,
                "key": str(given_up.id),
                "position": given_up.position,
            },
        )

    def _last_of_each(self, events: Sequence[Recorded]) -> Sequence[Recorded]:
        """Those to react to: all of them, or of each key the last and of what has no key every one."""
        if self._once_per is None:
            return events
        keys = [self._once_per(recorded) for recorded in events]
        last = {key: place for place, key in enumerate(keys)}
        return [events[place] for place, key in enumerate(keys) if key is None or last[key] == place]

    def _context(self, recorded: Recorded) -> Context:
        """Deterministic: the same event gives the same command id and time, whenever it is read."""
        envelope = recorded.envelope
        return Context(
            actor=SYSTEM,
            at=envelope.recorded_at,
            command_id=derived(self.name, envelope.id),
            correlation_id=envelope.correlation_id,
            causation_id=envelope.id,
            traceparent=envelope.traceparent,
        )

    async def _done(self, connection: AsyncConnection, events: Sequence[Recorded]) -> set[str]:
        keys = [str(recorded.envelope.id) for recorded in events]
        return set((await connection.execute(_DONE, {"caller": self._caller, "keys": keys})).scalars())

    async def _remember(self, connection: AsyncConnection, reacted: Sequence[Recorded]) -> None:
        raw = await driver(connection)
        routes, keys = [r.stream for r in reacted], [str(r.envelope.id) for r in reacted]
        await raw.execute(_REMEMBER, self._caller, routes, keys, [r.position for r in reacted])

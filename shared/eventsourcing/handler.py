"""The command handler: load, decide, append; conflicts tried again, answers kept per idempotency key."""

import asyncio
import random
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.eventsourcing import kept_answers
from shared.eventsourcing.append import Append
from shared.eventsourcing.decider import Command, Decider, Rejected
from shared.eventsourcing.decision import Answer, Change, Context, Decision, Loaded, Outcome, Plan, no_answer
from shared.eventsourcing.endings import refusal
from shared.eventsourcing.errors import Conflict, SubjectErased, VersionMismatch
from shared.eventsourcing.group_commit import GroupCommit
from shared.eventsourcing.identifiers import stream_name
from shared.eventsourcing.line_ids import working_on
from shared.eventsourcing.recent_states import RecentStates
from shared.eventsourcing.store import EventStore, Head, KeyTaken
from shared.eventsourcing.tracing import OFF, Tracing

State = TypeVar("State")

ATTEMPTS: Final = 6
"""How often a command is decided afresh after a conflict before the caller is told (409)."""
_CACHED_STREAMS: Final = 10_000
_CROWD: Final = 100
"""Streams of one decision, beyond which no new one is remembered: they would drive out those asked for again."""

_Attempt: TypeAlias = Callable[[int], Awaitable[list[Outcome]]]
"""One round of load, decide, append; which one it is, from 0."""


class CommandHandler:
    """Handles the commands of one service. Acknowledged is stored; refused left nothing behind."""

    def __init__(self, store: EventStore, *, partitions: int, tracing: Tracing = OFF) -> None:
        self.store = store
        self.committed: Callable[[], None] = lambda: None  # called behind each commit that may have appended
        self._tracing = tracing
        self.partitions = partitions
        self.outcomes: Counter[str] = Counter()
        self._group = GroupCommit(store)
        self._cache: OrderedDict[str, Loaded[Any]] = OrderedDict()
        self.recent = RecentStates(store.engine, self.load)

    async def handle(
        self,
        context: Context,
        decider: Decider[State],
        identity: UUID,
        command: Command,
        *,
        answer: Answer = no_answer,
    ) -> Outcome:
        """Decide one command on one stream; its events are appended together with other commands of this process.

        Raises:
            Rejected: a rule forbids it.
            VersionMismatch: the stream is not at `context.expected_version`.
            Conflict: others changed the stream first, `ATTEMPTS` times in a row.
            KeyReused: the idempotency key came with another request before.
        """

        async def attempt(number: int) -> list[Outcome]:
            change = await self._decided(context, decider, identity, command, trust=number == 0)
            return [await self._appended(context, change, answer)]

        return (await self._counted(context, attempt))[0]

    async def handle_together(self, context: Context, plan: Plan, *, answer: Answer = no_answer) -> list[Outcome]:
        """Decide over several streams and append all of it or nothing; the first stream decided is the primary one.

        The primary stream's version is what If-Match speaks of, its outcome comes first, and its answer is kept under
        the idempotency key. A replay of the key gives the primary outcome alone. Raises what `handle` raises.
        """

        async def attempt(number: int) -> list[Outcome]:
            if number == 0 and (replayed := await self._replay(context)) is not None:
                return [replayed]
            return await self._transaction(context, plan, answer)

        return await self._counted(context, attempt)

    async def _counted(self, context: Context, attempt: _Attempt) -> list[Outcome]:
        try:
            with working_on(context):
                outcomes = await self._retried(context, attempt)
        except Exception as error:
            self.outcomes[refusal(error)] += 1
            raise
        self.outcomes["replayed" if outcomes and outcomes[0].replayed else "accepted"] += 1
        return outcomes

    async def _retried(self, context: Context, attempt: _Attempt) -> list[Outcome]:
        """Attempts until one is no conflict; whatever refuses a command may be its own first arrival: that answers."""
        for number in range(ATTEMPTS):
            try:
                return await attempt(number)
            except (KeyTaken, Rejected, VersionMismatch, Conflict, SubjectErased) as refusal:
                if isinstance(refusal, Conflict):
                    self.forget(*refusal.streams)
                if (replayed := await self._replay(context)) is not None:
                    return [replayed]
                if isinstance(refusal, KeyTaken):
                    raise Conflict("idempotency key") from refusal
                if not isinstance(refusal, Conflict) or number == ATTEMPTS - 1:
                    raise
            await asyncio.sleep(random.uniform(0, 0.005 * 2**number))  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    async def _decided(
        self, context: Context, decider: Decider[State], identity: UUID, command: Command, *, trust: bool
    ) -> Change:
        """What the command does to its stream.

        A remembered state is trusted for what it accepts, since the append checks the stream's head; it refuses
        nothing before newer events were asked for. A stream that nothing is remembered of is taken to be new.
        """
        if trust:
            known = self._cache.get(stream_name(decider.category, identity)) or Loaded(decider.initial, 0, 0)
            with suppress(Rejected, VersionMismatch):
                if (change := _decide(context, decider, identity, command, known)).events:
                    return change
        async with self.store.engine.connect() as connection:
            return _decide(context, decider, identity, command, await self.load(connection, decider, identity))

    async def _appended(self, context: Context, change: Change, answer: Answer) -> Outcome:
        stream = stream_name(change.decider.category, change.identity)
        if not change.events:
            outcome = self._outcome(stream, change, None, answer)
            if context.idempotency is not None:
                async with self.store.engine.begin() as connection:
                    await kept_answers.keep(connection, context.idempotency, outcome)
            return outcome
        with self._tracing.span("append"):
            head = await self._group.append(await self._append_of(context, stream, change, answer))
        if head is None:
            raise Conflict(stream)
        outcome = self._outcome(stream, change, head, answer)
        self.committed()
        self._remember(outcome)
        return outcome

    async def _transaction(self, context: Context, plan: Plan, answer: Answer) -> list[Outcome]:
        async with self.store.engine.connect() as connection:
            await connection.execute(text("select 1"))  # begins the transaction that the driver's statements join
            decision = Decision(connection, self.load, context)
            await plan(decision)
            with self._tracing.span("append"):
                outcomes = await self.append(decision, answer)
                await connection.commit()
        self.remember(decision, outcomes)
        return outcomes

    async def append(self, decision: Decision, answer: Answer = no_answer) -> list[Outcome]:
        """Append what was decided, in the decision's own transaction; the caller commits, then calls `remember`.

        Raises:
            Conflict: a stream moved meanwhile; roll back and decide afresh.
            KeyTaken: the idempotency key was stored before; roll back, for this has been done.
        """
        context, changes = decision.context, list(decision.changes.items())
        if changes:
            _expect_version(context, *changes[0])
        await self.store.hold(decision.connection, decision.held)
        appends = [
            await self._append_of(context, stream, change, answer if n == 0 else None)
            for n, (stream, change) in enumerate(changes)
            if change.events
        ]
        heads = await self.store.append(decision.connection, appends) if appends else {}
        if missing := [a.stream for a in appends if a.stream not in heads]:
            key = context.idempotency
            if key is not None and await kept_answers.is_kept(decision.connection, key):
                raise KeyTaken
            raise Conflict(*missing)
        outcomes = [self._outcome(stream, change, heads.get(stream), answer) for stream, change in changes]
        if changes and not changes[0][1].events and context.idempotency is not None:
            await kept_answers.keep(decision.connection, context.idempotency, outcomes[0])
        return outcomes

    async def _append_of(self, context: Context, stream: str, change: Change, answer: Answer | None) -> Append:
        """The append of a change; the primary stream's carries the idempotency key and the answer kept under it.

        What is remembered afterwards is the state as it is read again: no text stays in clear in this process.
        """
        prepared = await self.store.prepare(change.events)
        if any(new.sealed is not None for new in prepared):
            stored = [new.sealed or event for new, (event, _) in zip(prepared, change.events, strict=True)]
            change.state = change.decider.fold(stored, change.before.state)
        key = context.idempotency if answer is not None else None
        return Append(
            stream=stream,
            expected=change.before.version,
            events=prepared,
            key=key,
            answer=kept_answers.encode(stream, self._answer(change, answer)) if key and answer else "{}",
        )

    def _answer(self, change: Change, answer: Answer) -> Mapping[str, Any]:
        return answer(change.identity, change.before.version + len(change.events), change.state)

    def _outcome(self, stream: str, change: Change, head: Head | None, answer: Answer) -> Outcome:
        return Outcome(
            identity=change.identity,
            stream=stream,
            version=head.version if head else change.before.version,
            state=change.state,
            position=head.position if head else change.before.position,
            partitions=self.partitions,
            answer=self._answer(change, answer),
        )

    async def load(self, connection: AsyncConnection, decider: Decider[State], identity: UUID) -> Loaded[State]:
        """The stream's current state: what this process remembers, always completed by reading newer events."""
        stream = stream_name(decider.category, identity)
        known: Loaded[State] = self._cache.get(stream) or Loaded(decider.initial, 0, 0)
        newer = await self.store.read_on(connection, stream, after=known.version) if known.version else None
        if newer is None:
            known, newer = Loaded(decider.initial, 0, 0), await self.store.read(connection, stream)
        if not newer:
            return known
        state = decider.fold([e.event for e in newer], known.state)
        return Loaded(state, newer[-1].version, newer[-1].position)

    async def state_once(self, decider: Decider[State], identity: UUID) -> State:
        """The state that the stream had when this process last saw it; read from the store if it never did.

        For what never changes in a stream once it is there, or what a guard of the context compares before a decision.
        """
        known: Loaded[State] | None = self._cache.get(stream_name(decider.category, identity))
        if known is not None:
            return known.state
        async with self.store.engine.connect() as connection:
            loaded = await self.load(connection, decider, identity)
        if loaded.version:
            self._cache.setdefault(stream_name(decider.category, identity), loaded)
            self._make_room()
        return loaded.state

    def remember(self, decision: Decision, outcomes: Sequence[Outcome]) -> None:
        """Keep the committed states of hot streams; the least recently used are dropped. A crowd of new ones is not."""
        self.committed()
        for outcome in outcomes:
            change = decision.changes.get(outcome.stream)
            if change is None or (len(outcomes) > _CROWD and change.before.version == 0):
                self.forget(outcome.stream)
            elif outcome.version:
                self._remember(outcome)

    def _remember(self, outcome: Outcome) -> None:
        self._cache[outcome.stream] = Loaded(outcome.state, outcome.version, outcome.position)
        self._cache.move_to_end(outcome.stream)
        self.recent.forget(outcome.stream)
        self._make_room()

    def _make_room(self) -> None:
        while len(self._cache) > _CACHED_STREAMS:
            self._cache.popitem(last=False)

    def forget(self, *streams: str) -> None:
        """Drop what is remembered of these streams."""
        for stream in streams:
            self._cache.pop(stream, None)
            self.recent.forget(stream)

    async def _replay(self, context: Context) -> Outcome | None:
        """The outcome that was kept under the context's idempotency key, if there is one."""
        key = context.idempotency
        return None if key is None else await kept_answers.find(self.store.engine, key, partitions=self.partitions)


def _decide(
    context: Context, decider: Decider[State], identity: UUID, command: Command, loaded: Loaded[State]
) -> Change:
    stream = stream_name(decider.category, identity)
    context.guard(stream, loaded.state)  # first: who may not know of the stream is not told its version
    _expect_version(context, stream, change := Change(decider, identity, loaded, None))
    events = decider.decide(loaded.state, command)
    change.state = decider.fold(events, loaded.state)
    metadata = context.metadata
    change.events.extend((event, metadata) for event in events)
    return change


def _expect_version(context: Context, stream: str, change: Change) -> None:
    actual = change.before.version
    if context.expected_version not in (None, actual):
        raise VersionMismatch(stream, expected=context.expected_version or 0, actual=actual)

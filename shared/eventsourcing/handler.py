"""The command handler: load, decide, append; conflicts tried again, answers kept per idempotency key."""

import asyncio
import json
import random
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.contextvars import bound_contextvars

from shared.eventsourcing.database import driver
from shared.eventsourcing.decider import Command, Decider, Rejected
from shared.eventsourcing.decision import Answer, Change, Context, Decision, Loaded, Outcome, Plan, no_answer
from shared.eventsourcing.errors import Conflict, KeyReused, VersionMismatch
from shared.eventsourcing.identifiers import stream_name
from shared.eventsourcing.line_ids import ids_of
from shared.eventsourcing.partitioning import partition_of
from shared.eventsourcing.store import Append, EventStore, Head, Key, KeyTaken

State = TypeVar("State")

ATTEMPTS: Final = 6
"""How often a command is decided afresh after a conflict before the caller is told (409)."""
_CACHED_STREAMS: Final = 10_000
_KEPT: Final = """select request_hash, answer, version, position from idempotency_keys
                   where caller = $1 and route = $2 and key = $3"""


OUTCOMES: Final = ("accepted", "replayed", "rejected", "version-mismatch", "conflict", "key-reused", "failed")
"""How a command may end; `failed`: what nobody foresaw, such as a database that is down."""


class CommandHandler:
    """Handles the commands of one service. Acknowledged is stored; refused left nothing behind."""

    def __init__(self, store: EventStore, *, partitions: int) -> None:
        self.store = store
        self.partitions = partitions
        self.outcomes: Counter[str] = Counter()
        self._cache: OrderedDict[str, Loaded[Any]] = OrderedDict()

    async def handle(
        self,
        context: Context,
        decider: Decider[State],
        identity: UUID,
        command: Command,
        *,
        answer: Answer = no_answer,
    ) -> Outcome:
        """Decide one command on one stream and append its events.

        Raises:
            Rejected: a rule forbids it.
            VersionMismatch: the stream is not at `context.expected_version`.
            Conflict: others changed the stream first, `ATTEMPTS` times in a row.
            KeyReused: the idempotency key came with another request before.
        """

        async def plan(decision: Decision) -> None:
            await decision.decide(decider, identity, command)

        return (await self._counted(context, plan, answer, one_statement=True))[0]

    async def handle_together(self, context: Context, plan: Plan, *, answer: Answer = no_answer) -> list[Outcome]:
        """Decide over several streams and append all of it or nothing; the first stream decided is the primary one.

        The primary stream's version is what If-Match speaks of, its outcome comes first, and its answer is kept under
        the idempotency key. A replay of the key gives the primary outcome alone. Raises what `handle` raises.
        """
        return await self._counted(context, plan, answer, one_statement=False)

    async def _counted(self, context: Context, plan: Plan, answer: Answer, *, one_statement: bool) -> list[Outcome]:
        try:
            with bound_contextvars(**ids_of(context)):
                outcomes = await self._retried(context, plan, answer, one_statement=one_statement)
        except Exception as error:
            self.outcomes[_refusal(error)] += 1
            raise
        self.outcomes["replayed" if outcomes and outcomes[0].replayed else "accepted"] += 1
        return outcomes

    async def _retried(self, context: Context, plan: Plan, answer: Answer, *, one_statement: bool) -> list[Outcome]:
        if (replayed := await self._replay(context)) is not None:
            return [replayed]
        for attempt in range(ATTEMPTS):
            try:
                return await self._attempt(context, plan, answer, one_statement=one_statement)
            except KeyTaken:
                break
            except (Rejected, VersionMismatch):
                if (replayed := await self._replay(context)) is not None:
                    return [replayed]
                raise
            except Conflict as conflict:
                self.forget(*conflict.streams)
                if attempt == ATTEMPTS - 1:
                    raise
                await asyncio.sleep(random.uniform(0, 0.005 * 2**attempt))  # noqa: S311 - jitter, not a secret
        replayed = await self._replay(context)
        if replayed is None:
            raise Conflict("idempotency key")
        return [replayed]

    async def _attempt(self, context: Context, plan: Plan, answer: Answer, *, one_statement: bool) -> list[Outcome]:
        """One round of load, decide, append. The append of one stream is one statement and needs no transaction."""
        async with self.store.engine.connect() as connection:
            if not one_statement:
                await connection.execute(text("select 1"))  # begins the transaction that the driver's statements join
            decision = Decision(connection, self.load, context)
            await plan(decision)
            outcomes = await self.append(decision, answer)
            await connection.commit()
        self.remember(decision, outcomes)
        return outcomes

    async def append(self, decision: Decision, answer: Answer = no_answer) -> list[Outcome]:
        """Append what was decided, in the decision's own transaction; the caller commits, then calls `remember`.

        Raises:
            Conflict: a stream moved meanwhile; roll back and decide afresh.
        """
        context, changes = decision.context, list(decision.changes.items())
        if changes and context.expected_version not in (None, changes[0][1].before.version):
            stream, change = changes[0]
            raise VersionMismatch(stream, expected=context.expected_version or 0, actual=change.before.version)
        await self.store.hold(decision.connection, decision.held)
        appends = [
            Append(
                stream=stream,
                expected=change.before.version,
                events=await self.store.prepare(change.events),
                key=context.idempotency if n == 0 else None,
                answer=_kept(stream, self._answer(change, answer)) if n == 0 else "{}",
            )
            for n, (stream, change) in enumerate(changes)
            if change.events
        ]
        heads = await self.store.append(decision.connection, appends) if appends else {}
        if missing := [a.stream for a in appends if a.stream not in heads]:
            raise Conflict(*missing)
        outcomes = [self._outcome(stream, change, heads.get(stream), answer) for stream, change in changes]
        if changes and not changes[0][1].events and context.idempotency is not None:
            await self._keep_key(decision.connection, context.idempotency, outcomes[0])
        return outcomes

    def _answer(self, change: Change, answer: Answer) -> Mapping[str, Any]:
        return answer(change.identity, change.before.version + len(change.events), change.state)

    def _outcome(self, stream: str, change: Change, head: Head | None, answer: Answer) -> Outcome:
        return Outcome(
            identity=change.identity,
            stream=stream,
            version=head.version if head else change.before.version,
            state=change.state,
            position=head.position if head else change.before.position,
            partition=partition_of(stream, self.partitions),
            answer=self._answer(change, answer),
        )

    async def load(self, connection: AsyncConnection, decider: Decider[State], identity: UUID) -> Loaded[State]:
        """The stream's current state: what this process remembers, always completed by reading newer events."""
        stream = stream_name(decider.category, identity)
        known: Loaded[State] = self._cache.get(stream) or Loaded(decider.initial, 0, 0)
        newer = await self.store.read(connection, stream, after=known.version)
        if not newer:
            return known
        state = decider.fold([e.event for e in newer], known.state)
        return Loaded(state, newer[-1].version, newer[-1].position)

    def remember(self, decision: Decision, outcomes: Sequence[Outcome]) -> None:
        """Keep the committed states of hot streams; the least recently used are dropped."""
        for outcome in outcomes:
            if outcome.version and outcome.stream in decision.changes:
                self._cache[outcome.stream] = Loaded(outcome.state, outcome.version, outcome.position)
                self._cache.move_to_end(outcome.stream)
        while len(self._cache) > _CACHED_STREAMS:
            self._cache.popitem(last=False)

    def forget(self, *streams: str) -> None:
        """Drop what is remembered of these streams."""
        for stream in streams:
            self._cache.pop(stream, None)

    async def _keep_key(self, connection: AsyncConnection, key: Key, outcome: Outcome) -> None:
        """Keep an accepted answer although nothing was appended."""
        kept = await connection.execute(
            text(
                "insert into idempotency_keys (caller, route, key, request_hash, answer, version, position) values "
                "(:caller, :route, :key, :request_hash, :answer, :version, :position) on conflict do nothing"
            ),
            {
                "caller": key.caller,
                "route": key.route,
                "key": key.key,
                "request_hash": key.request_hash,
                "answer": _kept(outcome.stream, outcome.answer),
                "version": outcome.version,
                "position": outcome.position,
            },
        )
        if kept.rowcount == 0:
            raise KeyTaken

    async def _replay(self, context: Context) -> Outcome | None:
        """The outcome that was kept under the context's idempotency key, if there is one."""
        key = context.idempotency
        if key is None:
            return None
        async with self.store.engine.connect() as connection:
            row = await (await driver(connection)).fetchrow(_KEPT, key.caller, key.route, key.key)
        if row is None:
            return None
        if row["request_hash"] != key.request_hash:
            raise KeyReused(key.key)
        kept = json.loads(row["answer"])
        return Outcome(
            identity=UUID(kept["stream"].split("-", 1)[1]),
            stream=kept["stream"],
            version=row["version"],
            state=None,
            position=row["position"],
            partition=partition_of(kept["stream"], self.partitions),
            answer=kept["body"],
            replayed=True,
        )


def _kept(stream: str, body: Mapping[str, Any]) -> str:
    return json.dumps({"stream": stream, "body": body}, default=str)


def _refusal(error: Exception) -> str:
    match error:
        case Rejected():
            return "rejected"
        case VersionMismatch():
            return "version-mismatch"
        case Conflict():
            return "conflict"
        case KeyReused():
            return "key-reused"
        case _:
            return "failed"

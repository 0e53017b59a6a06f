"""Dead letters over HTTP, the same in every service: what is parked and why, retry, discard, and who did what."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import Field

from shared.eventsourcing import dead_letter_lists
from shared.eventsourcing.dead_letter_lists import Act
from shared.eventsourcing.repair import CannotBeReplayed, FailsAgain, NoDeadLetter, Repair, Replayed
from shared.runtime.authorization import ADMINISTER, ADMINISTRATION, needs
from shared.runtime.dead_letter_answers import (
    LONGEST_NAME,
    DiscardAnswer,
    DiscardRequest,
    ParkedDetail,
    ParkedItem,
    RetryAnswer,
    RetryRequest,
    Shown,
)
from shared.runtime.http import AtEdge
from shared.runtime.pagination import AskedPage, Page
from shared.runtime.problems import Problem, not_found, problem
from shared.runtime.service import Runtime

_LARGEST_ID: Final = 2**63 - 1

Identity = Annotated[int, Path(ge=1, le=_LARGEST_ID, description="The dead letter's id, as the list shows it.")]
_Key = Annotated[int, Field(ge=0, le=_LARGEST_ID)]
Asked = Annotated[str | None, Query(max_length=LONGEST_NAME, pattern=r"^[^\x00]*$")]


def dead_letter_routes(runtime: Runtime) -> APIRouter:
    """The routes under `/<service>/v1/admin/dead-letters`, for those who may administer."""
    routes = APIRouter(prefix="/dead-letters")
    _add_lists(routes, runtime)
    _add_acts(routes, runtime)
    return routes


def _add_lists(routes: APIRouter, runtime: Runtime) -> None:
    engine, shown = runtime.engine, Shown(runtime)

    @routes.get("", summary="What is parked, one line a stream")
    @needs("administration", ADMINISTER)
    async def list_dead_letters(
        edge: AtEdge,
        page: AskedPage,
        reader: Asked = None,
        stream: Asked = None,
    ) -> Page[ParkedItem]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        (after,) = page.after(tuple[_Key]) or (0,)
        found = await dead_letter_lists.parked_streams(
            engine, reader=reader, stream=stream, after=after, limit=page.limit + 1
        )
        return page.of(found, key=lambda one: (one.record.id,), item=shown.item)

    @routes.get("/acts", summary="What was retried and discarded, by whom and why; the latest first")
    @needs("administration", ADMINISTER)
    async def list_dead_letter_acts(edge: AtEdge, page: AskedPage) -> Page[Act]:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        (before,) = page.after(tuple[_Key]) or (_LARGEST_ID,)
        found = await dead_letter_lists.acts(engine, before=before, limit=page.limit + 1)
        return page.of(found, key=lambda one: (one.id,), item=lambda one: one)

    @routes.get("/{identity}", summary="One parked record whole, with its cause")
    @needs("administration", ADMINISTER)
    async def show_dead_letter(identity: Identity, edge: AtEdge) -> ParkedDetail:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        found = await dead_letter_lists.parked_record(engine, identity)
        if found is None:
            raise not_found("dead letter", identity)
        return shown.detail(*found)


def _add_acts(routes: APIRouter, runtime: Runtime) -> None:
    shown = Shown(runtime)
    repair = Repair(runtime.engine, runtime.readers(), shown.feeds, cap=runtime.settings.dead_letter_cap)

    @routes.post("/retry", summary="Replay a parked stream, for each reader all of it or nothing")
    @needs("administration", ADMINISTER)
    async def retry_stream(body: RetryRequest, edge: AtEdge) -> RetryAnswer:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        readers = [body.reader] if body.reader else await repair.readers_of(body.stream)
        if not readers:
            raise not_found("dead letter of stream", body.stream)
        done: list[Replayed] = []
        for reader in readers:
            with _refused(done):
                done.append(await repair.retry_stream(reader, body.stream, actor=edge.caller.person))
        return RetryAnswer(items=done)

    @routes.post("/{identity}/retry", summary="Replay the stream that this record holds up, all of it or nothing")
    @needs("administration", ADMINISTER)
    async def retry_dead_letter(identity: Identity, edge: AtEdge) -> RetryAnswer:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        with _refused():
            return RetryAnswer(items=[await repair.retry(identity, actor=edge.caller.person)])

    @routes.post("/{identity}/discard", summary="Give a record up; the answer says what that means")
    @needs("administration", ADMINISTER)
    async def discard_dead_letter(identity: Identity, body: DiscardRequest, edge: AtEdge) -> DiscardAnswer:
        ADMINISTRATION.require(ADMINISTER, edge.caller)
        with _refused():
            return shown.discarded(await repair.discard(identity, reason=body.reason, actor=edge.caller.person))


@contextmanager
def _refused(done: Sequence[Replayed] = ()) -> Generator[None]:
    """Answer what cannot be done with its problem; `done` is what other readers have done before."""
    try:
        yield
    except (NoDeadLetter, CannotBeReplayed, FailsAgain) as error:
        raise _refusal(error, done) from error


def _refusal(error: NoDeadLetter | CannotBeReplayed | FailsAgain, done: Sequence[Replayed]) -> Problem:
    applied = [asdict(replayed) for replayed in done]
    match error:
        case NoDeadLetter():
            return not_found(str(error))
        case CannotBeReplayed():
            values = {"applied": applied}
            return problem(
                "cannot-be-replayed", status=409, title="It cannot be replayed", detail=str(error), values=values
            )
        case FailsAgain(parked=parked, cause=cause):
            values = {
                "dead_letter": parked.id,
                "reader": parked.reader,
                "stream": parked.stream,
                "error": cause.error,
                "message": cause.message,
                "applied": applied,
            }
            detail = f"Nothing of the stream was applied by {parked.reader}: {error}"
            return problem("fails-again", status=409, title="It fails again", detail=detail, values=values)

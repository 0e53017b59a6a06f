"""`python -m benchmarks.bare_api PORT DSN JWKS_URL CONNECTIONS`: what FastAPI does by itself, as a limit to measure by.

The route takes the same body, checks the same token in the same way and answers with the same model; it decides
nothing. `/inserting` stores one event's bytes besides: one INSERT into a table that has its key alone, one commit.
"""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from launcher.issuer.name import AUDIENCE, ISSUER
from services.goals.domain.goal_progress import RecordProgressBody
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.authentication import Authenticator, IssuerKeys
from shared.runtime.event_loops import event_loop
from shared.runtime.http import CommandAnswer
from shared.schemas.identifiers import GoalId

TABLE: Final = """create table bare_events (
    position bigint generated always as identity primary key, stream text not null, version integer not null,
    event_id uuid not null, type text not null, data text not null, metadata text not null,
    recorded_at timestamptz not null default now())"""
_INSERT: Final = (
    "insert into bare_events (stream, version, event_id, type, data, metadata) values ($1, $2, $3, $4, $5, $6)"
)
_TYPE: Final = "trellis.goals.GoalProgressRecorded.v1"
_DATA: Final = (
    '{"value":"12345","raw_progress":"12345","progress":"100","regressed":false,'
    '"measured_at":"2026-03-02T09:00:00.123456Z","source":"manual"}'
)
_METADATA: Final = (
    '{"occurred_at":"2026-03-02T09:00:00.123456+00:00","actor":"0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",'
    '"command_id":"0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b","correlation_id":"0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"}'
)
"""Of the same size as ours, written beforehand: what the bare handler need not do is in its favour."""


def routes(authenticator: Authenticator, pool: list[Any]) -> APIRouter:
    """The bare command, without and with an insert; `pool` holds asyncpg's once the application runs."""
    router = APIRouter()

    @router.post("/bare/goals/{goal}/progress")
    async def bare(goal: GoalId, body: RecordProgressBody, request: Request) -> CommandAnswer:
        await authenticator.caller(request.headers.get("Authorization"))
        return _answer(goal, body)

    @router.post("/inserting/goals/{goal}/progress")
    async def inserting(goal: GoalId, body: RecordProgressBody, request: Request) -> CommandAnswer:
        await authenticator.caller(request.headers.get("Authorization"))
        await pool[0].execute(_INSERT, f"goal-{goal}", 2, uuid7(), _TYPE, _DATA, _METADATA)
        return _answer(goal, body)

    return router


def _answer(goal: GoalId, body: RecordProgressBody) -> CommandAnswer:
    return CommandAnswer(id=goal, version=int(body.value), state="active", allowed_actions=["record-progress"])


def main(port: int, dsn: str, jwks_url: str, connections: int) -> None:
    pool: list[Any] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        async with asyncpg.create_pool(dsn, min_size=connections, max_size=connections) as made:
            pool.append(made)
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(routes(Authenticator(issuer=ISSUER, audience=AUDIENCE, keys=IssuerKeys(jwks_url)), pool))

    @app.get("/health/ready")
    async def ready() -> Response:
        return Response()

    uvicorn.run(app, port=port, log_config=None, access_log=False, loop=event_loop())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))

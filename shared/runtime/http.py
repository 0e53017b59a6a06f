"""The edge: what a route takes from a request's headers into the command, and gives back in its answer's."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from shared.eventsourcing.append import Key
from shared.eventsourcing.handler import Answer, Context, Outcome
from shared.eventsourcing.identifiers import uuid7
from shared.runtime.authorization import action_of
from shared.runtime.caller import Caller
from shared.runtime.problems import FieldError, Problem, invalid, shown
from shared.schemas.partitions import PARTITIONS

_ETAG: Final = re.compile(r'"([0-9]{1,9})"')
_TOKEN: Final = re.compile(r"([0-9]{1,5})-([0-9]{1,18})")
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")

IF_MATCH: Final = "If-Match"
IDEMPOTENCY_KEY: Final = "Idempotency-Key"
CONSISTENCY: Final = "Consistency-Token"
OF_COMMANDS: Final = {
    IF_MATCH: 'The version to change, as `"3"`; another is a 412.',
    IDEMPOTENCY_KEY: "Up to 200 characters; the same request sent again gets the same answer.",
}
"""Headers that a command may have, and what they mean."""
OF_QUERIES: Final = {
    CONSISTENCY: "From a command's answer: the query waits until it sees that command.",
}

State = TypeVar("State")


class CommandAnswer(BaseModel):
    """An accepted command: where the thing stands now. The whole of it: GET, with the answer's Consistency-Token."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
                    "version": 2,
                    "state": "active",
                    "allowed_actions": ["record-progress", "cancel"],
                }
            ]
        }
    )

    id: UUID
    version: int = Field(description="Also the ETag; give it as If-Match to change exactly this version.")
    state: str = Field(description="Where it stands in its life cycle.")
    allowed_actions: list[str] = Field(description="What the caller may do with it now.")


@dataclass(frozen=True, slots=True)
class Edge:
    """Who asks, when, and under which conditions; and the answer's headers."""

    caller: Caller
    now: datetime
    context: Context
    consistency: Mapping[int, int]
    """From the Consistency-Token of a query: for each partition the position that the read model must have reached."""
    response: Response
    action: str
    """What the route declares that the caller does here."""

    def describe(self, allowed_actions: Callable[[State], Sequence[str]]) -> Answer:
        """The answer to a command, as the handler keeps it: the state's name and what the caller may do in it."""

        def answer(identity: UUID, version: int, state: Any) -> Mapping[str, Any]:
            return {
                "id": str(identity),
                "version": version,
                "state": life_cycle(state),
                "allowed_actions": list(allowed_actions(state)),
            }

        return answer

    def accepted(self, outcome: Outcome, *, location: str | None = None) -> CommandAnswer:
        """Answer an outcome whose answer `describe` made, with ETag, Consistency-Token and, if given, Location."""
        self.response.headers["ETag"] = f'"{outcome.version}"'
        self.response.headers["Consistency-Token"] = f"{outcome.partition}-{outcome.position}"
        if location is not None:
            self.response.headers["Location"] = location
        return CommandAnswer.model_validate(outcome.answer)


def life_cycle(state: object) -> str:
    """A state's name as clients see it: the case's class name in kebab-case."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(state).__name__).lower()


async def edge_of(request: Request, response: Response) -> Edge:
    """The edge of this request."""
    return await edge_under(None, request, response)


async def edge_under(policy_version: str | None, request: Request, response: Response) -> Edge:
    """The edge of a request that is decided under this version of a policy.

    It reads the headers itself: a parameter of the framework's each would cost 30 us a request.
    """
    _refuse_unknown_parameters(request)
    if_match = request.headers.get(IF_MATCH)
    caller: Caller = request.state.caller
    at: datetime = request.app.state.clock()
    context = Context(
        actor=caller.person,
        at=at,
        command_id=uuid7(),
        correlation_id=request.state.correlation_id,
        policy_version=policy_version,
        traceparent=request.state.traceparent,
        expected_version=_version(if_match),
        idempotency=await _idempotency(request, caller, request.headers.get(IDEMPOTENCY_KEY), if_match),
    )
    positions = _positions(request.headers.get(CONSISTENCY))
    return Edge(caller, at, context, positions, response, action_of(request.scope["route"].endpoint))


AtEdge = Annotated[Edge, Depends(edge_of)]
"""A route's parameter: the edge of this request."""


def _refuse_unknown_parameters(request: Request) -> None:
    """A misspelt filter would else be answered as if nothing had been asked for.

    Raises:
        Problem: 422, naming each parameter that the route does not have.
    """
    if not request.scope["query_string"]:
        return
    route: APIRoute = request.scope["route"]
    known = set(_named_in(route.dependant))
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        message = f"is no parameter here; there are: {', '.join(sorted(known)) or 'none'}"
        raise invalid([FieldError(field=shown(name), message=message) for name in unknown])


def _named_in(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for further in dependant.dependencies:
        yield from _named_in(further)


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    if (found := _ETAG.fullmatch(if_match.strip())) is None:
        raise _malformed("If-Match", if_match, 'must be one version in quotes, such as "3"')
    return int(found[1])


def _positions(tokens: str | None) -> dict[int, int]:
    """Per partition the highest position of one or more tokens, separated by commas."""
    reached: dict[int, int] = {}
    for token in (tokens or "").split(",") if tokens else ():
        if (found := _TOKEN.fullmatch(token.strip())) is None:
            raise _malformed(
                "Consistency-Token", token, "must be <partition>-<position>, as a command's answer gave it"
            )
        partition, position = int(found[1]), int(found[2])
        if partition >= PARTITIONS:
            raise _malformed("Consistency-Token", token, f"must name a partition from 0 to {PARTITIONS - 1}")
        reached[partition] = max(position, reached.get(partition, 0))
    return reached


async def _idempotency(request: Request, caller: Caller, key: str | None, if_match: str | None) -> Key | None:
    if key is None:
        return None
    if _IDEMPOTENCY_KEY.fullmatch(key) is None:
        raise _malformed("Idempotency-Key", key, "must be 1 to 200 visible ASCII characters")
    route = f"{request.method} {request.scope['route'].path}"
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    body = await request.body()
    hashed = hashlib.sha256("\n".join((request.method, asked, if_match or "", "")).encode() + body).digest()
    return Key(caller=str(caller.person), route=route, key=key, request_hash=hashed)


def _malformed(header: str, value: str, message: str) -> Problem:
    return invalid([FieldError(field=header, value=shown(value), message=message)])

"""How each route is asked: for which thing, with which body. A route that is new is asked with its own example."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from fastapi import FastAPI

from shared.runtime.api import declared_routes
from shared.runtime.authorization import Needed, Relation, needed
from tests.integration.services.goals.access.company import OWNER, Asking, Company, Thing
from tests.integration.services.marked import Marks, operations, valid

_EXAMPLE_OWNER: Final = "0199a1b2-0000-7000-8000-000000000103"
TO_BE_SET: Final = "to be set"
QUERIES: Final[Mapping[str, Mapping[str, str]]] = {"GET /goals/v1/plans": {"owner": str(OWNER)}}
"""Routes that are asked with a query."""
FILTERED: Final = frozenset({"GET /goals/v1/goals", "GET /goals/v1/reports/teams", "GET /goals/v1/assignments"})
BEGUN: Final = "POST /goals/v1/assignments"
"""What is begun is theirs who asks for it."""
"""Lists of things that the reader may see: everybody is answered, each with their own."""
EACH_FOR_ITSELF: Final = frozenset({"POST /goals/v1/kpis/measurements", "POST /goals/v1/kpis/measurements/csv"})
"""Everybody is answered; who may is said line by line, which `test_kpis_over_http` asks."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request that changes nothing: a command is sent for a version that no stream has (412, once it is allowed)."""

    route: str
    needed: Needed
    path: str
    thing: Thing
    body: Any = None

    @property
    def is_query(self) -> bool:
        return self.route.startswith("GET ")

    def relation_of(self, asking: Asking) -> Relation | None:
        """Nobody works yet on what is still to be set."""
        if self.route == BEGUN:
            return Relation.SELF
        contributes = asking.relation is Relation.CONTRIBUTOR
        return None if contributes and self.thing.state == TO_BE_SET else asking.relation

    def __str__(self) -> str:
        return f"{self.route} ({', '.join(filter(None, (self.thing.variant, self.thing.state)))})"


def questions(company: Company) -> list[Question]:
    """Every route of the service, asked for every thing that it is about."""
    app = company.service.app
    examples = _examples(app)
    return [
        question
        for route, endpoint in declared_routes(app).items()
        for question in _about(route, endpoint, examples[route], company.things)
    ]


def _about(
    route: str, endpoint: Callable[..., Any], examples: Sequence[Any], things: Sequence[Thing]
) -> Iterator[Question]:
    what, path = needed(endpoint), route.partition(" ")[2].removeprefix("/goals/v1")
    assert what is not None, route
    names = set(re.findall(r"{(\w+)}", path))
    fitting = [thing for thing in things if thing.kind == what.thing and names <= thing.path.keys()]
    assert fitting, f"{route}: company.py makes no {what.thing} with {names}, so that nobody can ask for one"
    for thing in fitting if names else fitting[:1]:
        for body in examples[:1] if names else examples:
            asked = _named_by(body, thing) if what.thing == "goal" and not names else thing
            yield Question(route, what, path.format(**thing.path), asked, body)


def _named_by(body: Any, thing: Thing) -> Thing:
    """A goal that is still to be set: of the level that the body names."""
    return replace(thing, variant=f"{body['level']}, as usual", state=TO_BE_SET) if body else thing


def _owned(bodies: str, path: str) -> str:
    """What is new is the owner's; for the rest somebody unknown will do, of whom those who may not are not told."""
    return bodies if "{" in path else bodies.replace(_EXAMPLE_OWNER, str(OWNER))


def _examples(app: FastAPI) -> dict[str, list[Any]]:
    """The bodies that the OpenAPI document shows for a route, else one that keeps its schema."""
    found: dict[str, list[Any]] = {}
    for operation in operations(app.openapi()):
        content = operation.said.get("requestBody", {}).get("content", {}).get("application/json", {})
        shown = [example["value"] for example in content.get("examples", {}).values()]
        bodies = shown or [valid(operation, Marks(), {})]
        found[f"{operation.method} {operation.path}"] = json.loads(_owned(json.dumps(bodies), operation.path))
    return found

"""A service's HTTP application: its routers behind the gate, health, and an OpenAPI document that tells the truth."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import MappingProxyType
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.runtime import failures
from shared.runtime.authentication import Authenticator
from shared.runtime.authorization import AccessTable, refuse_undeclared
from shared.runtime.clock import Clock, now
from shared.runtime.gate import Gate
from shared.runtime.http import OF_COMMANDS, OF_QUERIES
from shared.runtime.problems import MEDIA_TYPE, ProblemDocument
from shared.runtime.request_times import OPEN

LARGEST_BODY: Final = 1_048_576
_ADMINISTRATION: Final = "administration"
_SCHEME: Final = "HTTPBearer"

Ready = Callable[[], Awaitable[Sequence[str]]]
"""What keeps the service from answering, each as a short reason; nothing: it is ready."""
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def _no_lifespan(_app: FastAPI) -> AsyncGenerator[None]:
    yield


def create_api(
    *,
    title: str,
    description: str,
    base_path: str,
    routers: Sequence[APIRouter],
    access: AccessTable,
    authenticator: Authenticator,
    ready: Ready,
    lifespan: Lifespan = _no_lifespan,
    clock: Clock = now,
    largest_body: int = LARGEST_BODY,
    large_bodies: Mapping[str, int] = MappingProxyType({}),
    open_routes: Sequence[Route] = (),
    discreet: failures.Discreet = failures.tell_all,
) -> FastAPI:
    """The application of one service under its base path, such as `/goals/v1`; `large_bodies` are of paths below it.

    /health/live and /health/ready answer anybody, and so do `open_routes`; all else needs a token, the OpenAPI document
    at `<base_path>/openapi.json` too.

    Raises:
        NotInTheTable: a route's action is not in the access table.
    """
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        openapi_url=f"{base_path}/openapi.json",
        docs_url=None,  # the page would load scripts from elsewhere
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours are the edge's: `TimedRequests`
        lifespan=lifespan,
        generate_unique_id_function=_operation_name,
        separate_input_output_schemas=False,
    )
    app.state.clock = clock
    app.state.open = frozenset({route.path for route in open_routes})
    for router in routers:
        app.include_router(router, prefix=base_path)
    refuse_undeclared(access, declared_routes(app))
    app.router.routes.extend([*_health(ready), *open_routes])
    failures.install(app, discreet)
    larger = {f"{base_path}{path}": size for path, size in large_bodies.items()}
    app.add_middleware(
        Gate, authenticator=authenticator, largest_body=largest_body, large_bodies=larger, is_open=_is_open(open_routes)
    )
    _describe(app)
    return app


def declared_routes(app: FastAPI) -> dict[str, Callable[..., Any]]:
    """Every route that needs a caller with rights, as `POST /goals/v1/goals`, and the function that answers it."""
    routes: dict[str, Callable[..., Any]] = {}
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            routes |= {f"{method} {context.path}": route.endpoint for method in sorted(route.methods or ())}
        elif context.path not in (app.openapi_url, *OPEN, *app.state.open):
            routes[f"{type(route).__name__} {context.path}"] = type(route)
    return routes


def _is_open(routes: Sequence[Route]) -> Callable[[str], bool]:
    """Whether the path needs no token."""
    return lambda path: path in OPEN or any(route.path_regex.match(path) for route in routes)


def _operation_name(route: APIRoute) -> str:
    return route.name


def _health(ready: Ready) -> list[Route]:
    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def is_ready(_request: Request) -> Response:
        reasons = list(await ready())
        return JSONResponse(
            {"status": "not-ready" if reasons else "ready", "reasons": reasons}, status_code=503 if reasons else 200
        )

    return [Route("/health/live", live), Route("/health/ready", is_ready)]


def _describe(app: FastAPI) -> None:
    """Document the token, the headers that the edge reads, and every refusal as a problem document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            _, definitions = models_json_schema(
                [(ProblemDocument, "serialization")], ref_template="#/components/schemas/{model}"
            )
            schemas.update(definitions["$defs"])
            content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
            refusal = {"description": "Refused; the problem document says why.", "content": content}
            document["components"]["responses"] = {"Problem": refusal}
            document["servers"] = [{"url": "/", "description": "Where the service is reached."}]
            document["tags"] = [{"name": name} for name in _tags(document)]
            _restore_examples(app, document)
            document["components"]["securitySchemes"] = {
                _SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            }
            for operations in document["paths"].values():
                for method, operation in operations.items():
                    operation["security"] = [{_SCHEME: []}]
                    if _ADMINISTRATION not in operation.get("tags", ()):  # what runs is looked at and steered as it is
                        _name_headers(operation, OF_QUERIES if method == "get" else OF_COMMANDS)
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi


def _tags(document: Mapping[str, Any]) -> Iterable[str]:
    """In the order of their routes."""
    operations = (operation for path in document["paths"].values() for operation in path.values())
    return dict.fromkeys(tag for operation in operations for tag in operation.get("tags", ()))


def _restore_examples(app: FastAPI, document: Mapping[str, Any]) -> None:
    """The framework leaves out whatever is null, in examples too, where it says something."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or route.body_field is None or not route.include_in_schema:
            continue
        examples = getattr(route.body_field.field_info, "openapi_examples", None)
        for method in (route.methods or ()) if examples else ():
            body = document["paths"][context.path][method.lower()]["requestBody"]
            body["content"]["application/json"]["examples"] = examples


def _name_headers(operation: dict[str, Any], headers: Mapping[str, str]) -> None:
    """Name the conditions under which a command is accepted or a query answered."""
    schema = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    operation.setdefault("parameters", []).extend(
        {
            "name": name,
            "in": "header",
            "required": False,
            "schema": {**schema, "description": description, "title": name},
            "description": description,
        }
        for name, description in headers.items()
    )

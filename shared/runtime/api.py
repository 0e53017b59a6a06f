"""A service's HTTP application: its routers behind the gate, health, and an OpenAPI document that tells the truth."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.runtime import failures
from shared.runtime.authentication import Authenticator
from shared.runtime.clock import Clock, now
from shared.runtime.gate import Gate
from shared.runtime.problems import MEDIA_TYPE, ProblemDocument

LARGEST_BODY: Final = 1_048_576

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
    authenticator: Authenticator,
    ready: Ready,
    lifespan: Lifespan = _no_lifespan,
    clock: Clock = now,
    largest_body: int = LARGEST_BODY,
) -> FastAPI:
    """The application of one service under its base path, such as `/goals/v1`.

    /health/live and /health/ready answer anybody; all else needs a token, the OpenAPI document at
    `<base_path>/openapi.json` too.
    """
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        openapi_url=f"{base_path}/openapi.json",
        docs_url=None,  # the page would load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        dependencies=[Depends(HTTPBearer(auto_error=False, bearerFormat="JWT"))],  # says so in the document; see Gate
        generate_unique_id_function=_operation_name,
        separate_input_output_schemas=False,
    )
    app.state.clock = clock
    for router in routers:
        app.include_router(router, prefix=base_path)
    app.router.routes.extend(_health(ready))
    failures.install(app)
    app.add_middleware(Gate, authenticator=authenticator, largest_body=largest_body)
    _describe_problems(app)
    return app


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


def _describe_problems(app: FastAPI) -> None:
    """Document every refusal as a problem document, in place of the framework's own 422."""
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
            for operations in document["paths"].values():
                for method, operation in operations.items():
                    _keep_what_counts(method, operation)
                    operation["responses"].pop("422", None)
                    operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi


def _keep_what_counts(method: str, operation: dict[str, Any]) -> None:
    """Name a command's conditions at commands alone, and a query's at queries alone: the edge reads them all."""
    idle = ("If-Match", "Idempotency-Key") if method == "get" else ("Consistency-Token",)
    parameters = operation.get("parameters", [])
    operation["parameters"] = [parameter for parameter in parameters if parameter["name"] not in idle]

"""How a service's process starts: `python -m services.<service> ROLE`; `ROLES` are those that there are."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from shared.eventsourcing.described import described
from shared.eventsourcing.errors import WrongPartitionCount
from shared.eventsourcing.topics import ensure_log_topic
from shared.runtime.authorization import OF_EVERY_SERVICE, NotInTheTable
from shared.runtime.collection import collect_seldom
from shared.runtime.event_loops import event_loop
from shared.runtime.logging import configure_logging, logger
from shared.runtime.metrics import Metrics
from shared.runtime.metrics_port import metrics_port
from shared.runtime.service import Runtime, Service, database_answers, kafka_of
from shared.runtime.setting_files import WrongSettingFile
from shared.runtime.settings import Settings
from shared.runtime.stopping import ANSWER_SECONDS, Drained, Server, keep_ten_seconds
from shared.schemas.partitions import PARTITIONS

if TYPE_CHECKING:
    from fastapi import FastAPI

    from shared.runtime.worker import Worker

_LOOK_SECONDS: Final = 1.0
ROLES: Final = ("api", "worker", "all", "migrate", "migrated", "verify", "refill", "rewrap")
_BESIDE: Final = ("verify", "refill")
"""What an operator runs beside the service: it takes options, and ends."""


def main(service: Service, arguments: list[str]) -> int:
    """Run one role of a service until it is told to stop; the exit code."""
    role = arguments[0] if arguments else "all"
    if role not in ROLES or (len(arguments) > 1 and role not in _BESIDE):
        sys.stderr.write(f"usage: python -m services.{service.name} [{'|'.join(ROLES)}]\n")
        return 2
    try:
        settings = Settings()  # pyright: ignore[reportCallIssue] - from the environment
    except ValidationError as error:
        for problem in error.errors():
            name = "TRELLIS_" + "_".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"{name}: {problem['msg']}\n")
        return 2
    except WrongSettingFile as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    configure_logging(service=service.name, log_format=settings.log_format, level=settings.log_level, role=role)
    if role in {"migrate", "migrated"}:
        return _migrate(service, settings) if role == "migrate" else _migrated(service, settings)
    if role == "rewrap":
        from shared.runtime import key_commands  # noqa: PLC0415 - the other roles need none of it

        return key_commands.run(settings)
    if role in _BESIDE:
        from shared.runtime import log_commands  # noqa: PLC0415 - the other roles need none of it

        return log_commands.run(service, settings, role, arguments[1:])
    try:
        return _serve(service, settings, role)
    except NotInTheTable as error:
        logger(__name__).error("service.refused", error=str(error))
        return 1


def _migrate(service: Service, settings: Settings) -> int:
    from shared.runtime.migration import migrate  # noqa: PLC0415 - the other roles do not load Alembic

    async def databases_then_topic() -> None:
        await migrate(service.name, settings.database_url, settings.keys_database_url)
        await ensure_log_topic(kafka_of(settings), service.topic, partitions=PARTITIONS)

    try:
        asyncio.run(databases_then_topic())
    except (OSError, DBAPIError, KafkaError, WrongPartitionCount) as error:
        logger(__name__).error("migration.failed", error=described(error))
        return 1
    return 0


def _migrated(service: Service, settings: Settings) -> int:
    """End when the databases are migrated: what starts a new release waits with this for its migration."""
    from shared.runtime.migration import missing  # noqa: PLC0415 - the other roles do not load Alembic

    async def wait() -> None:
        while reason := await missing(service.name, settings.database_url, settings.keys_database_url):
            logger(__name__).info("migration.awaited", reason=reason)
            await asyncio.sleep(_LOOK_SECONDS)

    asyncio.run(wait())
    return 0


def _serve(service: Service, settings: Settings, role: str) -> int:
    failed = False

    def exit_process() -> None:
        nonlocal failed
        failed = True
        server.should_exit = True

    runtime = Runtime(service, settings)
    worker = None if role == "api" else _worker(runtime, exit_process)
    application = Drained(_application(runtime, role, worker))
    config = uvicorn.Config(
        application,
        host=settings.http_host,
        port=settings.http_port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        timeout_graceful_shutdown=ANSWER_SECONDS,
        lifespan="on",
        loop=event_loop(),
    )
    server = Server(
        config,
        application,
        drain_seconds=0 if role == "worker" else settings.drain_seconds,
        stop=worker.stop if worker else None,
        told=keep_ten_seconds,
    )
    collect_seldom()
    server.run()
    return 1 if failed or not server.started else 0


def _worker(runtime: Runtime, exit_process: Callable[[], None]) -> "Worker":
    from shared.runtime.worker import Worker  # noqa: PLC0415 - an api loads no FastStream

    return Worker(runtime, exit_process=exit_process)


def _application(runtime: Runtime, role: str, worker: "Worker | None") -> Any:
    if worker is None or role == "all":
        return create_service_api(runtime, worker)
    from shared.runtime.worker_app import create_worker  # noqa: PLC0415 - an api loads no FastStream

    return create_worker(worker)


def create_service_api(runtime: Runtime, worker: "Worker | None" = None) -> "FastAPI":
    """The service's HTTP application, with the administration of its log and readers; a worker may live inside it."""
    from shared.runtime.administration import administration_routes  # noqa: PLC0415 - a worker loads no FastAPI
    from shared.runtime.api import create_api  # noqa: PLC0415 - likewise
    from shared.runtime.authentication import Authenticator, IssuerKeys  # noqa: PLC0415 - likewise
    from shared.runtime.projections import projection_routes  # noqa: PLC0415 - likewise
    from shared.runtime.request_times import TimedRequests  # noqa: PLC0415 - likewise
    from shared.runtime.schemas import schema_routes  # noqa: PLC0415 - likewise

    service, settings = runtime.service, runtime.settings

    async def ready() -> list[str]:
        return [] if await database_answers(runtime.engine) else ["the database does not answer or is not migrated"]

    @asynccontextmanager
    async def lifespan(_app: "FastAPI") -> AsyncGenerator[None]:
        async with metrics_port(Metrics(runtime, worker, ready=ready), settings):
            if worker is not None:
                await worker.start()
            yield
            if worker is not None:
                await worker.stop()
        await runtime.close()

    app = create_api(
        title=service.title,
        description=service.description,
        base_path=service.base_path,
        routers=[*service.routers(runtime), administration_routes(runtime), projection_routes(runtime)],
        access=service.access | OF_EVERY_SERVICE,
        authenticator=Authenticator(
            issuer=settings.issuer, audience=settings.audience, keys=IssuerKeys(settings.jwks_url)
        ),
        ready=ready,
        lifespan=lifespan,
        clock=runtime.clock,
        large_bodies=service.large_bodies,
        open_routes=schema_routes(service.base_path),
        discreet=partial(service.discreet, runtime),
    )
    app.state.handler = runtime.handler
    app.add_middleware(TimedRequests, times=runtime.request_times, traces=runtime.traces)
    return app

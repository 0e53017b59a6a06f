"""Logs: one JSON object a line, or lines for a terminal; the standard library's loggers come the same way."""

import logging
import sys
from contextlib import AbstractContextManager
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

QUIET = ("aiokafka", "alembic.runtime.plugins", "httpx", "httpcore", "uvicorn.access")
"""Loggers that say something of every request, poll or start; they are heard from WARNING on."""


def configure_logging(
    *, service: str, log_format: Literal["json", "text"] = "json", level: str = "INFO", role: str | None = None
) -> None:
    """Send every log line of this process to standard error, with the service's name and what `log_context` bound."""

    def name_the_process(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        if role is not None:
            event["role"] = role
        return event

    arriving: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_the_process,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *arriving,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=arriving, processors=_writing(log_format))
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _writing(log_format: Literal["json", "text"]) -> list[Processor]:
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if log_format == "text":
        # neither form of a traceback shows local variables: they hold what people wrote
        plain = structlog.dev.plain_traceback
        return [remove_meta, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [
        remove_meta,
        structlog.processors.ExceptionRenderer(tracebacks),
        structlog.processors.JSONRenderer(default=str),
    ]


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """What a module logs with; values come by name: `log.info("relay leads", epoch=3)`."""
    return structlog.stdlib.get_logger(name)


def log_context(**values: object) -> AbstractContextManager[None]:
    """Within it every log line of this task carries these values: correlation_id, trace_id, stream..."""
    return structlog.contextvars.bound_contextvars(**values)

"""Logs: one JSON object a line, or lines for a terminal; the standard library's loggers come the same way.

No line holds what a person wrote: of an exception it tells the kind, the frames with their source, and a message only
where `described` allows it; of warnings and of asyncio's reports, which quote values, the first line.
"""

import logging
import sys
import traceback
from contextlib import AbstractContextManager
from typing import Any, Final, Literal

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from shared.eventsourcing.described import described
from shared.eventsourcing.line_ids import ids_worked_on

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
        _ids_worked_on,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _first_line_of_what_quotes,
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
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _ids_worked_on(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The ids of the command that is worked on; what the line says itself comes first."""
    for name, value in ids_worked_on().items():
        event.setdefault(name, value)
    return event


QUOTING: Final = ("asyncio", "py.warnings")
"""Loggers whose messages repeat exceptions and values from their second line on."""


def _first_line_of_what_quotes(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if event.get("logger") in QUOTING:
        event["event"] = str(event["event"]).partition("\n")[0]
    return event


def _writing(log_format: Literal["json", "text"]) -> list[Processor]:
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if log_format == "text":
        plain = structlog.dev.plain_traceback  # of a traceback that is text already
        console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
        return [remove_meta, structlog.processors.ExceptionRenderer(_as_text), console]
    return [
        remove_meta,
        structlog.processors.ExceptionRenderer(_as_data),
        structlog.processors.JSONRenderer(default=str),
    ]


def _as_data(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """The exception and those that led to it, the last one first; frames with file, line, function, source."""
    return [
        {
            "exc_type": type(error).__qualname__,
            "error": described(error),
            "frames": [
                f"{frame.filename}:{frame.lineno} {frame.name}: {frame.line}"
                for frame in traceback.extract_tb(error.__traceback__)
            ],
        }
        for error in _chain(exc_info[1])
    ]


def _as_text(exc_info: ExcInfo) -> str:
    told = _as_data(exc_info)
    return "\nwhich was caused by:\n".join("\n".join([*one["frames"], one["error"]]) for one in told)


def _chain(error: BaseException | None) -> list[BaseException]:
    chain: list[BaseException] = []
    while error is not None and error not in chain:
        chain.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """What a module logs with; values come by name: `log.info("relay leads", epoch=3)`."""
    return structlog.stdlib.get_logger(name)


def log_context(**values: object) -> AbstractContextManager[None]:
    """Within it every log line of this task carries these values: correlation_id, trace_id, stream..."""
    return structlog.contextvars.bound_contextvars(**values)

"""A failure as a log line may tell it: its kind, and its message only where that cannot repeat what people wrote."""

from typing import Final

import asyncpg
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from shared.eventsourcing.checkpoints import CheckpointMissing
from shared.eventsourcing.database import is_transient
from shared.eventsourcing.errors import (
    Conflict,
    LogForked,
    NotCaughtUp,
    Superseded,
    TopicShrank,
    WaitingFor,
    WrongPartitionCount,
)

_SPEAKS_OF_US: Final = (
    *(OSError, TimeoutError, KafkaError, PoolExhausted, asyncpg.InterfaceError),
    *(CheckpointMissing, Conflict, LogForked, NotCaughtUp, Superseded, TopicShrank, WaitingFor),
    WrongPartitionCount,
)
"""What these say is of connections, streams and positions. Any other exception may quote a value that it was given."""
_NAMES: Final = ("sqlstate", "schema_name", "table_name", "column_name", "constraint_name")
_MOST_FIELDS: Final = 5


def described(error: BaseException) -> str:
    """The exception's kind and, as far as it may be told, what it says."""
    said = _said(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _said(error: BaseException) -> str:
    match error:
        case DBAPIError(orig=orig) if orig is not None:
            return _of_database(orig.__cause__ or orig)
        case asyncpg.PostgresError():
            return _of_database(error)
        case ValidationError():
            fields = error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_FIELDS]
            # only the first step of a place is sure to be a name of ours; of an unknown field not even that
            return ", ".join(f"{one['type']} at {_place(one['type'], one['loc'])}" for one in fields)
        case _:
            return str(error) if isinstance(error, _SPEAKS_OF_US) else ""


def _place(kind: str, steps: tuple[int | str, ...]) -> str:
    return str(steps[0]) if steps and kind != "extra_forbidden" else "..."


def _of_database(error: BaseException) -> str:
    """What PostgreSQL says of itself; of data only its codes and names, for its messages quote rows."""
    if is_transient(error):
        return str(error.args[0]) if error.args else ""
    told = [f"{name.removesuffix('_name')} {value}" for name in _NAMES if (value := getattr(error, name, None))]
    return ", ".join(told)

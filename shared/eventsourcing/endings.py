"""How a command may end, in a word."""

from typing import Final

from shared.eventsourcing.decider import Rejected
from shared.eventsourcing.errors import Conflict, KeyReused, VersionMismatch

OUTCOMES: Final = ("accepted", "replayed", "rejected", "version-mismatch", "conflict", "key-reused", "failed")
"""`failed`: by what nobody foresaw, such as a database that is down."""


def refusal(error: Exception) -> str:
    """The word for a command that was not accepted."""
    match error:
        case Rejected():
            return "rejected"
        case VersionMismatch():
            return "version-mismatch"
        case Conflict():
            return "conflict"
        case KeyReused():
            return "key-reused"
        case _:
            return "failed"

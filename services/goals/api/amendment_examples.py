"""Requests about amendments as the OpenAPI document shows them."""

from typing import Any, Final

_FIRST: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
_SECOND: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c"
_THIRD: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1d"

PROPOSE_AMENDMENT: Final[dict[str, Any]] = {
    "a goal goes, the others take its weight": {
        "value": {
            "goals": [{"goal": _FIRST, "weight": "60"}, {"goal": _SECOND, "weight": "40"}],
            "cancellations": [{"goal": _THIRD, "reason": "priorities-changed"}],
            "reason": "The third is done by the platform team now.",
        }
    },
    "another target": {
        "value": {
            "goals": [{"goal": _FIRST, "weight": "60"}, {"goal": _SECOND, "weight": "40"}],
            "changes": [
                {"goal": _FIRST, "metric": {"kind": "number", "start": "200", "target": "50", "unit": "tickets"}}
            ],
            "reason": "Half of them came from one customer who has left.",
        }
    },
}
RETURN_AMENDMENT: Final[dict[str, Any]] = {"with a comment": {"value": {"comment": "Let us keep it until the summer."}}}

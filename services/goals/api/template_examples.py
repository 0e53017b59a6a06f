"""Requests about templates as the OpenAPI document shows them."""

from typing import Any, Final

Examples = dict[str, Any]

TEMPLATE: Final[Examples] = {
    "for everybody": {
        "value": {
            "name": "Onboarding: the first quarter",
            "title": "Know our customers",
            "description": "Spend a day with support, and a day with sales.",
            "metric": {"kind": "milestones", "target": "2", "unit": "days"},
            "values": ["close-to-customers"],
            "tags": ["onboarding"],
        }
    }
}
RETIRE_TEMPLATE: Final[Examples] = {"with a reason": {"value": {"reason": "replaced"}}}

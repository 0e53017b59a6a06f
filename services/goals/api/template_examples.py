"""Requests about templates and their assignment as the OpenAPI document shows them."""

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
ASSIGN: Final[Examples] = {
    "to a department": {
        "value": {
            "templates": ["0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1d"],
            "population": {"teams": ["Production"], "countries": ["DE"]},
            "starts_on": "2026-01-01",
            "ends_on": "2026-12-31",
        }
    },
    "to a manager's reports": {
        "value": {
            "templates": ["0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1d"],
            "population": {"reports_of": "0199a1b2-0000-7000-8000-000000000103", "whole_line": True},
            "starts_on": "2026-01-01",
            "ends_on": "2026-12-31",
            "parent": "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c",
        }
    },
}
UNDO: Final[Examples] = {"with a reason": {"value": {"reason": "wrong-department"}}}

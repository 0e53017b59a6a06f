"""Requests about KPIs as the OpenAPI document shows them."""

from typing import Any, Final

_OWNER: Final = "0199a1b2-0000-7000-8000-000000000103"

Examples = dict[str, Any]

DEFINE_KPI: Final[Examples] = {
    "a ratio in percent": {
        "value": {
            "code": "support.tickets-within-24h",
            "name": "Tickets answered within 24 hours",
            "kind": "ratio",
            "unit": "%",
            "per": "100",
            "direction": "rising",
            "aggregation": "ratio-of-sums",
            "target": "95",
            "thresholds": {"on_track": "95", "at_risk": "90"},
            "owner": _OWNER,
            "source": "ticket system",
        }
    },
    "a number": {
        "value": {
            "code": "project.spend",
            "name": "Spent on the project",
            "kind": "number",
            "unit": "EUR",
            "direction": "falling",
            "aggregation": "sum",
            "owner": _OWNER,
            "source": "ledger",
        }
    },
}
REVISE_TARGET: Final[Examples] = {
    "with a reason": {
        "value": {"target": "97", "thresholds": {"on_track": "96", "at_risk": "90"}, "reason": "new-contract"}
    }
}
RENAME_KPI: Final[Examples] = {"another name": {"value": {"name": "Tickets answered within a day"}}}
HAND_OVER_KPI: Final[Examples] = {"to somebody else": {"value": {"owner": _OWNER}}}
CHANGE_SOURCE: Final[Examples] = {"another system": {"value": {"source": "new ticket system"}}}
RETIRE_KPI: Final[Examples] = {"with a reason": {"value": {"reason": "measured-otherwise"}}}

MEASUREMENT: Final[Examples] = {
    "of a ratio": {
        "value": {
            "id": "tickets-2026-03-31",
            "measured_at": "2026-03-31T22:00:00Z",
            "numerator": "190",
            "denominator": "200",
            "source": "ticket system",
        }
    },
    "a correction": {
        "value": {
            "id": "tickets-2026-03-31-b",
            "measured_at": "2026-03-31T22:00:00Z",
            "numerator": "191",
            "denominator": "200",
            "source": "ticket system",
            "corrects": "tickets-2026-03-31",
            "reason": "counted-late",
        }
    },
}
MEASUREMENTS: Final[Examples] = {
    "two of different KPIs": {
        "value": {
            "measurements": [
                {"kpi": "support.tickets-within-24h", **MEASUREMENT["of a ratio"]["value"]},
                {
                    "kpi": "project.spend",
                    "id": "ledger-4711",
                    "measured_at": "2026-03-31T16:00:00Z",
                    "value": "1250.00",
                    "source": "ledger",
                },
            ]
        }
    }
}
CSV: Final = """kpi,id,measured_at,value,numerator,denominator,source
support.tickets-within-24h,tickets-2026-03-31,2026-03-31T22:00:00Z,,190,200,ticket system
project.spend,ledger-4711,2026-03-31,1250.00,,,ledger
"""
BIND_GOAL: Final[Examples] = {
    "to a quarter's ratio": {
        "value": {
            "kpi": "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a77",
            "aggregation": "ratio-of-sums",
            "window": "goal-period",
        }
    }
}
UNBIND_GOAL: Final[Examples] = {"with a reason": {"value": {"reason": "measured-by-hand"}}}

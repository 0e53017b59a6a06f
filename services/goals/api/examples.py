"""Requests as the OpenAPI document shows them."""

from typing import Any, Final

_GOAL: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1b"
_PARENT: Final = "0199a1b2-7c3d-7e4f-8a5b-6c7d8e9f0a1c"
_OWNER: Final = "0199a1b2-0000-7000-8000-000000000103"
_YEAR: Final = {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}

Examples = dict[str, Any]

SET_GOAL: Final[Examples] = {
    "team goal": {
        "value": {
            "level": "team",
            "owner": _OWNER,
            "team": "Production",
            "title": "Halve the open support tickets",
            "metric": {"kind": "number", "start": "200", "target": "100", "unit": "tickets"},
            "parent": _PARENT,
            "weight": "1",
            **_YEAR,
        }
    },
    "in zones": {
        "value": {
            "level": "person",
            "owner": _OWNER,
            "title": "Customers recommend us",
            "metric": {"kind": "zones", "zones": {"fail": "20", "commit": "35", "target": "45", "stretch": "60"}},
            **_YEAR,
        }
    },
    "a bound to keep, month by month": {
        "value": {
            "level": "person",
            "owner": _OWNER,
            "title": "The shop is open",
            "metric": {"kind": "keep", "unit": "%", "keep": {"least": "99.5", "period": "month"}},
            **_YEAR,
        }
    },
    "organization goal, measured by the goals below it": {
        "value": {"level": "organization", "owner": _OWNER, "title": "Customers recommend us", **_YEAR}
    },
}
ALIGN_GOAL: Final[Examples] = {
    "under a parent": {"value": {"parent": _PARENT, "weight": "2"}},
    "under none": {"value": {"parent": None}},
}
RECORD_PROGRESS: Final[Examples] = {
    "now": {"value": {"value": "150"}},
    "measured earlier, elsewhere": {
        "value": {"value": "150", "measured_at": "2026-03-31T16:00:00Z", "source": "integration"}
    },
}
CHOOSE_MEASURE: Final[Examples] = {"by the goals below it": {"value": {"measured_by": "children"}}}
WEIGH_CHILDREN: Final[Examples] = {
    "by hand": {"value": {"weights": [{"goal": _GOAL, "weight": "3"}, {"goal": _PARENT, "weight": "1"}]}},
    "all equally": {"value": {"weights": []}},
}
ACHIEVE_GOAL: Final[Examples] = {"with its final value": {"value": {"value": "100", "closed_on": "2026-11-30"}}}
CANCEL_GOAL: Final[Examples] = {"with a reason": {"value": {"reason": "priorities-changed"}}}
PROPOSE_PLAN: Final[Examples] = {
    "weights by hand": {
        "value": {
            "owner": _OWNER,
            "goals": [{"goal": _GOAL, "weight": "60"}, {"goal": _PARENT, "weight": "40"}],
            **_YEAR,
        }
    },
    "equal weights": {"value": {"owner": _OWNER, "goals": [{"goal": _GOAL}, {"goal": _PARENT}], **_YEAR}},
}
ADOPT_POLICY: Final[Examples] = {
    "a preset, one thing changed": {
        "value": {
            "preset": "enterprise",
            "options": {"plan-goals": {"minimum": 1, "maximum": 8}},
            "reason": "new-year",
        }
    },
    "the one in force, one thing changed": {
        "value": {"options": {"plan-period": "half-year"}, "reason": "two-rounds-a-year"}
    },
}
RETURN_PLAN: Final[Examples] = {
    "with a comment": {"value": {"comment": "The second goal is the team's; let us weigh it less."}}
}
